"""The SDK's client for PayPal's REST API, plus what it lacks: timeouts, raised errors, a limit of retries.

The SDK is no longer maintained. We use its endpoints, credentials and request format, and replace the rest.
"""

import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import paypalrestsdk  # type: ignore[import-untyped]
import requests

from igny8_core.business.billing.gateways import patience
from igny8_core.business.billing.gateways.paypal.settings import PayPalSettings

Json = dict[str, Any]

# At DEBUG the SDK writes the client secret, tokens and bodies to the log.
logging.getLogger("paypalrestsdk").setLevel(logging.WARNING)
logger = logging.getLogger(__name__)

RETRIES = 2
RETRY_PAUSE = 0.5  # seconds before the first retry; twice as much before the second
LONGEST_PAUSE = 5  # seconds that PayPal may ask us to wait while a caller waits for us
TOKEN_MARGIN = 60  # seconds before its expiry when a token is no longer used
REQUEST_ID = "PayPal-Request-Id"
OBJECT_ID = re.compile(r"[A-Z0-9-]{5,36}", re.ASCII)
REPEATABLE = frozenset({408, 429})
LEAVES_OPEN = frozenset({408, 409})  # the same request may be under way


class PayPalError(Exception):
    """A request that did not succeed. `status`: the HTTP status, 0 if there was no answer.

    `name`, `issue`: PayPal's words for what is wrong. `debug_id`: what PayPal's support asks for. `retry_after`: in
    seconds. `may_have_happened`: False if PayPal cannot have done what was asked. `was_repeated`: the request was
    already retried.
    """

    def __init__(
        self,
        status: int,
        name: str,
        *,
        issue: str = "",
        debug_id: str = "",
        retry_after: int | None = None,
        may_have_happened: bool = False,
        redirect_url: str = "",
    ) -> None:
        super().__init__(f"PayPal: {status} {name} {issue} (debug id {debug_id or 'none'})")
        self.status = status
        self.name = name
        self.issue = issue
        self.debug_id = debug_id
        self.retryable = status in REPEATABLE or status == 0 or status >= 500
        self.retry_after = retry_after
        self.may_have_happened = may_have_happened
        self.redirect_url = redirect_url
        self.was_repeated = False


def checked_id(object_id: str) -> str:
    """The id, if it is safe in a path. Otherwise raises the PayPalError of an unknown id."""
    if not OBJECT_ID.fullmatch(object_id):
        raise PayPalError(404, "INVALID_RESOURCE_ID")
    return object_id


def new_session() -> requests.Session:
    """A session that keeps our Authorization header. By default a netrc file on this machine would replace it."""
    session = requests.Session()
    session.auth = _as_it_is
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


