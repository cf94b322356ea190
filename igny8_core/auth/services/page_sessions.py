"""Being signed in on our pages: a LoginSession that a cookie finds, in place of tokens that a program keeps."""

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta

from django.conf import settings

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.selectors import live_session
from igny8_core.common import clock

# A session that is in use is written down once in so long, not with every page.
NOTED_EVERY = timedelta(minutes=1)


def open_page_session(user: User, browser: str = "") -> str:
    """Start a session for a user who has just proven who they are; returns the value of its cookie.

    `browser`: what its owner knows it by (devices.py).
    """
    session_id, secret = uuid.uuid4(), secrets.token_urlsafe(32)
    LoginSession.objects.create(
        id=session_id,
        user=user,
        current_token=_mark(secret, user),
        browser=browser,
        expires_at=clock.now() + settings.PAGE_SESSION_IDLE,
    )
    return f"{session_id.hex}.{secret}"


def person_of_cookie(value: str, *, is_use: bool = True) -> User | None:
    """Who is signed in with this cookie, with account and plan; None once the session has ended in any way.

    The row has a mark of the cookie's secret and of the password: a new password ends the session with it.
    `is_use` False: a script asks by itself, which keeps nobody signed in who has gone away.
    """
    session = _session(value)
    if session is None:
        return None
    if is_use:
        _note_use(session)
    return session.user


def session_id_of_cookie(value: str) -> str:
    """The id of the session that a cookie names; empty for a cookie that names none."""
    try:
        return str(uuid.UUID(value.partition(".")[0]))
    except ValueError:
        return ""


def end_page_session(value: str) -> None:
    """Sign out; a session that has ended already stays as it is."""
    session = _session(value)
    if session:
        LoginSession.objects.filter(pk=session.pk, ended_at=None).update(
            ended_at=clock.now(), ended_reason="logged_out"
        )


def _session(value: str) -> LoginSession | None:
    session_id, _, secret = value.partition(".")
    session = live_session(session_id) if secret else None
    if session is None or not hmac.compare_digest(session.current_token, _mark(secret, session.user)):
        return None
    now = clock.now()
    is_over = now >= session.expires_at or now >= session.created_at + settings.PAGE_SESSION_MAX_AGE
    return None if is_over else session


def _mark(secret: str, user: User) -> str:
    return hashlib.sha256(f"{secret}|{password_fingerprint(user.password)}".encode(errors="replace")).hexdigest()


def _note_use(session: LoginSession) -> None:
    now = clock.now()
    until = min(now + settings.PAGE_SESSION_IDLE, session.created_at + settings.PAGE_SESSION_MAX_AGE)
    if until - session.expires_at >= NOTED_EVERY:
        LoginSession.objects.filter(pk=session.pk, ended_at=None).update(expires_at=until, used_at=now)
