"""What more than one door takes and gives of billing."""

from typing import Any
from urllib.parse import quote

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType, SubscriptionStatus
from igny8_core.business.billing.models import PAYEE_DETAILS, InvoiceStatus, PaymentStatus, ProofType
from igny8_core.business.billing.offers import is_usable
from igny8_core.business.billing.payees import instructions_of, is_hidden
from igny8_core.business.billing.services.proof_links import link_token
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField
from igny8_core.common.api.serializers import OutputSerializer


class PaymentMethodOutput(OutputSerializer):
    id = serializers.IntegerField()
    country_code = serializers.CharField(help_text="ISO 3166-1 alpha-2, or * for all countries")
    payment_method = EnumField(PaymentMethodType, help_text="Which way of paying it is")
    payment_method_display = serializers.CharField(
        source="get_payment_method_display", help_text="The way of paying in English"
    )
    is_enabled = serializers.BooleanField(help_text="Whether customers are offered it")
    is_available = serializers.SerializerMethodField(
        help_text="False while its gateway is not set up, and for the samples of a new installation in production"
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
        """As it is configured; `instructions` are made of the details, and what is hidden is left empty."""
        said: dict[str, Any] = super().to_representation(config)
        if is_hidden(config):
            return said | dict.fromkeys(("instructions", *PAYEE_DETAILS), "")
        return said | {"instructions": instructions_of(config)}


class StaffPaymentMethodOutput(PaymentMethodOutput):
    """`instructions` as they are kept, without the details."""

    is_sample = serializers.BooleanField(help_text="Holds the numbers of nobody; not offered where real customers pay")
    payer_reads = serializers.SerializerMethodField(help_text="The details and the instructions as customers get them")

    def get_payer_reads(self, config: Any) -> str:
        return instructions_of(config)

    def to_representation(self, config: Any) -> dict[str, Any]:
        """As it is configured, whatever is hidden from customers."""
        return serializers.Serializer.to_representation(self, config)


class SubscriptionOutput(OutputSerializer):
    id = serializers.IntegerField()
    plan = serializers.CharField(source="plan.slug")
    status = EnumField(SubscriptionStatus, help_text="Whether the plan is paid and runs")
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
        allow_null=True, help_text="Id of the subscription that it is for; null where it is for none"
    )
    status = EnumField(InvoiceStatus, help_text="How far it is: only a pending one can be paid")
    currency = CurrencyField()
    subtotal = MoneyField(help_text="Sum of the lines")
    tax = MoneyField(help_text="Tax on top of the lines")
    total = MoneyField(help_text="What is to be paid: subtotal and tax")
    line_items = InvoiceLineOutput(many=True, help_text="What it is for")
    invoice_date = serializers.DateField()
    due_date = serializers.DateField()
    paid_at = serializers.DateTimeField(allow_null=True)
    billing_period_start = serializers.DateTimeField(
        allow_null=True, help_text="Start of the subscription's current period; null where there is none"
    )
    billing_period_end = serializers.DateTimeField(
        allow_null=True, help_text="End of the subscription's current period; null where there is none"
    )
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
    amount = MoneyField(help_text="What is paid with it")
    currency = CurrencyField()
    payment_method = EnumField(PaymentMethodType, help_text="With what it is paid")
    status = EnumField(PaymentStatus, help_text="How far the payment is")
    manual_reference = serializers.CharField()
    manual_notes = serializers.CharField()
    proof_id = serializers.IntegerField(allow_null=True, help_text="The uploaded file that shows it")
    failure_reason = serializers.CharField(help_text="Why it failed or was rejected; empty where it was not")
    refunded_amount = MoneyField(help_text="What has been given back of it")
    processed_at = serializers.DateTimeField(allow_null=True, help_text="When it succeeded; null while it has not")
    failed_at = serializers.DateTimeField(
        allow_null=True, help_text="When it failed or was rejected; null where it was not"
    )
    created_at = serializers.DateTimeField()


class PaymentProofOutput(serializers.Serializer[Any]):
    """`context` holds the request of the person that the link is for."""

    id = serializers.IntegerField()
    content_type = EnumField(ProofType, help_text="What kind of file it is")
    size = serializers.IntegerField(help_text="Bytes, as the file was written anew")
    created_at = serializers.DateTimeField()
    payment_id = serializers.IntegerField(
        source="payment.id",
        default=None,
        allow_null=True,
        help_text="Id of the payment that it was sent with; null while it was sent with none",
    )
    url = serializers.SerializerMethodField(help_text="Opens the file, without a credential, for 5 minutes")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, proof: Any) -> str:
        request = self.context["request"]
        address = reverse("paymentproof-file", args=[proof.pk])
        return str(request.build_absolute_uri(f"{address}?token={quote(link_token(proof.pk, request.user.pk))}"))
