"""What operators say of invoices, by API and in the console: the same rules and sentences for both."""

from typing import Any

from django.utils.functional import lazy
from rest_framework import serializers

from igny8_core.business.billing.pricing import MAX_LINES, too_many_lines
from igny8_core.business.billing.serializers import InvoiceNotesInput
from igny8_core.common.api.fields import (
    CountryCodeField,
    DayField,
    EmailAddressField,
    IdField,
    MoneyField,
    PlainTextField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.serializers import StrictSerializer

MAX_QUANTITY = 1_000_000


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
    purchase_order_number = PlainTextField(
        max_length=50, required=False, allow_blank=True, default="", help_text="The customer's; printed on the invoice"
    )
    send = TrueOrFalseField(required=False, default=True, help_text="False: do not e-mail it to the customer")


class VoidInput(StrictSerializer):
    reason = PlainTextField(max_length=255, help_text="Stored with the invoice")


class CreditInput(StrictSerializer):
    """A credit note, as the console takes it."""

    reason = PlainTextField(max_length=500, help_text="Printed on the credit note")
    reference = PlainTextField(max_length=100, allow_blank=True)


class BuyerInput(StrictSerializer):
    """Whom an invoice names, as the console takes it: the columns of its billing snapshot."""

    name = PlainTextField(max_length=200)
    email = EmailAddressField()
    address_line1 = PlainTextField(max_length=255, allow_blank=True)
    address_line2 = PlainTextField(max_length=255, allow_blank=True)
    city = PlainTextField(max_length=100, allow_blank=True)
    state = PlainTextField(max_length=100, allow_blank=True)
    postal_code = PlainTextField(max_length=20, allow_blank=True)
    country = CountryCodeField()
    tax_id = PlainTextField(max_length=100, allow_blank=True)
    reason = PlainTextField(max_length=200)
