"""A person's second factor: putting it on, new recovery codes, and the ways to take it off."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.errors import (
    EmailNotVerified,
    NoEnrolment,
    OwnSecondFactor,
    SecondFactorCompulsory,
    SecondFactorOff,
    SuperusersOnly,
)
from igny8_core.auth.models import LoginSession, RecoveryCode, SecondFactor, User
from igny8_core.auth.services.one_time_codes import (
    count_try,
    give_recovery_codes,
    new_secret,
    opened_secret,
    otpauth_address,
    sealed,
    step_of_code,
    typed_secret,
)
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events

WRONG_FIRST_CODE = gettext_noop(
    "This is not the code that the app shows now. Wait for its next code and type that. If it is refused too, set the "
    "clock of your device by the network."
)


@dataclass(frozen=True)
class Enrolment:
    """What a device needs once: the secret to type, or the same in the address behind the QR code."""

    secret: str
    address: str


@dataclass(frozen=True)
class FactorState:
    """Whether a person's second factor is on, whether it has to be, and how many recovery codes are left."""

    is_on: bool
    is_compulsory: bool
    recovery_codes_left: int


def is_compulsory_for(user: User) -> bool:
    """Whether this person uses their powers with a second factor only."""
    return bool(settings.OPERATORS_NEED_SECOND_FACTOR and user.is_staff)


def factor_state(user: User) -> FactorState:
    """How it stands with a person's second factor."""
    left = RecoveryCode.objects.filter(user=user, used_at=None).count() if user.second_factor_since else 0
    return FactorState(user.second_factor_since is not None, is_compulsory_for(user), left)


@service_transaction
def begin_enrolment(user: User) -> Enrolment:
    """A new secret for a device. Nothing changes until `finish_enrolment` gets a code of it; an older device goes on.

    Raises EmailNotVerified for a customer whose address is not: it may be somebody else's, who would be locked out.
    """
    if not user.email_verified_at and not user.is_staff:
        raise EmailNotVerified()
    secret = new_secret()
    facts = {"pending": sealed(secret), "updated_at": clock.now()}
    SecondFactor.objects.update_or_create(user=user, defaults=facts)
    return Enrolment(typed_secret(secret), otpauth_address(user, secret))


def enrolment_of(user: User) -> Enrolment | None:
    """The enrolment that waits for its first code; None where there is none."""
    factor = SecondFactor.objects.filter(user=user).first()
    secret = opened_secret(factor.pending) if factor else None
    return Enrolment(typed_secret(secret), otpauth_address(user, secret)) if secret else None


@service_transaction
def drop_enrolment(user: User) -> None:
    """Forget a device that waits for its first code; one that is in use stays."""
    SecondFactor.objects.filter(user=user).update(pending="", updated_at=clock.now())


def finish_enrolment(user: User, code: str, kept_session: str = "") -> list[str]:
    """Put the second factor on, with the first code of the new device; returns the recovery codes, this once.

    All other sessions end: they began without the device. Raises NoEnrolment, InvalidInput for a wrong code,
    TooManyTries.
    """
    count_try("second_factor", user)
    return _finish(user, "".join(code.split()), kept_session)


@service_transaction
def _finish(user: User, code: str, kept_session: str) -> list[str]:
    factor = SecondFactor.objects.filter(user=user).first()
    secret = opened_secret(factor.pending) if factor else None
    if factor is None or secret is None:
        raise NoEnrolment()
    step = step_of_code(secret, code)
    if step is None:
        raise InvalidInput(errors={"otp": [WRONG_FIRST_CODE]})
    # One conditional UPDATE: the same code sent twice at once puts it on once.
    waiting = SecondFactor.objects.filter(user=user, pending=factor.pending)
    if not waiting.update(secret=factor.pending, pending="", last_step=step, updated_at=clock.now()):
        raise NoEnrolment()
    replaced = user.second_factor_since is not None
    user.second_factor_since = clock.now()
    user.save(update_fields=["second_factor_since"])
    sessions = LoginSession.objects.filter(user=user, ended_at=None)
    others = sessions.exclude(pk=kept_session) if kept_session else sessions
    others.update(ended_at=clock.now(), ended_reason="second_factor_on")
    events.record(events.about("second_factor.enabled", user, user, {"replaced": replaced}))
    return give_recovery_codes(user)


@service_transaction
def renew_recovery_codes(user: User) -> list[str]:
    """New recovery codes; the old ones stop working. Raises SecondFactorOff."""
    if user.second_factor_since is None:
        raise SecondFactorOff()
    events.record(events.about("recovery_codes.renewed", user, user))
    return give_recovery_codes(user)


@service_transaction
def switch_off(user: User) -> None:
    """Take one's own second factor off. Raises SecondFactorOff, SecondFactorCompulsory."""
    if user.second_factor_since is None:
        raise SecondFactorOff()
    if is_compulsory_for(user):
        raise SecondFactorCompulsory()
    forget_second_factor(user)
    events.record(events.about("second_factor.disabled", user, user))


@service_transaction
def reset_second_factor(person: User, operator: User | None) -> None:
    """Take the second factor off somebody who has lost device and recovery codes; all their sessions end.

    `operator` is None for the command on the server. Raises OwnSecondFactor, SuperusersOnly, SecondFactorOff.
    """
    if operator and operator.pk == person.pk:
        raise OwnSecondFactor()
    if operator and (person.is_staff or person.is_superuser) and not operator.is_superuser:
        raise SuperusersOnly()
    if person.second_factor_since is None:
        raise SecondFactorOff(_("This person has no second factor, so there is nothing to take away."))
    forget_second_factor(person)
    end_sessions(person, "second_factor_reset")
    events.record(events.about("second_factor.reset", person, operator))


@service_transaction
def forget_second_factor(user: User) -> None:
    """Delete secret and recovery codes of a person, who needs no code from now on."""
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    user.second_factor_since = None
    user.save(update_fields=["second_factor_since"])
