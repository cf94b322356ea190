"""Where PayPal tells what happened; docs/webhooks.md says what to set up there."""

from collections.abc import Mapping

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways import configured_paypal
from igny8_core.business.billing.models import WebhookProvider
from igny8_core.business.billing.webhooks.receiving import MESSAGE, REFUSALS, RETRY_SECONDS, TAKEN, WebhookView
from igny8_core.common.api.refusals import refuses


class PayPalWebhookView(WebhookView):
    """PayPal's messages do not say whether they are live: the certificate and the webhook's id are of one mode."""

    provider = WebhookProvider.PAYPAL

    @extend_schema(operation_id="receive_paypal_webhook", tags=["webhooks"], request=MESSAGE, responses=TAKEN)
    @refuses(*REFUSALS)
    def post(self, request: Request) -> Response:
        """For PayPal only: takes an event that PayPal has signed for our webhook, and processes it within seconds."""
        # Without the webhook's id nothing can be told from a forgery (WHK-02).
        if settings.PAYPAL is None or not settings.PAYPAL.webhook_id:
            raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
        return self.receive(request, configured_paypal())

    def transmission_id(self, headers: Mapping[str, str]) -> str:
        """The same when PayPal sends one message again; with another message it is a forgery."""
        return configured_paypal().transmission_id(headers)
