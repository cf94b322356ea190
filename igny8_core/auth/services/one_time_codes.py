"""Codes of a person's device (TOTP, RFC 6238) and recovery codes: made, sealed, and each taken once (AUT-30)."""

import base64
import hashlib
import hmac
import secrets
from urllib.parse import quote, urlencode

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.translation import ngettext
from django_otp.oath import hotp

from igny8_core.auth.callers import password_fingerprint
from igny8_core.auth.errors import SecondFactorRequired, SecondFactorWrong, TooManyTries
from igny8_core.auth.models import RecoveryCode, SecondFactor, User
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.rate_limits import seconds_to_wait
from igny8_core.common.security_log import security_event
from igny8_core.common.signed_texts import keys
from igny8_core.events import services as events

STEP_SECONDS, DIGITS, SECRET_BYTES = 30, 6, 20
# A device's clock may be half a minute off.
DRIFTS = (0, -1, 1)
RECOVERY_CODES = 10
# No letters that look like others. Sixteen of them are 79 bits, so their hash needs no slow hashing.
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
RECOVERY_LENGTH, RECOVERY_GROUP = 16, 4


def require_code(user: User, code: str) -> None:
    """Refuse whoever has a second factor and sends no good code of it. A code is taken once; so is a recovery code.

    Raises SecondFactorRequired without a code, SecondFactorWrong, TooManyTries.
    """
    if user.second_factor_since is None:
        return
    if not code.strip():
        raise SecondFactorRequired()
    count_try("second_factor", user)
    typed = _plain(code)
    if not (_take_code(user, typed) or _take_recovery_code(user, typed)):
        security_event("authn_login_fail", "failure", user=user.pk, account=user.account_id, step="second factor")
        raise SecondFactorWrong()


def count_try(scope: str, user: User) -> None:
    """Count a try of a person to show who they are, over all processes and doors. Raises TooManyTries."""
    if not settings.THROTTLING:
        return
    # Whoever guesses at codes knows the password: a new one, which they do not know, gives the person all tries back.
    who = f"user {user.pk} {password_fingerprint(user.password)}" if scope == "second_factor" else f"user {user.pk}"
    wait = seconds_to_wait(scope, who)
    if wait:
        raise TooManyTries(
            ngettext(
                "Too many tries in a short time. Try again in %(wait)s second.",
                "Too many tries in a short time. Try again in %(wait)s seconds.",
                wait,
            )
            % {"wait": wait},
            retry_after=wait,
        )


def new_secret() -> bytes:
    """A secret for a device."""
    return secrets.token_bytes(SECRET_BYTES)


def typed_secret(secret: bytes) -> str:
    """The secret as people type it into their app: letters and digits, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def otpauth_address(user: User, secret: bytes) -> str:
    """What an authenticator app reads from the QR code: the secret, and what it is for."""
    issuer = settings.COMPANY_NAME.replace(":", " ")
    facts = {"secret": base64.b32encode(secret).decode(), "issuer": issuer}
    return f"otpauth://totp/{quote(f'{issuer}:{user.email}')}?{urlencode(facts, quote_via=quote)}"


def step_of_code(secret: bytes, code: str) -> int | None:
    """The half minute that a code belongs to, if it is one of this secret and of now; else None."""
    if not (len(code) == DIGITS and code.isascii() and code.isdigit()):
        return None
    now = int(clock.now().timestamp()) // STEP_SECONDS
    fitting = [now + drift for drift in DRIFTS if hmac.compare_digest(code_at(secret, now + drift), code)]
    return fitting[0] if fitting else None


def code_at(secret: bytes, step: int) -> str:
    """The code of a half minute, counted since 1970."""
    return f"{hotp(secret, step, DIGITS):0{DIGITS}d}"


def sealed(secret: bytes) -> str:
    """The secret as it is stored. Only the server's keys open it."""
    return _seal().encrypt(secret).decode()


def opened_secret(text: str) -> bytes | None:
    """The secret in a sealed text; None where it is empty, or its key was taken off the server."""
    try:
        return _seal().decrypt(text.encode()) if text else None
    except InvalidToken:
        return None


@service_transaction
def give_recovery_codes(user: User) -> list[str]:
    """New recovery codes in place of all that there are; they can be read now, and never again."""
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(RECOVERY_LENGTH)) for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, digest=_digest(user, code)) for code in codes])
    return [_in_groups(code) for code in codes]


def _take_code(user: User, code: str) -> bool:
    factor = SecondFactor.objects.filter(user=user).first()
    secret = opened_secret(factor.secret) if factor else None
    step = step_of_code(secret, code) if secret else None
    if factor is None or secret is None or step is None:
        return False
    # One conditional UPDATE: of two logins with one code the row count lets one through. It also seals the secret with
    # the newest key.
    unused = SecondFactor.objects.filter(user=user, secret=factor.secret, last_step__lt=step)
    return bool(unused.update(last_step=step, secret=sealed(secret)))


@service_transaction
def _take_recovery_code(user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(user=user, digest=_digest(user, code), used_at=None)
    if len(code) != RECOVERY_LENGTH or not unused.update(used_at=clock.now()):
        return False
    left = RecoveryCode.objects.filter(user=user, used_at=None).count()
    events.record(events.about("recovery_code.used", user, user, {"left": left}))
    return True


def _plain(code: str) -> str:
    """A code as it was typed, without what people put between its parts."""
    return "".join(character for character in code.lower() if character not in "- \t\u00a0")


def _in_groups(code: str) -> str:
    return "-".join(code[at : at + RECOVERY_GROUP] for at in range(0, len(code), RECOVERY_GROUP))


def _digest(user: User, code: str) -> str:
    return hashlib.sha256(f"igny8 recovery code|{user.pk}|{code}".encode(errors="replace")).hexdigest()


def _seal() -> MultiFernet:
    made = (hashlib.sha256(f"igny8_core.auth.second_factor|{key}".encode()).digest() for key in keys())
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in made])
