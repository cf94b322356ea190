"""What goes in and comes out of the operators' operations on payments."""

from rest_framework import serializers

from igny8_core.auth.models import AccountStatus, SubscriptionStatus
from igny8_core.business.billing.models import DisputeStatus, InvoiceStatus, PaymentStatus
from igny8_core.business.billing.serializers import PaymentOutput
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class OperatorPaymentOutput(PaymentOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    is_flagged_duplicate = serializers.BooleanField(help_text="Another live payment carries the same reference")
    approved_by = serializers.CharField(source="approved_by.email", default="", help_text="Who decided, either way")
    approved_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was decided, either way; null while it was not"
    )


class DisputeOutput(OutputSerializer):
    id = serializers.IntegerField()
    gateway_dispute_id = serializers.CharField(help_text="Its id at the gateway, where it is answered")
    status = EnumField(DisputeStatus, help_text="How it stands: an open one waits for an answer or a decision")
    amount = MoneyField(
        allow_null=True, help_text="What the payer wants back; null until the gateway was asked for one of long ago"
    )
    currency = CurrencyField(help_text="Of the amount; empty where that is null")
    reason = serializers.CharField(help_text="What the payer complains of, in the gateway's word; can be empty")
    outcome = serializers.CharField(help_text="How it ended, in the gateway's word; empty where that is not known")
    credit_note_number = serializers.CharField(
        source="refund.credit_note.credit_note_number",
        default=None,
        allow_null=True,
        help_text="Credit note of what a lost one took by itself; null where PayPal made a refund of its own, or none",
    )
    opened_at = serializers.DateTimeField(
        allow_null=True, help_text="When the payer complained; null where that is not known"
    )
    closed_at = serializers.DateTimeField(
        allow_null=True, help_text="When its end was noted; null while it is open, or where that is not known"
    )


class OperatorPaymentDetailOutput(OperatorPaymentOutput):
    invoice_status = EnumField(InvoiceStatus, source="invoice.status", help_text="How far its invoice is")
    duplicate_of = serializers.IntegerField(
        source="metadata.duplicate_of", default=None, allow_null=True, help_text="The earlier payment"
    )
    admin_notes = serializers.CharField(help_text="What operators noted, not shown to the customer")
    proof_id = serializers.IntegerField(
        allow_null=True, help_text="The uploaded file that shows it; null where there is none"
    )
    proof_url = serializers.CharField(help_text="As the customer sent it; nobody has looked where it leads")
    disputes = DisputeOutput(many=True, help_text="What the payer complained of, oldest first")


class RefundInput(StrictSerializer):
    amount = MoneyField(required=False, help_text="Without it all that is left")
    reason = PlainTextField(max_length=500, help_text="Why it is given back; the customer reads it")
    reference = PlainTextField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Of the transfer that gives it back"
    )


class CreditNoteOutput(OutputSerializer):
    number = serializers.CharField(source="credit_note_number", help_text="Number of the credit note, as printed on it")
    amount = MoneyField(help_text="What was given back")
    credits_taken_back = serializers.IntegerField(help_text="Credits that left the balance with it")
    credits_not_recovered = serializers.IntegerField(help_text="Spent before")


class RefundOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    status = EnumField(PaymentStatus, source="payment.status", help_text="How far the payment is now")
    refunded_amount = MoneyField(
        source="payment.refunded_amount",
        currency_source="payment.currency",
        help_text="All that was given back of the payment so far",
    )
    credit_note = CreditNoteOutput(source="*", help_text="The document of this refund")


class ApproveInput(StrictSerializer):
    admin_notes = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="For operators, not shown to the customer",
    )
    override_duplicate = serializers.BooleanField(
        required=False, default=False, help_text="True: approve although another payment has the same reference"
    )


class ApproveOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    account_id = serializers.IntegerField(source="account.id")
    account_status = EnumField(AccountStatus, source="account.status", help_text="What the account may do from now on")
    subscription_status = EnumField(
        SubscriptionStatus,
        source="invoice.subscription.status",
        allow_null=True,
        default=None,
        help_text="How far the subscription is now; null where the invoice is of none",
    )
    credits_added = serializers.IntegerField(help_text="Credits that the payment brought")
    total_credits = serializers.IntegerField(help_text="Balance afterwards")
    approved_by = serializers.EmailField(
        source="payment.approved_by.email", help_text="E-mail address of the operator who approved it"
    )
    approved_at = serializers.DateTimeField(source="payment.approved_at", help_text="When it was approved")


class RejectInput(StrictSerializer):
    admin_notes = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why it is rejected; the customer reads it",
    )


class RejectOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="id")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    status = EnumField(PaymentStatus, help_text="How far the payment is now")
    invoice_status = EnumField(InvoiceStatus, source="invoice.status", help_text="How far its invoice is")
