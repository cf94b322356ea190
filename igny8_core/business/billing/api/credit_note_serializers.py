"""Output of the list of credit notes."""

from rest_framework import serializers

from igny8_core.common.api.fields import CurrencyField, MoneyField
from igny8_core.common.api.serializers import OutputSerializer


class CreditNoteRowOutput(OutputSerializer):
    id = serializers.IntegerField()
    credit_note_number = serializers.CharField(help_text="Number, as printed on the credit note")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_id = serializers.IntegerField(allow_null=True, help_text="The refunded payment; null if no money went back")
    amount = MoneyField(help_text="Credited amount")
    currency = CurrencyField()
    reason = serializers.CharField(help_text="Why it was credited")
    reference = serializers.CharField(help_text="Reference of the transfer that returned the money; can be empty")
    credits_taken_back = serializers.IntegerField(help_text="Unspent credits that were taken back")
    credits_not_recovered = serializers.IntegerField(help_text="Credits that had been spent already; nothing is owed")
    created_at = serializers.DateTimeField()
