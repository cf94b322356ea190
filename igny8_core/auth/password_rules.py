"""Our password rule in addition to Django's (settings.AUTH_PASSWORD_VALIDATORS)."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError


class MaximumLengthValidator:
    """Allows at most 256 characters: enough for any pass phrase, and quick to hash."""

    max_length = 256

    def validate(self, password: str, user: AbstractBaseUser | None = None) -> None:
        if len(password) > self.max_length:
            raise ValidationError(f"This password is too long. Use at most {self.max_length} characters.")

    def get_help_text(self) -> str:
        return f"Your password can have at most {self.max_length} characters."
