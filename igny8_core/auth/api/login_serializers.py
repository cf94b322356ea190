"""What goes into logging in, one's own profile, and the links of mails."""

from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    SecretField,
)
from igny8_core.common.api.serializers import StrictSerializer


class LoginInput(StrictSerializer):
    email = EmailAddressField()
    password = SecretField(max_length=MAX_PASSWORD_INPUT)


class RefreshInput(StrictSerializer):
    refresh = SecretField(max_length=MAX_TOKEN_INPUT)


class PasswordChangeInput(StrictSerializer):
    current_password = SecretField(max_length=MAX_PASSWORD_INPUT)
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT)


class PasswordResetInput(StrictSerializer):
    email = EmailAddressField()


class PasswordResetConfirmInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT)
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT)


class EmailVerifyInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT)
