"""Billing's input and output formats that more than one door uses."""

from typing import Any
from urllib.parse import quote

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import BillingCycle, PaymentMethodType, SubscriptionStatus
from igny8_core.business.billing.models import (
    ALL_COUNTRIES,
    PAYEE_DETAILS,
    InvoiceStatus,
    PaymentStatus,
    ProofType,
    RejectionCode,
)
from igny8_core.business.billing.offers import is_usable
from igny8_core.business.billing.payees import instructions_of, is_hidden
from igny8_core.business.billing.services.proofs.links import link_token
from igny8_core.common.api.fields import (
    CodeField,
    CountryCodeField,
    CurrencyField,
    DayField,
    EnumField,
    MoneyField,
    MultilineTextField,
    PlainTextField,
    TrueOrFalseField,
    WholeNumberField,
)
from igny8_core.common.api.priced import PriceField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer
from igny8_core.common.bank_codes import why_not_bic, why_not_iban
from igny8_core.common.languages import translated


class PaymentMethodOutput(OutputSerializer):
    id = serializers.IntegerField()
    country_code = serializers.CharField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = EnumField(PaymentMethodType, help_text="Which way of paying it is")
    payment_method_display = serializers.CharField(
        source="get_payment_method_display", help_text="The way of paying, in the caller's language"
    )
    is_enabled = serializers.BooleanField(help_text="Whether customers are offered it")
    is_available = serializers.SerializerMethodField(
        help_text="False if its gateway is not set up, or if it is a sample of a new installation in production"
    )
    display_name = serializers.CharField(help_text="Its name as customers read it")
    instructions = serializers.CharField(help_text="What the customer is told to do; can be empty")
    bank_name = serializers.CharField()
    account_title = serializers.CharField()
    account_number = serializers.CharField()
    routing_number = serializers.CharField()
    swift_code = serializers.CharField()
    iban = serializers.CharField()
    wallet_type = serializers.CharField()
    wallet_id = serializers.CharField()
    sort_order = serializers.IntegerField(help_text="Lower numbers are shown first")

    def get_is_available(self, config: Any) -> bool:
        return is_usable(config)

    def to_representation(self, config: Any) -> dict[str, Any]:
        """The configured row. `instructions` are made from the details; hidden details are empty."""
        said: dict[str, Any] = super().to_representation(config)
        said["display_name"] = translated(said["display_name"])
        if is_hidden(config):
            return said | dict.fromkeys(("instructions", *PAYEE_DETAILS), "")
        return said | {"instructions": instructions_of(config)}


class OperatorPaymentMethodOutput(PaymentMethodOutput):
    """For operators: `instructions` as they are stored, without the details."""

    is_sample = serializers.BooleanField(help_text="A sample of a new installation; not offered in production")
    payer_reads = serializers.SerializerMethodField(help_text="The details and the instructions as customers get them")

    def get_payer_reads(self, config: Any) -> str:
        return instructions_of(config)

    def to_representation(self, config: Any) -> dict[str, Any]:
        """The configured row, including what is hidden from customers."""
        return serializers.Serializer.to_representation(self, config)


class TermsOutput(OutputSerializer):
    price = MoneyField(help_text="Of a period")
    currency = CurrencyField()
    billing_cycle = EnumField(BillingCycle, help_text="How long a period is")
    included_credits = serializers.IntegerField(source="credits", help_text="Credits that are granted for each period")
    credits_rollover = serializers.BooleanField(help_text="True: unused credits stay when their period ends")
    max_sites = serializers.IntegerField(help_text="How many sites the account may have")
    max_users = serializers.IntegerField(help_text="How many people may work in the account")


class SubscriptionOutput(OutputSerializer):
    id = serializers.IntegerField()
    plan = serializers.CharField(source="plan.slug")
    status = EnumField(SubscriptionStatus, help_text="Whether the plan is paid and runs")
    terms = TermsOutput(
        allow_null=True,
        help_text="The terms that the customer has, even if the plan has changed since; null until the first payment",
    )
    current_period_start = serializers.DateTimeField(allow_null=True, help_text="Null until the first payment")
    current_period_end = serializers.DateTimeField(
        allow_null=True, help_text="When the next period begins; null until the first payment"
    )
    cancel_at_period_end = serializers.BooleanField(help_text="True: it ends with the period and is not renewed")
    canceled_at = serializers.DateTimeField(allow_null=True, help_text="When it was canceled; null where it was not")
    pending_plan = serializers.CharField(
        source="pending_plan.slug", default=None, allow_null=True, help_text="The smaller plan of the next period"
    )


