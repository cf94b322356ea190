"""Confirming who one is once more, in the middle of a login: before money goes back, payee details change and so on."""

from datetime import datetime, timedelta

from django.conf import settings

from igny8_core.auth.errors import SecondFactorRequired, SecondFactorWrong
from igny8_core.auth.models import LoginSession, User
from igny8_core.auth.services.one_time_codes import count_try, require_code
from igny8_core.auth.services.users import check_own_password
from igny8_core.common import clock
from igny8_core.common.errors import InvalidInput
from igny8_core.common.marks import gettext_noop

NOTHING_SENT = gettext_noop("Send your password, or a code of your second factor.")
NO_FACTOR = gettext_noop("You have no second factor, so there are no codes. Send your password.")
WRONG_CODE = gettext_noop(
    "This is not a code of your device now, or it was used already. Wait for the next one, or use a recovery code."
)


def prove(user: User, *, password: str = "", otp: str = "") -> None:
    """Check that it is the person: by their password, or a code of their second factor.

    Raises InvalidInput naming the field, TooManyTries.
    """
    if otp:
        if user.second_factor_since is None:
            raise InvalidInput(errors={"otp": [NO_FACTOR]})
        try:
            require_code(user, otp)
        except (SecondFactorRequired, SecondFactorWrong):
            raise InvalidInput(errors={"otp": [WRONG_CODE]}) from None
        return
    if not password:
        raise InvalidInput(errors={"password": [NOTHING_SENT]})
    count_try("password", user)
    check_own_password(password, user)


def confirm_session(session_id: str, user: User, *, password: str = "", otp: str = "") -> datetime:
    """Note that the person of a login session has just shown who they are; returns until when that holds.

    Raises as `prove`.
    """
    prove(user, password=password, otp=otp)
    now = clock.now()
    LoginSession.objects.filter(pk=session_id, user=user, ended_at=None).update(confirmed_at=now)
    return now + settings.CONFIRMATION_AGE


def is_session_confirmed(session_id: str) -> bool:
    """Whether the person showed who they are in this session a short time ago. The login itself counts."""
    if not settings.CONFIRMATION_AGE:
        return True
    session = LoginSession.objects.filter(pk=session_id, ended_at=None).first() if session_id else None
    return session is not None and is_fresh((session.confirmed_at or session.created_at).timestamp())


def is_fresh(at: float) -> bool:
    """Whether somebody who showed who they are at this time (seconds since 1970) need not do so again."""
    age: timedelta = settings.CONFIRMATION_AGE
    return not age or clock.now().timestamp() < at + age.total_seconds()
