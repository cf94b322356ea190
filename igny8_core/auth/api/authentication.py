"""Who is calling: a bearer token, checked by one prepared statement, or the cookie of our pages."""

import hmac
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from igny8_core.auth.callers import Caller, Reading, caller_of_session, password_fingerprint
from igny8_core.auth.services.page_sessions import person_of_cookie, session_id_of_cookie
from igny8_core.auth.session_cookie import cookie_of
from igny8_core.common import clock
from igny8_core.common.languages import speak
from igny8_core.common.marks import gettext_noop

NOT_OUR_PAGE = gettext_noop("This request did not come from a page of ours. Load the page again and repeat it.")
NOT_VALID = gettext_noop("This token is not valid or has run out. Log in or refresh it.")


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; where there is one, no cookie is looked at.

    A token is valid while its session has not ended, its user is active and the password is unchanged since it was
    issued. The same statement reads the user with account and plan. A view that needs just the session (permissions,
    the id of the account) sets `reads_person = False`; the user is then read when somebody asks for it. A view that
    programs call all day gives a Reading instead, `reading(request)`: the same statement reads its whole answer.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        view = (request.parser_context or {}).get("view")
        asked: Callable[[Request], Reading | None] | None = getattr(view, "reading", None)
        reading = asked(request) if asked else None
        return self._caller(token.strip(), reading, with_person=getattr(view, "reads_person", True)), None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def _caller(self, raw: bytes, reading: Reading | None, *, with_person: bool) -> Caller:
        try:
            claims = _claims(raw)
        except TokenError as error:
            raise AuthenticationFailed(NOT_VALID) from error
        if claims.expires_at <= clock.now().timestamp():
            raise AuthenticationFailed(NOT_VALID)
        found = caller_of_session(claims.session, with_person=with_person, reading=reading)
        if found is None or not _is_current(claims.password, found.password):
            raise AuthenticationFailed(gettext("This session has ended. Log in again."))
        speak(found.caller.language)
        return found.caller


class PageSessionAuthentication(BaseAuthentication):
    """The cookie of who is signed in on our pages, whose scripts call the API with it.

    Browsers send cookies by themselves, so what changes something must also show that it comes from a page of ours:
    with the header X-CSRFToken, as each form of ours has it in a hidden field.
    """

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        cookie = cookie_of(request._request)
        person = person_of_cookie(cookie)
        if person is None:
            return None
        speak(person.spoken_language)
        _require_our_page(request._request)
        return Caller.of(person, session_id_of_cookie(cookie)), None


class _Check(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _require_our_page(request: HttpRequest) -> None:
    def nothing(request: HttpRequest) -> HttpResponse:
        return HttpResponse()

    check = _Check(nothing)
    check.process_request(request)
    if check.process_view(request, nothing, (), {}):
        raise PermissionDenied(NOT_OUR_PAGE)


class Claims(NamedTuple):
    """The claims of a token that we signed; `expires_at` is in seconds since 1970."""

    session: object
    password: object
    expires_at: int


# A token comes with every request for 15 minutes, so its signature is checked once and its claims are kept. Tokens with
# a bad signature raise and are not kept. What can change before the token expires is checked at each request.
@lru_cache(maxsize=4096)
def _claims(raw: bytes) -> Claims:
    token = AccessToken(raw)  # type: ignore[arg-type]
    return Claims(token.get("sid"), token.get("pwd"), token["exp"])


def _is_current(fingerprint: object, password_hash: str) -> bool:
    return isinstance(fingerprint, str) and hmac.compare_digest(fingerprint, password_fingerprint(password_hash))


class CookieScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Says nothing of the cookie: it is for our own pages, and programs log in for a token."""

    target_class = PageSessionAuthentication
    name = "cookie"

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:
        return []

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "session"}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the authentication above in the OpenAPI document."""

    target_class = SessionTokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