class InvoiceLineOutput(OutputSerializer):
    description = serializers.CharField(help_text="What it is for, as printed on the invoice")
    quantity = serializers.IntegerField(help_text="How many")
    amount = serializers.CharField(help_text="Price of one")
    credits = serializers.IntegerField(
        required=False, help_text="Credits that the line grants once the invoice is paid; absent where it grants none"
    )


class InvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    subscription_id = serializers.IntegerField(
        allow_null=True, help_text="Id of the subscription that it is for; null if it is for none"
    )
    status = EnumField(InvoiceStatus, help_text="The invoice's status; a pending one can be paid")
    currency = CurrencyField()
    subtotal = MoneyField(help_text="Sum of the lines")
    tax = MoneyField(help_text="Tax on top of the lines")
    total = MoneyField(help_text="What is to be paid: subtotal and tax")
    line_items = InvoiceLineOutput(many=True, help_text="What it is for")
    invoice_date = serializers.DateField()
    due_date = serializers.DateField()
    paid_at = serializers.DateTimeField(allow_null=True)
    billing_period_start = serializers.DateTimeField(
        allow_null=True,
        help_text="Start of the period that it is for; null if it is for none, or for one that begins when it is paid",
    )
    billing_period_end = serializers.DateTimeField(
        allow_null=True,
        help_text="End of the period that it is for; null if it is for none, or for one that begins when it is paid",
    )
    purchase_order_number = serializers.CharField(help_text="The customer's, printed on the invoice; can be empty")
    billing_email = serializers.CharField(help_text="Where it is sent")
    billing_snapshot = serializers.DictField(
        child=serializers.CharField(),
        source="metadata.billing_snapshot",
        default=dict,
        help_text="Name, address and tax id as they were when it was made",
    )
    created_at = serializers.DateTimeField()


class PaymentOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    amount = MoneyField(help_text="How much is paid")
    currency = CurrencyField()
    payment_method = EnumField(PaymentMethodType, help_text="How it is paid")
    status = EnumField(PaymentStatus, help_text="How far the payment is")
    manual_reference = serializers.CharField()
    transferred_on = serializers.DateField(allow_null=True, help_text="Day of the transfer, as the customer says")
    payer_name = serializers.CharField(help_text="Whose account or wallet it came from, as the customer says")
    manual_notes = serializers.CharField()
    proof_id = serializers.IntegerField(allow_null=True, help_text="Id of the uploaded proof; null if there is none")
    failure_reason = serializers.CharField(help_text="Why it failed or was rejected; empty if it was not")
    reason_code = EnumField(
        RejectionCode,
        allow_blank=True,
        help_text="Why it was rejected; empty if it was not",
    )
    reason = serializers.CharField(
        source="failure_reason", help_text="What the customer reads of it: the same as failure_reason"
    )
    refunded_amount = MoneyField(help_text="How much of it was refunded")
    processed_at = serializers.DateTimeField(allow_null=True, help_text="When it succeeded; null while it has not")
    failed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it failed or was rejected; null if it was not"
    )
    created_at = serializers.DateTimeField()


class PaymentProofOutput(serializers.Serializer[Any]):
    """`context["request"]` has to be the request of the person for whom the link is."""

    id = serializers.IntegerField()
    content_type = EnumField(ProofType, help_text="What kind of file it is")
    size = serializers.IntegerField(help_text="Size of the stored file in bytes")
    created_at = serializers.DateTimeField()
    payment_id = serializers.IntegerField(
        source="payment.id",
        default=None,
        allow_null=True,
        help_text="Id of the payment that it was sent with; null if it was not used yet",
    )
    url = serializers.SerializerMethodField(help_text="Opens the file, without a credential, for 5 minutes")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, proof: Any) -> str:
        request = self.context["request"]
        address = reverse("paymentproof-file", args=[proof.pk])
        return str(request.build_absolute_uri(f"{address}?token={quote(link_token(proof.pk, request.user.pk))}"))


# --- What operators configure, in the console and by API ---------------------------------------------------------

# The largest numbers that the columns can hold.
MAX_NUMBER = 2**31 - 1
MAX_SMALL_NUMBER = 2**15 - 1
# With the ready sentence of a rejection it fits into the column.
MAX_REASON = 300


class CountryOrAllField(CountryCodeField):
    """A country code, or * for all countries without a row of their own."""

    def clean_text(self, text: str) -> str:
        return text if text == ALL_COUNTRIES else super().clean_text(text)


