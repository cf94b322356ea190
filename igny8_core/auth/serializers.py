"""Serializers of people, accounts and plans that several API modules use."""

from typing import Any

from django.core.validators import DomainNameValidator
from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import AccountStatus, BillingCycle, PaymentMethodType, Role, User
from igny8_core.auth.services.sessions import TokenPair
from igny8_core.common.api.fields import (
    CompanyNameField,
    CountryCodeField,
    CurrencyField,
    EmailAddressField,
    EnumField,
    LanguageField,
    MoneyField,
    NameField,
    PlainTextField,
    TimeZoneField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer


class PlanOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    price = MoneyField(help_text="Price of one period, without discounts")
    currency = CurrencyField()
    billing_cycle = EnumField(BillingCycle, help_text="Length of a period")
    included_credits = serializers.IntegerField(help_text="Credits granted for each period")
    max_sites = serializers.IntegerField(help_text="How many sites an account may have")
    max_users = serializers.IntegerField(help_text="How many members an account may have")
    features = serializers.ListField(child=serializers.CharField(), help_text="What the plan offers, one text each")


class IndustryOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class UserOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = EnumField(Role, allow_blank=True, help_text="Empty for an operator without an account")
    language = serializers.CharField(help_text="The person's own choice; empty: the account's language")
    is_staff = serializers.BooleanField(help_text="True for an operator")
    email_verified = serializers.SerializerMethodField(
        help_text="Whether the person has verified the address with an e-mailed link"
    )

    def get_email_verified(self, user: User) -> bool:
        return user.email_verified_at is not None


class AccountOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    status = EnumField(AccountStatus, help_text="What the account may do now")
    trial_ends_at = serializers.DateTimeField(
        allow_null=True, help_text="When the trial ends or ended; null for a trial without end, and for no trial"
    )
    plan = PlanOutput(help_text="The account's plan")
    credits = serializers.IntegerField(help_text="Credits that can be spent now")
    billing_email = serializers.CharField()
    billing_email_confirmed = serializers.BooleanField(
        source="is_billing_email_confirmed",
        help_text="Whether mails go to `billing_email`; until the link mailed there was opened they go to the owner",
    )
    billing_address_line1 = serializers.CharField()
    billing_address_line2 = serializers.CharField()
    billing_city = serializers.CharField()
    billing_state = serializers.CharField()
    billing_postal_code = serializers.CharField()
    billing_country = serializers.CharField()
    tax_id = serializers.CharField()
    timezone = serializers.CharField()
    language = serializers.CharField(
        help_text="Of documents, and of members who chose none; empty: of what each browser asks for"
    )


class SiteDomainField(PlainTextField):
    """The domain of a site: a name such as example.com, without https:// and path."""

    def __init__(self, **kwargs: Any) -> None:
        expected = DomainNameValidator(message=_("Write a domain name such as example.com, without https:// and path."))
        super().__init__(max_length=253, validators=[expected], **kwargs)


class BillingDetailsInput(StrictSerializer):
    """Input of an account's BILLING_DETAILS."""

    billing_email = EmailAddressField(required=False, allow_blank=True)
    billing_address_line1 = PlainTextField(max_length=255, required=False, allow_blank=True)
    billing_address_line2 = PlainTextField(max_length=255, required=False, allow_blank=True)
    billing_city = PlainTextField(max_length=100, required=False, allow_blank=True)
    billing_state = PlainTextField(max_length=100, required=False, allow_blank=True)
    billing_postal_code = PlainTextField(max_length=20, required=False, allow_blank=True)
    billing_country = CountryCodeField(required=False, allow_blank=True)
    tax_id = PlainTextField(max_length=100, required=False, allow_blank=True)


class SettingsInput(BillingDetailsInput):
    name = CompanyNameField(max_length=200, required=False)
    timezone = TimeZoneField(required=False)
    language = LanguageField(
        required=False,
        allow_blank=True,
        help_text="Of documents, and of members who chose none: en, de or ur; empty for none",
    )


class AccountInput(SettingsInput):
    """What operators can correct in an account."""

    payment_method = serializers.ChoiceField(choices=PaymentMethodType.choices)


class ProfileInput(StrictSerializer):
    first_name = NameField(max_length=150, required=False)
    last_name = NameField(max_length=150, required=False, allow_blank=True)
    language = LanguageField(
        required=False, allow_blank=True, help_text="Of pages, mails and refusals: en, de or ur; empty: the account's"
    )


class PersonInput(ProfileInput):
    """What operators can correct in a user."""

    email = EmailAddressField()
    role = serializers.ChoiceField(choices=Role.choices, allow_blank=True)


class TokenOutput(OutputSerializer):
    token = serializers.CharField(help_text="Access token, for the Authorization header")
    refresh = serializers.CharField(help_text="Refresh token, for auth/refresh/; works once")


class LoginOutput(TokenOutput):
    user = UserOutput(help_text="The user who logged in")
    account = AccountOutput(allow_null=True, help_text="Null for an operator without an account")


class ProfileOutput(OutputSerializer):
    user = UserOutput(help_text="The user who sent the request")
    account = AccountOutput(allow_null=True, help_text="Null for an operator without an account")


def tokens(pair: TokenPair) -> dict[str, str]:
    """A token pair, for TokenOutput."""
    return {"token": pair.access, "refresh": pair.refresh}


def profile(user: User) -> dict[str, object]:
    """A user and their account, for ProfileOutput."""
    return {"user": user, "account": user.account}


def logged_in(user: User, pair: TokenPair) -> dict[str, object]:
    """A user who has just logged in, for LoginOutput."""
    return {**tokens(pair), **profile(user)}
