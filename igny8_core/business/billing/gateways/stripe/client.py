"""The client of Stripe's SDK: API version, timeouts, retries, errors."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import stripe

from igny8_core.business.billing.gateways.protocol import UnknownObject
from igny8_core.business.billing.gateways.stripe.errors import PatientClient, WatchedClient, translated
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings

API_VERSION = "2026-10-28.endive"
MAX_RETRIES = 2


class StripeConnection:
    """Talks to Stripe with one key. Threads may share it. Create it after the process has forked."""

    name = "stripe"

    def __init__(self, settings: StripeSettings, http_client: stripe.HTTPClient | None = None) -> None:
        # Telemetry would write a file in the user's home and tell Stripe how long each request took.
        stripe.enable_telemetry = False
        # The SDK logs Stripe's messages, which repeat what we sent. We log what matters ourselves.
        logging.getLogger("stripe").setLevel(logging.WARNING)
        self.live = settings.live
        self._webhook_secrets = settings.webhook_secrets
        self._http = WatchedClient(http_client or PatientClient())
        self._client = stripe.StripeClient(
            settings.secret_key,
            stripe_version=API_VERSION,
            max_network_retries=MAX_RETRIES,
            base_addresses={"api": settings.api_base},
            http_client=self._http,
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turns the SDK's errors into the protocol's."""
        try:
            yield
        except stripe.StripeError as error:
            raise translated(error, is_in_doubt=self._http.is_in_doubt) from None


def known(object_id: str) -> str:
    """The id itself. Raises UnknownObject if it is empty, because a path without an id asks for the whole list."""
    if not object_id:
        raise UnknownObject("There is no id to ask Stripe for.")
    return object_id
