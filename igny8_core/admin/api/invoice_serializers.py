"""Input and output of the operators' operations on invoices."""

from typing import Any

from django.utils.functional import lazy
from rest_framework import serializers

from igny8_core.business.billing.pricing import MAX_LINES, too_many_lines
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

MAX_QUANTITY = 1_000_000


class OperatorInvoiceOutput(InvoiceOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    notes = serializers.CharField(help_text="Printed on the invoice; can be empty")
    void_reason = serializers.CharField(help_text="Why it was voided; empty if it was not")


class LineInput(StrictSerializer):
    description = PlainTextField(max_length=500, help_text="Text of the line, as printed on the invoice")
    quantity = WholeNumberField(
        min_value=1, max_value=MAX_QUANTITY, required=False, default=1, help_text="Number of units"
    )
    amount = MoneyField(help_text="Unit price, in the currency of the account's plan")


class InvoiceInput(InvoiceNotesInput):
    account = IdField(help_text="Id of the account to invoice")
    line_items: Any = serializers.ListSerializer(
        child=LineInput(),
        allow_empty=False,
        max_length=MAX_LINES,
        error_messages={"max_length": lazy(too_many_lines, str)()},
        help_text="What is to be paid: 1 to 1,000 lines",
    )
    due_date = DayField(required=False, help_text="From today (UTC) to a year ahead; by default in 7 days")
    send = TrueOrFalseField(required=False, default=True, help_text="False: do not e-mail it to the customer")


class VoidInput(StrictSerializer):
    reason = PlainTextField(max_length=255, help_text="Stored with the invoice")
