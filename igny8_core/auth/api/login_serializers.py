"""Input of logging in, of the own profile, and of e-mailed tokens."""

from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    SecretField,
)
from igny8_core.common.api.serializers import StrictSerializer

MAX_CODE_INPUT = 50


class LoginInput(StrictSerializer):
    email = EmailAddressField(help_text="The e-mail address that the person signed up with, in any case")
    password = SecretField(max_length=MAX_PASSWORD_INPUT)
    otp = SecretField(
        max_length=MAX_CODE_INPUT,
        required=False,
        allow_blank=True,
        help_text="For who has a second factor: the code of their device, or a recovery code",
    )


class RefreshInput(StrictSerializer):
    refresh = SecretField(
        max_length=MAX_TOKEN_INPUT, help_text="The refresh token of the last login or refresh; it works once"
    )


class PasswordChangeInput(StrictSerializer):
    current_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password that you log in with now")
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password to log in with from now on")


class PasswordResetInput(StrictSerializer):
    email = EmailAddressField(help_text="The link is sent to this address, if a login has it")


class PasswordResetConfirmInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="The token in the e-mailed link")
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password to log in with from now on")


class EmailVerifyInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="The token in the e-mailed link")