class IbanField(PlainTextField):
    """An IBAN, stored without spaces of any kind and in capitals."""

    def clean_text(self, text: str) -> str:
        # An IBAN that was copied from a document can contain no-break spaces between its groups.
        iban = "".join(super().clean_text(text).split()).upper()
        if iban and (refusal := why_not_iban(iban)):
            raise serializers.ValidationError(refusal, code="invalid_iban")
        return iban


class BicField(PlainTextField):
    """A BIC, also called SWIFT code."""

    def clean_text(self, text: str) -> str:
        bic = super().clean_text(text)
        if bic and (refusal := why_not_bic(bic)):
            raise serializers.ValidationError(refusal, code="invalid_bic")
        return bic


def _detail(max_length: int, **more: Any) -> PlainTextField:
    return PlainTextField(max_length=max_length, required=False, allow_blank=True, **more)


class PaymentMethodInput(StrictSerializer):
    country_code = CountryOrAllField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices, help_text="Which way of paying the row describes"
    )
    display_name = PlainTextField(max_length=100, help_text="Its name as customers read it")
    is_enabled = TrueOrFalseField(required=False, help_text="False in a country's row hides the method there")
    instructions = MultilineTextField(
        max_length=4000, required=False, allow_blank=True, help_text="What customers are told to do; can be empty"
    )
    bank_name = _detail(100)
    account_title = _detail(100, help_text="Name of the account's holder")
    account_number = _detail(50)
    routing_number = _detail(50)
    swift_code = BicField(max_length=11, required=False, allow_blank=True)
    iban = IbanField(max_length=42, required=False, allow_blank=True)
    wallet_type = _detail(50)
    wallet_id = _detail(100)
    sort_order = WholeNumberField(
        min_value=0, max_value=MAX_SMALL_NUMBER, required=False, help_text="Lower numbers are shown first"
    )


class CreditCostInput(StrictSerializer):
    operation_type = CodeField(
        max_length=50, pattern=r"[a-z0-9][a-z0-9_-]*", expected="Small letters, digits, _ and - are expected."
    )
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(min_value=1, max_value=MAX_NUMBER, help_text="Credits that one unit costs")
    unit = PlainTextField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = TrueOrFalseField(required=False, help_text="False: the operation cannot be charged any more")


class CreditCostUpdateInput(StrictSerializer):
    display_name = PlainTextField(max_length=100)
    credits_per_unit = WholeNumberField(
        min_value=1, max_value=MAX_NUMBER, help_text="Credits that one unit costs from now on"
    )
    unit = PlainTextField(max_length=50, help_text="What is counted: article, image, 100 words, …")
    is_active = TrueOrFalseField(help_text="False: the operation cannot be charged any more")


class SubscriptionDecisionInput(StrictSerializer):
    reason = PlainTextField(max_length=500, help_text="Kept with the event, for operators")


class EndSubscriptionInput(SubscriptionDecisionInput):
    at_period_end = TrueOrFalseField(required=False, default=True, help_text="False: at once, without refund")


class ChangeSubscriptionInput(SubscriptionDecisionInput):
    plan_slug = PlainTextField(max_length=50, help_text="The plan to move to, as GET /api/v1/auth/plans/ lists them")


class PriceChangeInput(StrictSerializer):
    """Another price for customers who have a plan, as the console takes it."""

    plan_slug = PlainTextField(max_length=50, help_text="The plan")
    price = PriceField(help_text="For a whole period, in the plan's currency")
    effective_on = DayField(help_text="Periods that begin on this day (UTC) or later have the new price")
    notice_days = WholeNumberField(min_value=1, max_value=365, help_text="How many days before customers are told")


class LaterDayInput(SubscriptionDecisionInput):
    """An operator's decision to wait, with its last day."""

    until = DayField(help_text="The last day, where the customer is; at most a year ahead")


class BusinessDayInput(StrictSerializer):
    """An operator's word on a day."""

    country_code = CountryOrAllField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    day = DayField(help_text="The day in that country")
    is_business_day = TrueOrFalseField(required=False, help_text="False: nobody is reminded or suspended on this day")
    name = PlainTextField(max_length=100, help_text="Why, for example Eid al-Fitr")


class InvoiceNotesInput(StrictSerializer):
    """The notes that operators write on an open invoice."""

    notes = MultilineTextField(
        max_length=2000, required=False, allow_blank=True, default="", help_text="Printed on the invoice"
    )