class PayPalApi(paypalrestsdk.Api):  # type: ignore[misc]
    """Requests to PayPal with one token for all threads. Tests replace `sleep` and `timer` (both in seconds)."""

    token_hash: Json | None

    def __init__(
        self,
        settings: PayPalSettings,
        *,
        sleep: Callable[[float], None] = time.sleep,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            mode="live" if settings.live else "sandbox",
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            # With a trailing slash the SDK would double the path.
            endpoint=settings.api_base.rstrip("/"),
        )
        self._sleep = sleep
        self._timer = timer
        self._of_thread = threading.local()
        self._token_lock = threading.Lock()
        self._token_until = 0.0
        self._token_failure: tuple[float, PayPalError] | None = None

    def read(self, path: str) -> Json:
        """GET an object. Raises PayPalError."""
        answer: Json = self.get(path)
        return answer

    def send(self, path: str, body: Json, request_id: str) -> Json:
        """POST a request that PayPal executes once per `request_id`; returns the whole object. Raises PayPalError."""
        answer: Json = self.post(path, body, headers={REQUEST_ID: request_id, "Prefer": "return=representation"})
        return answer

    def get_token_hash(self, *_: object, **__: object) -> Json:
        """The access token; one request serves all threads that wait for it. Arguments are ignored.

        Raises PayPalError, also in the waiting threads, because one retry after the other would take minutes.
        """
        waits_since = self._timer()
        with self._token_lock:
            if self.token_hash is not None and self._timer() < self._token_until:
                return dict(self.token_hash)
            if self._token_failure is not None and self._token_failure[0] >= waits_since:
                raise self._token_failure[1]
            try:
                asked_at = self._timer()
                token = self._persist(self._new_token, repeatable=True)
            except PayPalError as error:
                # Getting a token moves no money, so it may be repeated.
                error.may_have_happened, error.was_repeated = False, True
                self._token_failure = (self._timer(), error)
                raise
            self.token_hash, self._token_until = token, asked_at + token["expires_in"] - TOKEN_MARGIN
            return dict(token)

    def request(
        self,
        url: str,
        method: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        refresh_token: None = None,
    ) -> Json:
        """Send one request with the token. It is retried if that is safe, with a new token at most once.

        Raises PayPalError for every answer that is not a success.
        """
        sent = dict(headers or {})
        data = None if method == "GET" else json.dumps(body)
        tokens_left = 2

        def with_token() -> Json:
            nonlocal tokens_left
            while True:
                token = self.get_token_hash()
                authorization = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
                try:
                    return self.http_call(url, method, data=data, headers={**sent, **authorization})
                except PayPalError as error:
                    tokens_left -= 1 if error.status == 401 else 0
                    if error.status != 401 or not tokens_left:
                        raise
                    self._forget(token)

        return self._persist(with_token, repeatable=method == "GET" or REQUEST_ID in sent)

    def http_call(self, url: str, method: str, **kwargs: Any) -> Json:
        """Send one request with `data` and `headers`. Raises PayPalError. Nothing of the request is logged."""
        headers = {"Accept": "application/json", "User-Agent": self.user_agent, **kwargs.pop("headers", {})}
        try:
            response = self._session().request(
                method,
                url,
                headers=headers,
                timeout=patience.timeouts(),
                allow_redirects=False,
                proxies=self.proxies,
                **kwargs,
            )
        except requests.RequestException as error:
            # Not chained, because the exception of requests contains the token.
            failure = PayPalError(0, type(error).__name__, may_have_happened=not _reached_nobody(error))
            raise failure from None
        return _content(response)

    def _session(self) -> requests.Session:
        if not hasattr(self._of_thread, "session"):
            self._of_thread.session = new_session()
        session: requests.Session = self._of_thread.session
        return session

    def _new_token(self) -> Json:
        token = self.http_call(
            f"{self.token_endpoint}/v1/oauth2/token",
            "POST",
            data="grant_type=client_credentials",
            headers={
                "Authorization": f"Basic {self.basic_auth()}",
                "Content-Type": "application/x-www-form-urlencoded",
            },
        )
        if not isinstance(token.get("access_token"), str) or not isinstance(token.get("expires_in"), int):
            raise PayPalError(200, "UNREADABLE_TOKEN")
        return token

    def _forget(self, token: Json) -> None:
        with self._token_lock:
            # Another thread may have fetched a new one by now.
            if self.token_hash is not None and self.token_hash["access_token"] == token["access_token"]:
                self.token_hash = None

    def _persist(self, call: Callable[[], Json], *, repeatable: bool) -> Json:
        happened = False
        for tries in count():
            try:
                return call()
            except PayPalError as error:
                # If the third try is refused, the first may still have had an effect.
                happened = error.may_have_happened = happened or error.may_have_happened
                pause = error.retry_after if error.retry_after is not None else RETRY_PAUSE * 2**tries
                is_passing = error.retryable and not error.was_repeated
                if not (repeatable and is_passing and tries < RETRIES and _has_time(pause)):
                    raise
                logger.info("paypal asked again", extra={"status": error.status, "debug_id": error.debug_id})
                self._sleep(pause)
        raise AssertionError("unreachable")


def _has_time(pause: float) -> bool:
    return pause <= LONGEST_PAUSE and patience.allows_another_try(pause)


def _reached_nobody(error: BaseException) -> bool:
    """Whether a request failed before anything was sent: connection refused, unknown host, no connection in time."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ConnectionRefusedError | socket.gaierror | requests.ConnectTimeout):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def _content(response: requests.Response) -> Json:
    body = _object(response)
    if 200 <= response.status_code < 300:
        if body is None:
            # The request had its effect, but the answer was lost on the way.
            raise PayPalError(response.status_code, "UNREADABLE", debug_id=_debug_id(response), may_have_happened=True)
        return body
    body = body or {}
    details = body.get("details")
    detail = details[0] if isinstance(details, list) and details and isinstance(details[0], dict) else {}
    retry_after = response.headers.get("Retry-After", "")
    raise PayPalError(
        response.status_code,
        _word(body.get("name") or body.get("error")),
        issue=_word(detail.get("issue")),
        debug_id=_debug_id(response) or _word(body.get("debug_id")),
        retry_after=int(retry_after) if re.fullmatch(r"[0-9]{1,6}", retry_after) else None,
        may_have_happened=response.status_code >= 500 or response.status_code in LEAVES_OPEN,
        redirect_url=link(body, "redirect", "payer-action", "approve"),
    )


def _object(response: requests.Response) -> Json | None:
    """The JSON object of an answer; {} for an empty answer, None for anything else."""
    if not response.content:
        return {}
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _debug_id(response: requests.Response) -> str:
    return _word(response.headers.get("PayPal-Debug-Id"))


def _word(value: object) -> str:
    """PayPal's word, safe for a log line."""
    return re.sub(r"[^\w.-]", "", value)[:64] if isinstance(value, str) else ""


def link(body: Json, *relations: str) -> str:
    """The address of the first link with one of these relations, in this order; empty if there is none."""
    links = body.get("links")
    found = {entry.get("rel"): entry.get("href") for entry in links or [] if isinstance(entry, dict)}
    return next((href for relation in relations if isinstance(href := found.get(relation), str)), "")
