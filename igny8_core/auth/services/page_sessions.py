"""Being signed in on our pages: a LoginSession that a cookie finds, in place of tokens that a program keeps."""

import hashlib
import hmac
import secrets
import uuid
from datetime import datetime, timedelta

from django.conf import settings

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.models import CustomerLogin, LoginSession, User
from igny8_core.auth.selectors import live_session
from igny8_core.common import clock

# How the secret of an operator's cookie begins: a character that no other secret has.
OPERATORS_MARK = "~"
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


def open_operators_session(person: User, session_id: uuid.UUID, until: datetime) -> str:
    """Start a session in which an operator looks at the pages as `person`; returns the value of its cookie.

    Use does not prolong it. Its owner sees it among their logins, and can end it.
    """
    secret = OPERATORS_MARK + secrets.token_urlsafe(32)
    LoginSession.objects.create(
        id=session_id,
        user=person,
        current_token=_mark(secret, person),
        browser=f"{settings.COMPANY_NAME[:40]} support",
        expires_at=until,
    )
    return f"{session_id.hex}.{secret}"


def is_operators(value: str) -> bool:
    """Whether a cookie is that of an operator who looks at a customer's pages. Asks nothing of the database.

    Whoever takes the mark out of it has a cookie that opens nothing: the session is found by secret and mark.
    """
    return value.partition(".")[2].startswith(OPERATORS_MARK)


def person_of_cookie(value: str, *, is_use: bool = True) -> User | None:
    """Who is signed in with this cookie, with account and plan; None once the session has ended in any way.

    The row has a mark of the cookie's secret and of the password: a new password ends the session with it.
    `is_use` False: a script asks by itself, which keeps nobody signed in who has gone away.
    """
    session = _session(value)
    if session is None:
        return None
    if is_use and not is_operators(value):
        _note_use(session)
    return session.user


def session_id_of_cookie(value: str) -> str:
    """The id of the session that a cookie names; empty for a cookie that names none."""
    try:
        return str(uuid.UUID(value.partition(".")[0]))
    except ValueError:
        return ""


def is_open(value: str) -> bool:
    """Whether a cookie opens anything; one with an id that somebody has read in a list of logins does not."""
    return _session(value) is not None


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
    return None if is_over or (is_operators(value) and not _is_looked_through(session)) else session


def _is_looked_through(session: LoginSession) -> bool:
    """Whether the look that an operator's session is for goes on.

    Its operator still may look, and the person is still a customer, of the account that the look is at.
    """
    person = session.user
    look = CustomerLogin.objects.filter(session_id=session.pk, ended_at=None).select_related("operator").first()
    if look is None or look.account_id != person.account_id or person.is_staff or person.is_superuser:
        return False
    return look.operator.may_as_operator("igny8_auth.look_as_customer")


def _mark(secret: str, user: User) -> str:
    return hashlib.sha256(f"{secret}|{password_fingerprint(user.password)}".encode(errors="replace")).hexdigest()


def _note_use(session: LoginSession) -> None:
    now = clock.now()
    until = min(now + settings.PAGE_SESSION_IDLE, session.created_at + settings.PAGE_SESSION_MAX_AGE)
    if until - session.expires_at >= NOTED_EVERY:
        LoginSession.objects.filter(pk=session.pk, ended_at=None).update(expires_at=until, used_at=now)
