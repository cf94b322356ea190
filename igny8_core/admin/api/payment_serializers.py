"""Input and output of the operators' operations on payments."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import AccountStatus, SubscriptionStatus
from igny8_core.business.billing.models import DisputeStatus, InvoiceStatus, Payment, PaymentStatus, RejectionCode
from igny8_core.business.billing.payment_repeats import Same, repeats_of
from igny8_core.business.billing.serializers import MAX_REASON, PaymentOutput
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField, MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class OperatorPaymentOutput(PaymentOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    is_flagged_duplicate = serializers.BooleanField(help_text="Another live payment had the same reference or proof")
    approved_by = serializers.CharField(
        source="approved_by.email", default="", help_text="E-mail address of the operator who approved or rejected it"
    )
    approved_at = serializers.DateTimeField(
        allow_null=True, help_text="When it was approved or rejected; null until then"
    )


class DisputeOutput(OutputSerializer):
    id = serializers.IntegerField()
    gateway_dispute_id = serializers.CharField(help_text="Id of the dispute at the gateway, where you answer it")
    status = EnumField(DisputeStatus, help_text="Open disputes wait for an answer or a decision")
    amount = MoneyField(
        allow_null=True, help_text="Disputed amount; null for an old dispute until the gateway is asked"
    )
    currency = CurrencyField(help_text="Currency of the amount; empty if that is null")
    reason = serializers.CharField(help_text="The payer's complaint, in the gateway's word; can be empty")
    outcome = serializers.CharField(help_text="How it ended, in the gateway's word; empty if unknown")
    credit_note_number = serializers.CharField(
        source="refund.credit_note.credit_note_number",
        default=None,
        allow_null=True,
        help_text="Credit note for the money that a lost dispute took; null if there is none",
    )
    opened_at = serializers.DateTimeField(allow_null=True, help_text="When the payer complained; null if unknown")
    closed_at = serializers.DateTimeField(
        allow_null=True, help_text="When we learned of its end; null if it is open, or if unknown"
    )


class RepeatOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id", help_text="Id of the other payment")
    account_id = serializers.IntegerField(source="payment.account_id", help_text="Id of the account that sent it")
    account_name = serializers.CharField(source="payment.account.name", help_text="Name of that account")
    status = EnumField(PaymentStatus, source="payment.status", help_text="Status of the other payment")
    same = serializers.ListField(
        child=EnumField(Same), help_text="What both have: the reference, in whatever spelling, or the file of the proof"
    )


class OperatorPaymentDetailOutput(OperatorPaymentOutput):
    invoice_status = EnumField(InvoiceStatus, source="invoice.status", help_text="Status of the invoice that it pays")
    duplicate_of = serializers.IntegerField(
        source="metadata.duplicate_of",
        default=None,
        allow_null=True,
        help_text="Id of the earlier payment with the same reference or proof; null if there is none",
    )
    repeats = serializers.SerializerMethodField(
        help_text="Other payments with the same reference or proof, of all accounts, oldest first"
    )
    admin_notes = serializers.CharField(
        help_text="Note of the operator who approved it, which the customer does not see; if it was rejected, what the "
        "operator wrote as the reason"
    )
    internal_note = serializers.CharField(
        help_text="Note of the operator who rejected it, which the customer does not see; can be empty"
    )
    proof_id = serializers.IntegerField(
        allow_null=True, help_text="Id of the uploaded proof of payment; null if there is none"
    )
    proof_url = serializers.CharField(help_text="Link to a proof, as the customer sent it; we have not opened it")
    disputes = DisputeOutput(many=True, help_text="Disputes of the payment, oldest first")

    @extend_schema_field(RepeatOutput(many=True))
    def get_repeats(self, payment: Payment) -> Any:
        """Also those that are decided or were rejected: an operator compares them all."""
        return RepeatOutput(repeats_of(payment), many=True).data


class RefundInput(StrictSerializer):
    amount = MoneyField(required=False, help_text="Amount to refund; by default all that is left")
    reason = PlainTextField(max_length=500, help_text="Why it is refunded; the customer reads it")
    reference = PlainTextField(
        max_length=100,
        required=False,
        allow_blank=True,
        default="",
        help_text="Reference of your transfer, if you sent the money back",
    )


class CreditNoteOutput(OutputSerializer):
    number = serializers.CharField(source="credit_note_number", help_text="Number of the credit note, as printed on it")
    amount = MoneyField(help_text="Refunded amount")
    credits_taken_back = serializers.IntegerField(help_text="Unspent credits that were taken back")
    credits_not_recovered = serializers.IntegerField(help_text="Credits that had been spent already")


class RefundOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    status = EnumField(PaymentStatus, source="payment.status", help_text="New status of the payment")
    refunded_amount = MoneyField(
        source="payment.refunded_amount",
        currency_source="payment.currency",
        help_text="All that was refunded of the payment so far",
    )
    credit_note = CreditNoteOutput(source="*", help_text="The credit note of this refund")


class ApproveInput(StrictSerializer):
    admin_notes = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        default="",
        help_text="For operators; the customer does not see it",
    )
    override_duplicate = serializers.BooleanField(
        required=False,
        default=False,
        help_text="True: approve although another payment has the same reference or proof",
    )


class ApproveOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    account_id = serializers.IntegerField(source="account.id")
    account_status = EnumField(AccountStatus, source="account.status", help_text="The account's new status")
    subscription_status = EnumField(
        SubscriptionStatus,
        source="invoice.subscription.status",
        allow_null=True,
        default=None,
        help_text="The subscription's new status; null if the invoice is for none",
    )
    credits_added = serializers.IntegerField(help_text="Credits that were granted")
    total_credits = serializers.IntegerField(help_text="Balance afterwards")
    approved_by = serializers.EmailField(
        source="payment.approved_by.email", help_text="E-mail address of the operator who approved it"
    )
    approved_at = serializers.DateTimeField(source="payment.approved_at", help_text="When it was approved")


class RejectInput(StrictSerializer):
    reason_code = serializers.ChoiceField(
        choices=RejectionCode.choices,
        required=False,
        help_text="Why it is rejected. The customer reads the sentence of the code; other has none and takes a reason. "
        "Left out, it is other if there is a reason, and not_found if there is none",
    )
    reason = MultilineTextField(
        max_length=MAX_REASON,
        required=False,
        allow_blank=True,
        help_text="What the customer reads, after the sentence of the code; required if the code is other",
    )
    internal_note = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        help_text="For operators; the customer does not see it",
    )
    admin_notes = MultilineTextField(
        max_length=2000,
        required=False,
        allow_blank=True,
        help_text="Older name of internal_note. It stands alone, without the other fields",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse admin_notes beside the new fields: whoever sends both may mean the customer to read it."""
        if attrs.get("admin_notes") and len(attrs) > 1:
            text = _("Send what the customer reads as reason and what is for operators as internal_note instead.")
            raise serializers.ValidationError({"admin_notes": [text]})
        return attrs


class RejectOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="id")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    status = EnumField(PaymentStatus, help_text="New status of the payment")
    invoice_status = EnumField(InvoiceStatus, source="invoice.status", help_text="Status of the invoice that it pays")
