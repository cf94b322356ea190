"""Authenticator apps of people, which show codes."""

import base64
from dataclasses import dataclass

from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.auth.services.one_time_codes import STEP_SECONDS, code_at
from igny8_core.auth.services.second_factor import begin_enrolment, finish_enrolment
from igny8_core.common import clock


@dataclass
class Device:
    """Holds the secret; `recovery_codes` were shown when it was set up."""

    secret: bytes
    recovery_codes: list[str]

    def code(self, steps: int = 0) -> str:
        """The code that it shows now, or `steps` half minutes later."""
        return code_at(self.secret, int(clock.now().timestamp()) // STEP_SECONDS + steps)


def secret_of(typed: str) -> bytes:
    """The secret as an app reads it from what a person types."""
    return base64.b32decode(typed.replace(" ", ""))


def give_second_factor(person: User) -> Device:
    """Put a second factor on somebody; its first code belongs to the half minute before, so that now's is unused."""
    if person.email_verified_at is None:
        person.email_verified_at = timezone.now()
        person.save(update_fields=["email_verified_at"])
    secret = secret_of(begin_enrolment(person).secret)
    device = Device(secret, [])
    device.recovery_codes = finish_enrolment(person, device.code(-1))
    return device
