"""What the API takes and gives of people, accounts and plans in more than one place."""

from typing import Any

from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType, Role, User
from igny8_core.auth.services.session_service import TokenPair
from igny8_core.common.api.fields import (
    CountryCodeField,
    EmailAddressField,
    MoneyField,
    PlainTextField,
    TimeZoneField,
)
from igny8_core.common.api.serializers import StrictSerializer


class PlanOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    price = MoneyField()
    currency = serializers.CharField()
    billing_cycle = serializers.CharField()
    included_credits = serializers.IntegerField()
    max_sites = serializers.IntegerField()
    max_users = serializers.IntegerField()
    features = serializers.ListField(child=serializers.CharField())


class IndustryOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class UserOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField(help_text="Empty for a platform operator without an account")
    is_staff = serializers.BooleanField()
    email_verified = serializers.SerializerMethodField()

    def get_email_verified(self, user: User) -> bool:
        return user.email_verified_at is not None


class AccountOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.CharField()
    plan = PlanOutput()
    credits = serializers.IntegerField()
    billing_email = serializers.CharField()
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()


class BillingDetailsInput(StrictSerializer):
    """BILLING_DETAILS of an account, as people send them."""

    billing_email = EmailAddressField(required=False, allow_blank=True)
    billing_address_line1 = PlainTextField(max_length=255, required=False, allow_blank=True)
    billing_address_line2 = PlainTextField(max_length=255, required=False, allow_blank=True)
    billing_city = PlainTextField(max_length=100, required=False, allow_blank=True)
    billing_state = PlainTextField(max_length=100, required=False, allow_blank=True)
    billing_postal_code = PlainTextField(max_length=20, required=False, allow_blank=True)
    billing_country = CountryCodeField(required=False, allow_blank=True)
    tax_id = PlainTextField(max_length=100, required=False, allow_blank=True)


class SettingsInput(BillingDetailsInput):
    name = PlainTextField(max_length=200, required=False)
    timezone = TimeZoneField(required=False)


class AccountInput(SettingsInput):
    """What operators correct of an account."""

    payment_method = serializers.ChoiceField(choices=PaymentMethodType.choices)


class ProfileInput(StrictSerializer):
    first_name = PlainTextField(max_length=150, required=False)
    last_name = PlainTextField(max_length=150, required=False, allow_blank=True)


class PersonInput(ProfileInput):
    """What operators correct of a person."""

    email = EmailAddressField()
    role = serializers.ChoiceField(choices=Role.choices, allow_blank=True)


class TokenOutput(serializers.Serializer[Any]):
    token = serializers.CharField(help_text="Access token, for the Authorization header")
    refresh = serializers.CharField(help_text="Good once, for auth/refresh/")


class LoginOutput(TokenOutput):
    user = UserOutput()
    account = AccountOutput(allow_null=True)


class ProfileOutput(serializers.Serializer[Any]):
    user = UserOutput()
    account = AccountOutput(allow_null=True)


def tokens(pair: TokenPair) -> dict[str, str]:
    """A token pair, for TokenOutput."""
    return {"token": pair.access, "refresh": pair.refresh}


def profile(user: User) -> dict[str, object]:
    """A user and their account, for ProfileOutput."""
    return {"user": user, "account": user.account}


def logged_in(user: User, pair: TokenPair) -> dict[str, object]:
    """A user who has just logged in, for LoginOutput."""
    return {**tokens(pair), **profile(user)}
