"""The stand-in for Stripe as an HTTP client of the SDK: no socket, but all of the SDK's writing and reading."""

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
    """Give it to StripeGateway as its `http_client`. The SDK's retries do not wait."""

    name = "requests"

    def __init__(self, fake: FakeStripe) -> None:
        super().__init__()
        self._fake = fake

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **options: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request, with the SDK's error where no answer comes."""
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
        """There is nothing to close."""

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return 0


def _refused(target: str) -> NotConnected:
    """What the library that the SDK uses raises where nobody listens."""
    reason = NewConnectionError(HTTPConnection("127.0.0.1"), "Connection refused")
    return NotConnected(MaxRetryError(HTTPConnectionPool("127.0.0.1"), target, reason))
