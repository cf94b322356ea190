"""Login sessions: opening them, rotating their tokens, ending them."""

import hmac
import logging
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.hashers import make_password
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.errors import InvalidCredentials, InvalidToken
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.selectors import live_session, user_by_email
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events

logger = logging.getLogger(__name__)
ENDED_ROWS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class TokenPair:
    """An access token for 15 minutes, and a refresh token that can be exchanged once for a new pair."""

    access: str
    refresh: str


def log_in(email: str, password: str) -> tuple[User, TokenPair]:
    """Check e-mail address and password, and open a session.

    Raises InvalidCredentials, after the same time whether the address is known or not.
    """
    user = user_by_email(email)
    if user is None or not user.has_usable_password():
        make_password(password)
        raise InvalidCredentials()
    if not user.check_password(password) or not user.is_active:
        logger.warning("authn_login_fail", extra={"user": user.pk})
        raise InvalidCredentials()
    return user, open_session(user)


def open_session(user: User) -> TokenPair:
    """Open a session for a user who has just proven who they are."""
    session_id, token_id = uuid.uuid4(), secrets.token_hex(32)
    pair = _pair(user, session_id, token_id)
    LoginSession.objects.create(
        id=session_id, user=user, current_token=token_id, expires_at=clock.now() + RefreshToken.lifetime
    )
    return pair


def rotate_session(refresh: str) -> TokenPair:
    """Exchange a refresh token for a new pair. It works once.

    An older token of the session ends the session, because somebody else may have used it. Raises InvalidToken.
    """
    token = _read_refresh(refresh)
    session = live_session(token.get("sid"))
    if session is None or not is_current_password(session.user, token.get("pwd")):
        raise InvalidToken()
    next_token = secrets.token_hex(32)
    # One conditional UPDATE: if a token is sent several times at once, one request succeeds.
    rotated = LoginSession.objects.filter(pk=session.pk, current_token=token["jti"], ended_at=None).update(
        current_token=next_token, expires_at=clock.now() + RefreshToken.lifetime
    )
    if not rotated:
        _end(session, "token_reused")
        raise InvalidToken()
    return _pair(session.user, session.pk, next_token)


def log_out(refresh: str) -> None:
    """End the session of a refresh token, if it has not ended. Raises InvalidToken for an invalid token."""
    session = live_session(_read_refresh(refresh).get("sid"))
    if session:
        _end(session, "logged_out")


@service_transaction
def end_sessions(user: User, reason: str) -> None:
    """End every session of a user, on all devices."""
    open_sessions = LoginSession.objects.filter(user_id=user.pk, ended_at=None)
    open_sessions.update(ended_at=clock.now(), ended_reason=reason)


@service_transaction
def _end(session: LoginSession, reason: str) -> None:
    ended = LoginSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=clock.now(), ended_reason=reason)
    if ended and reason == "token_reused":
        logger.warning("authn_token_reuse", extra={"user": session.user_id, "session": str(session.pk)})
        user = session.user
        events.record(events.about("session.token_reused", user, user))


def forget_old_sessions() -> int:
    """Delete sessions that expired more than 30 days ago. Returns how many."""
    before = clock.now() - ENDED_ROWS_KEPT
    deleted, _ = LoginSession.objects.filter(expires_at__lt=before).delete()
    return deleted


def is_current_password(user: User, fingerprint: object) -> bool:
    """Whether a token was issued with the user's current password."""
    return isinstance(fingerprint, str) and hmac.compare_digest(fingerprint, password_fingerprint(user.password))


def _pair(user: User, session_id: uuid.UUID, token_id: str) -> TokenPair:
    refresh, access = RefreshToken(), AccessToken()
    refresh["jti"] = token_id
    for token in (refresh, access):
        token["sid"], token["sub"], token["pwd"] = str(session_id), str(user.pk), password_fingerprint(user.password)
    return TokenPair(str(access), str(refresh))


def _read_refresh(refresh: str) -> RefreshToken:
    try:
        return RefreshToken(refresh)  # type: ignore[arg-type]
    except TokenError as error:
        raise InvalidToken() from error
