"""Login sessions: opening them, rotating their tokens, ending them."""

import hmac
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.devices import Place
from igny8_core.auth.errors import InvalidCredentials, InvalidToken
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.selectors import live_session, sessions_of, user_by_email
from igny8_core.auth.services.login_guard import guarded, note_place
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import NotFound
from igny8_core.common.security_log import mark_of, security_event
from igny8_core.common.text import normalized_password
from igny8_core.events import services as events

ENDED_ROWS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class TokenPair:
    """An access token for 15 minutes, and a refresh token that can be exchanged once for a new pair."""

    access: str
    refresh: str


def log_in(email: str, password: str, otp: str = "", place: Place | None = None) -> tuple[User, TokenPair]:
    """Check credentials and open a session. `otp` is a code of the second factor, of who has one.

    With a `place` the password's try is counted, and refused with TooManyRequests where there were too many
    (login_guard.py). Raises InvalidCredentials, after equal work in every case; SecondFactorRequired,
    SecondFactorWrong, TooManyTries.
    """
    if place is None:
        user = check_credentials(email, password)
    else:
        with guarded(email, place):
            user = check_credentials(email, password)
    require_code(user, otp)
    if place is not None:
        note_place(user, place)
    pair = open_session(user, place.browser if place else "")
    note_login(user, "api")
    return user, pair


def check_credentials(email: str, password: str) -> User:
    """Whose e-mail address and password these are. Raises InvalidCredentials, after equal work in every case."""
    user = user_by_email(email)
    if user is None or not user.has_usable_password():
        _take_as_long_as_a_check(password)
        _note_failed_login(email, user)
        raise InvalidCredentials()
    if not user.check_password(password) or not user.is_active:
        _note_failed_login(email, user)
        raise InvalidCredentials()
    return user


def note_login(user: User, door: str) -> None:
    """Write down that somebody has logged in. `door` is where: "api", "pages" or "console"."""
    security_event("authn_login_success", "success", user=user.pk, account=user.account_id, door=door)


def _note_failed_login(email: str, user: User | None) -> None:
    # Also of an address that nobody has: one line each is what shows that somebody tries one after the other.
    known = {"user": user.pk, "account": user.account_id} if user else {}
    security_event("authn_login_fail", "failure", address_mark=mark_of(email), **known)


def open_session(user: User, browser: str = "") -> TokenPair:
    """Start a session for a user who has just proven who they are, with what they know its browser by (devices.py)."""
    session_id, token_id, now = uuid.uuid4(), secrets.token_hex(32), clock.now()
    session = LoginSession(id=session_id, user=user, current_token=token_id, browser=browser, created_at=now)
    session.expires_at = _end_of(session)
    pair = _pair(user, session, token_id)
    session.save(force_insert=True)
    return pair


def rotate_session(refresh: str, device: str = "") -> TokenPair:
    """Exchange a refresh token for a new pair; it works once.

    An older token of the session ends the session: either the thief or the owner is holding it. Only the one just
    before is forgiven for some seconds, to the `device` that exchanged it: two tabs that refresh at once both get
    the newest token. Raises InvalidToken, also when the session is older than any may become.
    """
    token = _read_refresh(refresh)
    session = live_session(token.get("sid"))
    if session is None or not is_current_password(session.user, token.get("pwd")):
        raise InvalidToken()
    next_token, now = secrets.token_hex(32), clock.now()
    if now >= _latest_end(session):
        raise InvalidToken()
    session.expires_at = _end_of(session)
    # One conditional UPDATE: of many who send the same token at once, the row count lets one through.
    rotated = LoginSession.objects.filter(pk=session.pk, current_token=token["jti"], ended_at=None).update(
        current_token=next_token,
        previous_token=token["jti"],
        rotated_at=now,
        used_at=now,
        device=device,
        expires_at=session.expires_at,
    )
    if rotated:
        return _pair(session.user, session, next_token)
    newest = _forgiven(session, token["jti"], device)
    if newest is None:
        _end(session, "token_reused")
        raise InvalidToken()
    return _pair(session.user, session, newest)


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
def end_session(user: User, session_id: UUID) -> None:
    """End one of a user's own sessions that is open. Raises NotFound, also for somebody else's."""
    session = sessions_of(user).filter(pk=session_id).first()
    if session is None:
        raise NotFound()
    _end(session, "ended_by_user")
    security_event("authn_token_revoked", "success", user=user.pk, account=user.account_id, session=str(session.pk))


@service_transaction
def end_other_sessions(user: User, session_id: str) -> int:
    """End all of a user's sessions but this one. Returns how many."""
    others = sessions_of(user).exclude(pk=session_id)
    ended = others.update(ended_at=clock.now(), ended_reason="ended_by_user")
    security_event("authn_token_revoked", "success", user=user.pk, account=user.account_id, sessions=ended)
    return ended


@service_transaction
def _end(session: LoginSession, reason: str) -> None:
    ended = LoginSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=clock.now(), ended_reason=reason)
    if ended and reason == "token_reused":
        user = session.user
        facts = {"user": user.pk, "account": user.account_id, "session": str(session.pk)}
        security_event("authn_token_reuse", "denied", **facts)
        events.record(events.about("session.token_reused", user, user))


def forget_old_sessions() -> int:
    """Delete sessions that expired more than 30 days ago. Returns how many."""
    before = clock.now() - ENDED_ROWS_KEPT
    deleted, _ = LoginSession.objects.filter(expires_at__lt=before).delete()
    return deleted


def _take_as_long_as_a_check(password: str) -> None:
    # A password that normalizing changes is checked twice (User.check_password).
    for form in {normalized_password(password), password}:
        make_password(form)


def is_current_password(user: User, fingerprint: object) -> bool:
    """Whether a token was issued with the user's current password."""
    return isinstance(fingerprint, str) and hmac.compare_digest(fingerprint, password_fingerprint(user.password))


def _latest_end(session: LoginSession) -> datetime:
    began: datetime = session.created_at
    longest: timedelta = settings.LOGIN_MAX_AGE
    return began + longest


def _end_of(session: LoginSession) -> datetime:
    """Until when the session can be refreshed from now on."""
    idle: timedelta = RefreshToken.lifetime
    return min(clock.now() + idle, _latest_end(session))


def _forgiven(session: LoginSession, token_id: str, device: str) -> str | None:
    """The newest token, for who sends the one before it at the same moment from the same device; else None."""
    now = LoginSession.objects.filter(pk=session.pk, ended_at=None).first()
    is_same = now is not None and device != "" and (now.previous_token, now.device) == (token_id, device)
    if now is None or not is_same or now.rotated_at is None:
        return None
    return now.current_token if clock.now() - now.rotated_at <= settings.REFRESH_GRACE else None


def _pair(user: User, session: LoginSession, token_id: str) -> TokenPair:
    refresh, access = RefreshToken(), AccessToken()
    refresh["jti"], refresh["exp"] = token_id, int(session.expires_at.timestamp())
    access["exp"] = min(access["exp"], refresh["exp"])
    for token in (refresh, access):
        token["sid"], token["sub"], token["pwd"] = str(session.pk), str(user.pk), password_fingerprint(user.password)
    return TokenPair(str(access), str(refresh))


def _read_refresh(refresh: str) -> RefreshToken:
    try:
        token = RefreshToken(refresh)  # type: ignore[arg-type]
    except TokenError as error:
        raise InvalidToken() from error
    # The leeway is for the clocks of our servers, and lets no token live longer.
    if token["exp"] <= clock.now().timestamp():
        raise InvalidToken()
    return token
