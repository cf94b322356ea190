"""What more than one door takes and gives of billing."""

from typing import Any
from urllib.parse import quote

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from igny8_core.business.billing.models import PAYEE_DETAILS, ProofType
from igny8_core.business.billing.offers import is_usable
from igny8_core.business.billing.payees import instructions_of, is_hidden
from igny8_core.business.billing.services.proof_links import link_token
from igny8_core.common.api.fields import MoneyField


class PaymentMethodOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    country_code = serializers.CharField()
    payment_method = serializers.CharField()
    payment_method_display = serializers.CharField(source="get_payment_method_display")
    is_enabled = serializers.BooleanField()
    is_available = serializers.SerializerMethodField(
        help_text="False while its gateway is not set up, and for the samples of a new installation in production"
    )
    display_name = serializers.CharField()
    instructions = serializers.CharField()
    bank_name = serializers.CharField()
    account_title = serializers.CharField()
    account_number = serializers.CharField()
    routing_number = serializers.CharField()
    swift_code = serializers.CharField()
    iban = serializers.CharField()
    wallet_type = serializers.CharField()
    wallet_id = serializers.CharField()
    sort_order = serializers.IntegerField()

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


class SubscriptionOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    plan = serializers.CharField(source="plan.slug")
    status = serializers.CharField()
    current_period_start = serializers.DateTimeField(allow_null=True)
    current_period_end = serializers.DateTimeField(allow_null=True)
    cancel_at_period_end = serializers.BooleanField()
    canceled_at = serializers.DateTimeField(allow_null=True)
    pending_plan = serializers.CharField(
        source="pending_plan.slug", default=None, allow_null=True, help_text="The smaller plan of the next period"
    )


class InvoiceLineOutput(serializers.Serializer[Any]):
    description = serializers.CharField()
    quantity = serializers.IntegerField()
    amount = serializers.CharField(help_text="Price of one")
    credits = serializers.IntegerField(required=False)


class InvoiceOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    subscription_id = serializers.IntegerField(allow_null=True)
    status = serializers.CharField()
    currency = serializers.CharField()
    subtotal = MoneyField()
    tax = MoneyField()
    total = MoneyField()
    line_items = InvoiceLineOutput(many=True)
    invoice_date = serializers.DateField()
    due_date = serializers.DateField()
    paid_at = serializers.DateTimeField(allow_null=True)
    billing_period_start = serializers.DateTimeField(allow_null=True)
    billing_period_end = serializers.DateTimeField(allow_null=True)
    billing_email = serializers.CharField()
    billing_snapshot = serializers.DictField(
        child=serializers.CharField(), source="metadata.billing_snapshot", default=dict
    )
    created_at = serializers.DateTimeField()


class PaymentOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    invoice_id = serializers.IntegerField()
    invoice_number = serializers.CharField(source="invoice.invoice_number")
    amount = MoneyField()
    currency = serializers.CharField()
    payment_method = serializers.CharField()
    status = serializers.CharField()
    manual_reference = serializers.CharField()
    manual_notes = serializers.CharField()
    proof_id = serializers.IntegerField(allow_null=True, help_text="The uploaded file that shows it")
    failure_reason = serializers.CharField()
    refunded_amount = MoneyField()
    processed_at = serializers.DateTimeField(allow_null=True)
    failed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class PaymentProofOutput(serializers.Serializer[Any]):
    """`context` holds the request of the person that the link is for."""

    id = serializers.IntegerField()
    content_type = serializers.ChoiceField(choices=ProofType.choices)
    size = serializers.IntegerField(help_text="Bytes, as the file was written anew")
    created_at = serializers.DateTimeField()
    payment_id = serializers.IntegerField(source="payment.id", default=None, allow_null=True)
    url = serializers.SerializerMethodField(help_text="Opens the file, without a credential, for 5 minutes")

    @extend_schema_field({"type": "string", "format": "uri"})
    def get_url(self, proof: Any) -> str:
        request = self.context["request"]
        address = reverse("paymentproof-file", args=[proof.pk])
        return str(request.build_absolute_uri(f"{address}?token={quote(link_token(proof.pk, request.user.pk))}"))
