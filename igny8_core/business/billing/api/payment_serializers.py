"""Output of the steps of a card or PayPal payment."""

from typing import Any

from rest_framework import serializers

from igny8_core.business.billing.gateways import card_form_key, card_method
from igny8_core.business.billing.models import PaymentStatus
from igny8_core.business.billing.services.collection.attempts import NextStep
from igny8_core.common.api.fields import EnumField
from igny8_core.common.api.serializers import OutputSerializer


class AttemptOutput(OutputSerializer):
    payment_id = serializers.IntegerField(source="payment.id")
    status = EnumField(PaymentStatus, source="payment.status", help_text="Status of the payment")
    next_step = EnumField(NextStep, help_text="What the customer has to do next")
    client_secret = serializers.CharField(
        source="charge.client_secret", default="", help_text="Client secret for Stripe.js"
    )
    public_key = serializers.SerializerMethodField(help_text="Publishable key for Stripe.js")
    approve_url = serializers.CharField(
        source="charge.approve_url", default="", help_text="Address where the customer approves a PayPal payment"
    )
    failure_reason = serializers.CharField(
        source="payment.failure_reason", help_text="Why the last card was declined; another card can be tried"
    )

    def get_public_key(self, attempt: Any) -> str:
        return card_form_key() if attempt.payment.payment_method == card_method() else ""
