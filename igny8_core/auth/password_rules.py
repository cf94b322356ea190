"""Our password rules in addition to Django's (settings.AUTH_PASSWORD_VALIDATORS), and which operators break one.

A password that our documents print is known to everybody (AUT-22).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.checks import CheckMessage, Error, Info, register
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import Error as DatabaseError
from django.db.models import Q

from igny8_core.auth.models import User

DEMO_OPERATOR = "admin@example.com"
DEMO_PASSWORD = "adminpass"  # noqa: S105 - printed and documented, and refused outside development
PUBLIC_PASSWORDS = (DEMO_PASSWORD, "TestPass123!")
WHAT_TO_DO = (
    "Everybody can read it in our documents. Change it with `manage.py changepassword {email}`, or take the login away "
    "(in the console under Users: switch off “Active”)."
)


class MaximumLengthValidator:
    """Allows at most 256 characters: enough for any pass phrase, and quick to hash."""

    max_length = 256

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(f"This password is too long. Use at most {self.max_length} characters.")

    def get_help_text(self) -> str:
        return f"Your password can have at most {self.max_length} characters."


class PublicPasswordValidator:
    """Refuses, in production, the passwords that our documents and examples print."""

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        known = {public.casefold() for public in PUBLIC_PASSWORDS}
        if settings.STRICT_PASSWORDS and password.casefold() in known:
            raise ValidationError(
                "This password is an example in our documents, so everybody knows it. Choose another."
            )

    def get_help_text(self) -> str:
        return "Your password cannot be one that our documents show as an example."


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
