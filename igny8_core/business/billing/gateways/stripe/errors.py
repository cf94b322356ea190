"""Translate Stripe's errors into the gateway protocol's."""

import logging
from collections.abc import Mapping
from typing import Any

import stripe
from django.utils.translation import gettext as _
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from igny8_core.business.billing.gateways import patience
from igny8_core.business.billing.gateways.protocol import (
    Declined,
    GatewayError,
    Misconfigured,
    Unavailable,
    UnknownObject,
)
from igny8_core.business.billing.gateways.stripe.declines import decline_code, decline_sentence
from igny8_core.business.billing.gateways.stripe.mappers import charge_of, part_of

log = logging.getLogger(__name__)

# 409: another request with the same idempotency key is still running.
IN_DOUBT = frozenset({409})
NO_CONNECTION = (NewConnectionError, ConnectTimeoutError)


class PatientClient(stripe.RequestsClient):
    """The SDK's client for `requests`; each try gets the time that is left."""

    @property
    def _timeout(self) -> tuple[float, float]:
        return patience.timeouts()

    @_timeout.setter
    def _timeout(self, value: object) -> None:
        """The SDK sets one for all requests."""


class WatchedClient(stripe.HTTPClient):
    """An HTTP client that remembers whether an earlier try of the same request may have reached Stripe.

    The SDK repeats a request and raises the last error. After a timeout, a refused connection or a rate limit does not
    prove that nothing happened.
    """

    name = "requests"

    def __init__(self, client: stripe.HTTPClient) -> None:
        super().__init__()
        self._client = client

    @property
    def is_in_doubt(self) -> bool:
        """Whether this thread's last request may have had an effect, although it got no usable answer."""
        return bool(getattr(self._thread_local, "is_in_doubt", False))

    def request_with_retries(self, *arguments: Any, **options: Any) -> tuple[str, int, Mapping[str, str]]:
        """Like the SDK's method, but forget the previous request first."""
        self._thread_local.is_in_doubt = False
        return super().request_with_retries(*arguments, **options)

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **options: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        """One try."""
        try:
            answer = self._client.request(method, url, headers, post_data, **options)
        except stripe.APIConnectionError as error:
            self._thread_local.is_in_doubt |= not was_refused(error)
            raise
        self._thread_local.is_in_doubt |= answer[1] >= 500 or answer[1] in IN_DOUBT
        return answer

    def close(self) -> None:
        """Close the connections of this thread."""
        self._client.close()  # type: ignore[no-untyped-call]

    def _should_retry(self, *arguments: Any, **options: Any) -> bool:
        return patience.allows_another_try() and bool(super()._should_retry(*arguments, **options))

    def _sleep_time_seconds(self, num_retries: int) -> float:
        return self._client._sleep_time_seconds(num_retries)


def was_refused(error: stripe.APIConnectionError) -> bool:
    """Whether there was no connection at all, so that nothing was sent.

    It checks the error that the HTTP client raised and not the whole chain of contexts, because that may end at an
    unrelated error that the caller was handling.
    """
    arguments = error.__cause__.args if error.__cause__ else ()
    return any(isinstance(getattr(argument, "reason", None), NO_CONNECTION) for argument in arguments)


def translated(error: stripe.StripeError, *, is_in_doubt: bool) -> GatewayError:
    """The protocol's error for an error of the SDK. `is_in_doubt`: see WatchedClient."""
    request_id = error.request_id or ""
    match error:
        case stripe.CardError():
            return _declined(error, request_id)
        case stripe.RateLimitError():
            return Unavailable(
                _("Stripe has too many requests at the moment. Try again in a minute."),
                code="rate_limit",
                request_id=request_id,
                may_have_happened=is_in_doubt,
                retry_after=_retry_after(error),
            )
        case stripe.InvalidRequestError() if error.http_status == 404 or error.code == "resource_missing":
            return UnknownObject("Stripe does not know this object.", code=error.code or "", request_id=request_id)
        case (
            stripe.AuthenticationError()
            | stripe.PermissionError()
            | stripe.InvalidRequestError()
            | stripe.IdempotencyError()
        ):
            refused = _misconfigured(error, request_id)
            if not is_in_doubt:
                return refused
    return Unavailable(
        _("Stripe gave no answer that tells the outcome of the request."),
        code=str(part_of(error.json_body, "error").get("code") or ""),
        request_id=request_id,
        may_have_happened=is_in_doubt or not (isinstance(error, stripe.APIConnectionError) and was_refused(error)),
        retry_after=_retry_after(error),
    )


def _declined(error: stripe.CardError, request_id: str) -> Declined:
    body = part_of(error.json_body, "error")
    code = decline_code(body)
    intent = part_of(body, "payment_intent")
    charge = charge_of(intent) if intent else None
    return Declined(decline_sentence(code), code=code, request_id=request_id, charge=charge)


def _misconfigured(error: stripe.StripeError, request_id: str) -> Misconfigured:
    body = part_of(error.json_body, "error")
    code = str(error.code or body.get("type") or "")
    param = str(body.get("param") or "")
    # Stripe's message and the body are not logged, because both may repeat what we sent.
    log.error("Stripe refused a request: %s %s, status %s, request %s", code, param, error.http_status, request_id)
    return Misconfigured(f"Stripe refused our request: {code} {param}".rstrip(), code=code, request_id=request_id)


def _retry_after(error: stripe.StripeError) -> int | None:
    value = next((value for name, value in (error.headers or {}).items() if name.lower() == "retry-after"), "")
    return int(value) if value.isascii() and value.isdigit() else None
