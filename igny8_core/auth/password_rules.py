"""Our password rules in addition to Django's (settings.AUTH_PASSWORD_VALIDATORS), and which operators break one.

A password that our documents print is known to everybody (AUT-22), and one that leaked is tried first (AUT-16).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.checks import CheckMessage, Error, Info, register
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import Error as DatabaseError
from django.db.models import Q
from django.utils.translation import gettext as _

from igny8_core.auth.models import User

DEMO_OPERATOR = "admin@example.com"
DEMO_PASSWORD = "adminpass"  # noqa: S105 - printed and documented, and refused outside development
PUBLIC_PASSWORDS = (
    DEMO_PASSWORD,
    "TestPass123!",
    "long and unusual 7",
    "old long and unusual 7",
    "new long and unusual 8",
)
# What people write in place of letters. A 1 stands for i and for l.
IN_PLACE_OF = [str.maketrans("0134578@$!|", f"o{one}eastbas{one}{one}") for one in "il"]
SEPARATORS = re.compile(r"[\s._-]+")
SIGNS_BEFORE = "0123456789!?#*+$%&/()="
SHORTEST_WORD = 4
WHAT_TO_DO = (
    "Everybody can read it in our documents. Change it with `manage.py changepassword {email}`, or take the login away "
    "(in the console under Users: switch off “Active”)."
)


class MaximumLengthValidator:
    """Allows at most 256 characters: enough for any pass phrase, and quick to hash."""

    max_length = 256

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(
                _("This password is too long. Use at most %(max_length)s characters.") % {"max_length": self.max_length}
            )

    def get_help_text(self) -> str:
        return _("Your password can have at most %(max_length)s characters.") % {"max_length": self.max_length}


class PublicPasswordValidator:
    """Refuses, in production, the passwords that our documents and examples print."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if settings.STRICT_PASSWORDS and _is_public(password):
            raise ValidationError(
                _("This password is an example in our documents, so everybody knows it. Choose another.")
            )

    def get_help_text(self) -> str:
        return _("Your password cannot be one that our documents show as an example.")


class LeakedPasswordValidator(CommonPasswordValidator):
    """Refuses the 20,000 passwords of Django's list, two of them in a row, and one with digits and signs around it.

    The list has what leaked most often, and our shortest password is longer than nearly all of it. So whoever wants one
    of them makes it longer: Sunshine2026!, P@ssw0rd1234, qwertyqwerty. docs/adr/0014-leaked-passwords.md says why no
    larger list ships. Passwords of our documents are left to PublicPasswordValidator.
    """

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        plain = SEPARATORS.sub("", password.casefold())
        forms = {password.casefold(), plain, plain.lstrip(SIGNS_BEFORE)}
        if not _is_public(password) and any(self._is_leaked(form) for form in forms):
            raise ValidationError(
                _(
                    "This password, or most of it, is on the lists of leaked passwords that are tried first. Choose "
                    "another: a sentence that only you think of works well."
                ),
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        return _("Your password cannot be one that has leaked, with or without digits and signs around it.")

    def _is_leaked(self, text: str) -> bool:
        # Each place in the translated text is the same place in the text.
        words = {text, *(text.translate(table) for table in IN_PLACE_OF)}
        return any(word in self.passwords or self._is_lengthened(word, text) for word in words)

    def _is_lengthened(self, word: str, text: str) -> bool:
        heads = (at for at in range(SHORTEST_WORD, len(word)) if word[:at] in self.passwords)
        return any(
            {word[at:], text[at:]} & self.passwords or not any(rest.isalpha() for rest in text[at:]) for at in heads
        )


def _is_public(password: str) -> bool:
    return password.casefold() in {public.casefold() for public in PUBLIC_PASSWORDS}


@register(deploy=True)
def check_operators_passwords(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """No operator who can log in has a password that our documents print."""
    if not settings.STRICT_PASSWORDS:
        return []
    try:
        found = _with_public_password(User.objects.filter(Q(is_staff=True) | Q(is_superuser=True), is_active=True))
    except DatabaseError:
        text = "The operators' passwords were not looked at, because the database does not answer or has no tables yet."
        return [Info(text, hint="Run the check again when it does.", id="igny8_auth.I001")]
    return [
        Error(f"The operator {user} has a public password.", hint=WHAT_TO_DO.format(email=user), id="igny8_auth.E001")
        for user in found
    ]


def refuse_demo_operator() -> None:
    """Raise ImproperlyConfigured if the demo operator can log in with a public password, and this is no development.

    For the start, so it looks at one login. The deployment check looks at all operators. Without a database nobody can
    log in, and the server may start before it.
    """
    if not settings.STRICT_PASSWORDS:
        return
    try:
        found = _with_public_password(User.objects.filter(email=DEMO_OPERATOR, is_active=True))
    except DatabaseError:
        return
    if found:
        raise ImproperlyConfigured(
            f"The demo operator {DEMO_OPERATOR} has a public password. {WHAT_TO_DO.format(email=DEMO_OPERATOR)}"
        )


def _with_public_password(users: Iterable[User]) -> list[User]:
    return [user for user in users if any(user.check_password(password) for password in PUBLIC_PASSWORDS)]
