"""Bearer tokens: who is calling, checked against the database in one query."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken

from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.selectors import live_session
from igny8_core.auth.services.session_service import is_current_password


class SessionTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`; no cookie is ever looked at, so there is nothing to forge across sites.

    A token is good while its session lives, its user is active and the password is the one it was made under.
    """

    def authenticate(self, request: Request) -> tuple[User, LoginSession] | None:
        scheme, _, token = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        session = self._session(token.strip())
        return session.user, session

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'

    def _session(self, raw: bytes) -> LoginSession:
        try:
            token = AccessToken(raw)  # type: ignore[arg-type]
        except TokenError as error:
            raise AuthenticationFailed("This token is not valid or has run out. Log in or refresh it.") from error
        session = live_session(token.get("sid"))
        if session is None or not is_current_password(session.user, token.get("pwd")):
            raise AuthenticationFailed("This session has ended. Log in again.")
        return session


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the API description names the authentication above."""

    target_class = SessionTokenAuthentication
    name = "bearer"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
