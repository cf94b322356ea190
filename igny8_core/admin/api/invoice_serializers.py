"""What goes in and comes out of the operators' operations on invoices."""

from typing import Any

from rest_framework import serializers

from igny8_core.business.billing.serializers import InvoiceNotesInput, InvoiceOutput
from igny8_core.common.api.fields import (
    DayField,
    IdField,
    MoneyField,
    PlainTextField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.serializers import StrictSerializer

MAX_LINES = 100
MAX_QUANTITY = 1_000_000


class StaffInvoiceOutput(InvoiceOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    notes = serializers.CharField()
    void_reason = serializers.CharField()


class LineInput(StrictSerializer):
    description = PlainTextField(max_length=500)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, required=False, default=1)
    amount = MoneyField(help_text="Price of one, in the currency of the account's plan")


class InvoiceInput(InvoiceNotesInput):
    account = IdField()
    line_items: Any = serializers.ListSerializer(child=LineInput(), allow_empty=False, max_length=MAX_LINES)
    due_date = DayField(required=False, help_text="From today (UTC) to a year ahead; without it in 7 days")
    send = TrueOrFalseField(required=False, default=True, help_text="False: the customer gets no mail of it")


class VoidInput(StrictSerializer):
    reason = PlainTextField(max_length=255, help_text="Kept with the invoice")
