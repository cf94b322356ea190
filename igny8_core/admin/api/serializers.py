"""What goes in and comes out of the operators' operations on accounts, invoices, payments and configuration."""

import re
from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.api.serializers import InvoiceOutput, PaymentOutput, SubscriptionOutput
from igny8_core.business.billing.models import ALL_COUNTRIES
from igny8_core.common.api.fields import (
    CountryCodeField,
    DayField,
    IdField,
    MoneyField,
    MultilineTextField,
    PlainTextField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.iban import is_iban

MAX_LINES = 100
MAX_QUANTITY = 1_000_000
MAX_CREDITS = 1_000_000_000
MAX_INTEGER = 2**31 - 1
MAX_SMALL_INTEGER = 2**15 - 1


# --- Accounts -----------------------------------------------------------------------------------------------------


class AccountRowOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.CharField()
    plan = serializers.CharField(source="plan.slug")
    credits = serializers.IntegerField()
    owner_email = serializers.CharField(source="owner.email", default="")
    members = serializers.IntegerField(help_text="People who can log in")
    created_at = serializers.DateTimeField()


class AccountFullOutput(AccountRowOutput):
    suspended_reason = serializers.CharField(help_text="operator or non_payment; empty where not suspended")
    billing_email = serializers.CharField()
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()
    payment_method = serializers.CharField(source="default_payment_method")
    deleted_at = serializers.DateTimeField(allow_null=True)


class StaffMemberOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    is_active = serializers.BooleanField()
    last_login = serializers.DateTimeField(allow_null=True)


class OpenInvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    total = MoneyField()
    currency = serializers.CharField()
    due_date = serializers.DateField()


class StaffEventOutput(OutputSerializer):
    id = serializers.IntegerField()
    type = serializers.CharField()
    account_id = serializers.IntegerField(allow_null=True)
    account_name = serializers.CharField(source="account.name", default="")
    object_type = serializers.CharField()
    object_id = serializers.CharField()
    actor = serializers.CharField(source="actor.email", default="", help_text="E-mail; empty where nobody did it")
    data = serializers.JSONField()  # type: ignore[assignment]  # fields are taken out of the class: nothing is hidden
    created_at = serializers.DateTimeField()


class AccountCountsOutput(OutputSerializer):
    sites = serializers.IntegerField()
    invoices = serializers.IntegerField()
    open_invoices = serializers.IntegerField()
    payments_to_decide = serializers.IntegerField()


class AccountDetailOutput(AccountFullOutput):
    subscription = SubscriptionOutput(allow_null=True)
    counts = AccountCountsOutput()
    people = StaffMemberOutput(many=True, help_text="The first 100")
    open_invoices = OpenInvoiceOutput(many=True, help_text="The first 100, newest first")
    events = StaffEventOutput(many=True, help_text="The last 10")


class ReasonInput(StrictSerializer):
    reason = PlainTextField(max_length=500, help_text="Kept with the event")


class AccountStatusOutput(OutputSerializer):
    account_id = serializers.IntegerField(source="id")
    status = serializers.CharField()
    suspended_reason = serializers.CharField()


class AdjustInput(ReasonInput):
    amount = WholeNumberField(min_value=-MAX_CREDITS, max_value=MAX_CREDITS, help_text="Credits; negative takes away")

    def validate_amount(self, amount: int) -> int:
        """Raises ValidationError for nothing."""
        if amount == 0:
            raise serializers.ValidationError("A whole number of credits is expected, negative to take away; not 0.")
        return amount


class AdjustOutput(OutputSerializer):
    account_id = serializers.IntegerField()
    amount = serializers.IntegerField()
    credits = serializers.IntegerField(help_text="The balance afterwards")
    transaction_id = serializers.IntegerField(help_text="The row of the ledger")


# --- Invoices -----------------------------------------------------------------------------------------------------


class StaffInvoiceOutput(InvoiceOutput):
    account_id = serializers.IntegerField()
    account_name = serializers.CharField(source="account.name")
    notes = serializers.CharField()
    void_reason = serializers.CharField()


class LineInput(StrictSerializer):
    description = PlainTextField(max_length=500)
    quantity = WholeNumberField(min_value=1, max_value=MAX_QUANTITY, required=False, default=1)
    amount = MoneyField(help_text="Price of one, in the currency of the account's plan")


class InvoiceInput(StrictSerializer):
    account = IdField()
    line_items: Any = serializers.ListSerializer(child=LineInput(), allow_empty=False, max_length=MAX_LINES)
    due_date = DayField(required=False, help_text="From today (UTC) to a year ahead; without it in 7 days")
    notes = MultilineTextField(max_length=2000, required=False, allow_blank=True, default="")
    send = TrueOrFalseField(required=False, default=True, help_text="False: the customer gets no mail of it")


class VoidInput(StrictSerializer):
    reason = PlainTextField(max_length=255, help_text="Kept with the invoice")


# --- Payments -----------------------------------------------------------------------------------------------------


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


# --- Configuration ------------------------------------------------------------------------------------------------


class CountryOrAllField(CountryCodeField):
    """A country code, or * for all countries that have no row of their own."""

    def clean_text(self, text: str) -> str:
        return text if text == ALL_COUNTRIES else super().clean_text(text)


class CodeField(PlainTextField):
    """Text of a fixed form: `pattern` is a regular expression for all of it, `expected` the sentence of a refusal."""

    def __init__(self, *, pattern: str, expected: str, **kwargs: Any) -> None:
        self.pattern, self.expected = pattern, expected
        super().__init__(**kwargs)

    def clean_text(self, text: str) -> str:
        code = super().clean_text(text)
        if code and not re.fullmatch(self.pattern, code):
            raise serializers.ValidationError(self.expected, code="invalid_code")
        return code


class IbanField(PlainTextField):
    """An IBAN, stored without spaces and in capitals."""

    def clean_text(self, text: str) -> str:
        iban = super().clean_text(text).replace(" ", "").upper()
        if iban and not is_iban(iban):
            expected = "An IBAN is expected, for example GB29 NWBK 6016 1331 9268 19: check each character."
            raise serializers.ValidationError(expected, code="invalid_iban")
        return iban


def _detail(max_length: int, **more: Any) -> PlainTextField:
    return PlainTextField(max_length=max_length, required=False, allow_blank=True, **more)


class PaymentMethodInput(StrictSerializer):
    country_code = CountryOrAllField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = serializers.ChoiceField(choices=PaymentMethodType.choices)
    display_name = PlainTextField(max_length=100)
    is_enabled = TrueOrFalseField(required=False, help_text="False in a country's row hides the method there")
    instructions = MultilineTextField(max_length=4000, required=False, allow_blank=True)
    bank_name = _detail(100)
    account_title = _detail(100, help_text="Name of the account's holder")
    account_number = _detail(50)
    routing_number = _detail(50)
    swift_code = CodeField(
        max_length=11,
        pattern="[A-Z0-9]+",
        expected="Capital letters and digits are expected, without spaces.",
        required=False,
        allow_blank=True,
    )
    iban = IbanField(max_length=42, required=False, allow_blank=True)
    wallet_type = _detail(50)
    wallet_id = _detail(100)
    sort_order = WholeNumberField(min_value=0, max_value=MAX_SMALL_INTEGER, required=False)


class CreditCostInput(StrictSerializer):
    operation_type = CodeField(
        max_length=50, pattern=r"[a-z0-9][a-z0-9_-]*", expected="Small letters, digits, _ and - are expected."
    )
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(min_value=1, max_value=MAX_INTEGER)
    unit = PlainTextField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = TrueOrFalseField(required=False, help_text="False: the operation cannot be charged any more")


class CreditCostUpdateInput(StrictSerializer):
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(min_value=1, max_value=MAX_INTEGER)
    unit = PlainTextField(max_length=50)
    is_active = TrueOrFalseField()


class CreditCostOutput(OutputSerializer):
    id = serializers.IntegerField()
    operation_type = serializers.CharField()
    display_name = serializers.CharField()
    credits_per_unit = serializers.IntegerField()
    unit = serializers.CharField()
    is_active = serializers.BooleanField()
