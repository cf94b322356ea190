"""The stand-in for Stripe as an HTTP client for the SDK. The SDK writes and reads as usual, but opens no socket."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import stripe
from requests.exceptions import ConnectionError as NotConnected
from requests.structures import CaseInsensitiveDict
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError, NewConnectionError

from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_faults import NoAnswer, NotListening


class FakeStripeTransport(stripe.HTTPClient):
    """The `http_client` for StripeGateway. The SDK retries without waiting."""

    name = "requests"

    def __init__(self, fake: FakeStripe) -> None:
        super().__init__()
        self._fake = fake

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **options: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send one request. Raises the SDK's error if no answer comes."""
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            answer = self._fake.request(method.upper(), target, headers or {}, post_data or "")
        except NoAnswer as lost:
            raise stripe.APIConnectionError("Read timed out.", should_retry=True) from lost  # type: ignore[no-untyped-call]
        except NotListening:
            raise stripe.APIConnectionError("Refused.", should_retry=True) from _refused(target)  # type: ignore[no-untyped-call]
        return json.dumps(answer.body), answer.status, CaseInsensitiveDict(answer.headers)

    def close(self) -> None:
        """Do nothing, because there is no connection."""

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0


def _refused(target: str) -> NotConnected:
    """The error that the SDK's HTTP library raises when a connection is refused."""
    reason = NewConnectionError(HTTPConnection("127.0.0.1"), "Connection refused")
    return NotConnected(MaxRetryError(HTTPConnectionPool("127.0.0.1"), target, reason))
