"""Where Stripe tells what happened; docs/webhooks.md says what to set up there."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways import configured_stripe
from igny8_core.business.billing.gateways.protocol import Gateway, WebhookMessage
from igny8_core.business.billing.models import WebhookProvider
from igny8_core.business.billing.webhooks.receiving import MESSAGE, REFUSALS, RETRY_SECONDS, TAKEN, WebhookView
from igny8_core.common.api.refusals import refuses


class StripeWebhookView(WebhookView):
    provider = WebhookProvider.STRIPE

    @extend_schema(operation_id="receive_stripe_webhook", tags=["webhooks"], request=MESSAGE, responses=TAKEN)
    @refuses(*REFUSALS)
    def post(self, request: Request) -> Response:
        """For Stripe only: takes an event that is signed with our webhook secret, and processes it within seconds."""
        # Without a secret nothing can be told from a forgery (WHK-02).
        if settings.STRIPE is None or not settings.STRIPE.webhook_secrets:
            raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
        return self.receive(request, configured_stripe())

    def is_of_our_mode(self, message: WebhookMessage, gateway: Gateway) -> bool:
        """Stripe says of each event whether it is live."""
        return message.live is gateway.live
