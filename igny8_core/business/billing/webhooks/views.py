"""Receive webhook messages from gateways: limit their size, verify the signature, store them, answer.

docs/webhooks.md says what to set up at each gateway.

A gateway waits for the answer and repeats a message that gets none, so messages are stored here and processed later.
Bodies and headers are not logged: with the headers of one delivery somebody could forge a PayPal message.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.models import PaymentMethodType
from igny8_core.business.billing.errors import GatewayNotConfigured
from igny8_core.business.billing.gateways import gateway_of, keys_of, protocol, traits_of
from igny8_core.business.billing.services.webhook_inbox import errors as refusals
from igny8_core.business.billing.services.webhook_inbox.inbox import store_message
from igny8_core.common.api.downloads import AnyType
from igny8_core.common.api.envelope import success
from igny8_core.common.api.exceptions import PayloadTooLarge
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView
from igny8_core.common.network import Network, client_networks

logger = logging.getLogger(__name__)

MAX_MESSAGE_BYTES = 256 * 1024
RETRY_SECONDS = 60
JSON = "application/json"
REFUSALS = (
    GatewayNotConfigured,
    refusals.BadSignature,
    refusals.SignatureUncheckable,
    refusals.UnreadableMessage,
    refusals.MessageOfOtherMode,
)
# For extend_schema. The gateway's own documentation describes the message.
MESSAGE = {JSON: {"type": "object", "additionalProperties": True}}
STORED = {200: OpenApiResponse(description="The message is stored, now or before.")}


class WebhookView(ApiView):
    """The signature is the credential. There is no rate limit, because gateways send in bursts."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = ()
    is_limited = False
    content_negotiation_class = AnyType
    payment_method: ClassVar[str]

    def receive(self, request: Request) -> Response:
        """Verify and store the message. Raises REFUSALS, ParseError, PayloadTooLarge, UnsupportedMediaType."""
        keys = keys_of(self.payment_method)
        if keys is None or not keys.can_check_messages:
            raise GatewayNotConfigured(retry_after=RETRY_SECONDS)
        gateway = gateway_of(self.payment_method)
        body = _raw_body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self._verify(gateway, body, headers, client_networks(request._request))
        try:
            message = gateway.read_webhook(body)
        except ValueError:
            raise refusals.UnreadableMessage() from None
        # If messages do not say whether they are live, the signature belongs to one mode.
        if traits_of(self.payment_method).messages_say_mode and message.live is not gateway.live:
            logger.error("webhook of the other mode", extra={"provider": self.payment_method, "type": message.type})
            raise refusals.MessageOfOtherMode()
        is_new = store_message(self.payment_method, message, body, gateway.delivery_id(headers))
        return success(message=_("Stored.") if is_new else _("Already stored."))

    def _verify(
        self, gateway: protocol.Gateway, body: bytes, headers: Mapping[str, str], sender: Sequence[Network]
    ) -> None:
        try:
            gateway.verify_webhook(body, headers, sender)
        except protocol.BadSignature as refusal:
            # For alerts on the log: many of these mean an attack or a wrong secret.
            logger.warning("webhook refused", extra={"provider": self.payment_method, "reason": str(refusal)})
            raise refusals.BadSignature() from None
        except protocol.SignatureUncheckable as problem:
            logger.warning("webhook not checked", extra={"provider": self.payment_method, "reason": str(problem)})
            raise refusals.SignatureUncheckable(retry_after=RETRY_SECONDS) from None


def webhook_view(gateway_method: str) -> type[WebhookView]:
    """The view that receives the webhook messages of this payment method's gateway."""
    label, message_is = PaymentMethodType(gateway_method).label, traits_of(gateway_method).message_is

    class View(WebhookView):
        payment_method = gateway_method

        @extend_schema(
            operation_id=f"receive_{gateway_method}_webhook",
            description=f"For {label} only: takes an event {message_is} and processes it within seconds.",
            tags=["webhooks"],
            request=MESSAGE,
            responses=STORED,
        )
        @refuses(*REFUSALS)
        def post(self, request: Request) -> Response:
            return self.receive(request)

    View.__name__ = View.__qualname__ = f"{label.replace(' ', '')}WebhookView"
    return View


def _raw_body(request: Request) -> bytes:
    """The body as it came, before any parser, because the signature is over these bytes."""
    content_type = request.content_type or ""
    if content_type.partition(";")[0].strip().lower() != JSON:
        raise UnsupportedMediaType(content_type)
    # The middleware ensures that this is a number, also for a chunked body.
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_MESSAGE_BYTES:
        raise PayloadTooLarge("The message is too large. The limit is 256 KB; events of payment services are smaller.")
    body: bytes = request._request.body
    if not body:
        raise ParseError("The body is empty. Send the payment service's event as JSON.")
    return body
