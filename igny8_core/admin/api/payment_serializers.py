"""What goes in and comes out of the operators' operations on payments."""

from rest_framework import serializers

from igny8_core.business.billing.serializers import PaymentOutput
from igny8_core.common.api.fields import MoneyField, MultilineTextField, PlainTextField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class StaffPaymentOutput(PaymentOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    is_flagged_duplicate = serializers.BooleanField(help_text="Another live payment carries the same reference")
    approved_by = serializers.CharField(source="approved_by.email", default="", help_text="Who decided, either way")
    approved_at = serializers.DateTimeField(allow_null=True)


class StaffPaymentDetailOutput(StaffPaymentOutput):
    invoice_status = serializers.CharField(source="invoice.status")
    duplicate_of = serializers.IntegerField(
        source="metadata.duplicate_of", default=None, allow_null=True, help_text="The earlier payment"
    )
    admin_notes = serializers.CharField()
    proof_id = serializers.IntegerField(allow_null=True)
    proof_url = serializers.CharField(help_text="As the customer sent it; nobody has looked where it leads")


class RefundInput(StrictSerializer):
    amount = MoneyField(required=False, help_text="Without it all that is left")
    reason = PlainTextField(max_length=500)
    reference = PlainTextField(
        max_length=100, required=False, allow_blank=True, default="", help_text="Of the transfer that gives it back"
    )


class CreditNoteOutput(OutputSerializer):
    number = serializers.CharField(source="credit_note_number")
    amount = MoneyField()
    credits_taken_back = serializers.IntegerField()
    credits_not_recovered = serializers.IntegerField(help_text="Spent before")


class RefundOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    status = serializers.CharField(source="payment.status")
    refunded_amount = MoneyField(source="payment.refunded_amount", currency_source="payment.currency")
    credit_note = CreditNoteOutput(source="*")


class ApproveInput(StrictSerializer):
    admin_notes = MultilineTextField(max_length=2000, required=False, allow_blank=True, default="")
    override_duplicate = serializers.BooleanField(required=False, default=False)


class ApproveOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    invoice_id = serializers.IntegerField(source="invoice.id")
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    account_id = serializers.IntegerField(source="account.id")
    account_status = serializers.CharField(source="account.status")
    subscription_status = serializers.CharField(source="invoice.subscription.status", allow_null=True, default=None)
    credits_added = serializers.IntegerField()
    total_credits = serializers.IntegerField()
    approved_by = serializers.EmailField(source="payment.approved_by.email")
    approved_at = serializers.DateTimeField(source="payment.approved_at")


class RejectInput(StrictSerializer):
    admin_notes = MultilineTextField(max_length=2000, required=False, allow_blank=True, default="")


class RejectOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="id")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    status = serializers.CharField()
    invoice_status = serializers.CharField(source="invoice.status")
