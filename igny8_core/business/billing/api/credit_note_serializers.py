"""What comes out of the list of credit notes."""

from rest_framework import serializers

from igny8_core.common.api.fields import CurrencyField, MoneyField
from igny8_core.common.api.serializers import OutputSerializer


class CreditNoteRowOutput(OutputSerializer):
    id = serializers.IntegerField()
    credit_note_number = serializers.CharField(help_text="As printed on it")
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    payment_id = serializers.IntegerField()
    amount = MoneyField(help_text="What was given back")
    currency = CurrencyField()
    reason = serializers.CharField(help_text="Why it was given back")
    reference = serializers.CharField(help_text="Of the transfer with which the money went back")
    credits_taken_back = serializers.IntegerField(help_text="Credits that left the balance with it")
    credits_not_recovered = serializers.IntegerField(help_text="Used before; stated, not collected")
    created_at = serializers.DateTimeField()
