"""Input and answers of the second factor, and of showing once more who one is."""

from rest_framework import serializers

from igny8_core.auth.api.login_serializers import MAX_CODE_INPUT
from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, SecretField
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class LoginConfirmationInput(StrictSerializer):
    password = SecretField(
        max_length=MAX_PASSWORD_INPUT, required=False, help_text="The password that you log in with; or send `otp`"
    )
    otp = SecretField(
        max_length=MAX_CODE_INPUT,
        required=False,
        help_text="A code of your second factor's device, or a recovery code; or send `password`",
    )


class LoginConfirmationOutput(OutputSerializer):
    confirmed_until = serializers.DateTimeField(help_text="Until when nothing of this session asks again")


class FirstCodeInput(StrictSerializer):
    otp = SecretField(max_length=MAX_CODE_INPUT, help_text="The code that the new device shows now")


class FactorStateOutput(OutputSerializer):
    is_on = serializers.BooleanField(help_text="Whether logging in needs a code")
    is_compulsory = serializers.BooleanField(help_text="Whether it has to be on: for operators, by a setting")
    recovery_codes_left = serializers.IntegerField(help_text="How many recovery codes are unused")


class EnrolmentOutput(OutputSerializer):
    secret = serializers.CharField(help_text="What to type into an authenticator app that reads no QR code")
    address = serializers.CharField(help_text="The otpauth:// address: the same for a QR code")


class RecoveryCodesOutput(OutputSerializer):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Each stands in for the device once. They are shown this once: keep them apart from the device",
    )
