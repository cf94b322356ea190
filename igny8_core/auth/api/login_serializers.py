"""What goes into logging in, one's own profile, and the links of mails."""

from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    MAX_TOKEN_INPUT,
    EmailAddressField,
    SecretField,
)
from igny8_core.common.api.serializers import StrictSerializer


class LoginInput(StrictSerializer):
    email = EmailAddressField(help_text="With which the person signed up; capitals do not matter")
    password = SecretField(max_length=MAX_PASSWORD_INPUT)


class RefreshInput(StrictSerializer):
    refresh = SecretField(
        max_length=MAX_TOKEN_INPUT, help_text="The refresh token of the last login or refresh; it is good once"
    )


class PasswordChangeInput(StrictSerializer):
    current_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password until now")
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password from now on")


class PasswordResetInput(StrictSerializer):
    email = EmailAddressField(help_text="Where the link is sent, if somebody has that address")


class PasswordResetConfirmInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="From the link of the e-mail")
    new_password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="The password from now on")


class EmailVerifyInput(StrictSerializer):
    token = SecretField(max_length=MAX_TOKEN_INPUT, help_text="From the link of the e-mail")
