"""What goes in and comes out of the login, profile and site operations."""

from typing import Any

from django.core.validators import DomainNameValidator
from rest_framework import serializers

from igny8_core.auth.models import Industry, SiteStatus, User
from igny8_core.auth.selectors import active_industries
from igny8_core.common.api.fields import (
    CountryCodeField,
    EmailAddressField,
    IdField,
    MoneyField,
    PlainTextField,
    StrictTextField,
)
from igny8_core.common.api.serializers import OutputSerializer, StrictSerializer

MAX_PASSWORD_INPUT = 1024
MAX_TOKEN_INPUT = 4096


class SecretField(StrictTextField):
    """A password or token: taken exactly as it was sent, never given out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "write_only": True, **kwargs})

    def clean_text(self, text: str) -> str:
        return text


class PlanOutput(OutputSerializer):
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


class IndustryOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()


class UserOutput(OutputSerializer):
    id = serializers.IntegerField()
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField(help_text="Empty for a platform operator without an account")
    is_staff = serializers.BooleanField()
    email_verified = serializers.SerializerMethodField()

    def get_email_verified(self, user: User) -> bool:
        return user.email_verified_at is not None


class AccountOutput(OutputSerializer):
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


class LoginInput(StrictSerializer):
    email = EmailAddressField()
    password = SecretField(max_length=MAX_PASSWORD_INPUT)


class TokenOutput(OutputSerializer):
    token = serializers.CharField(help_text="Access token, for the Authorization header")
    refresh = serializers.CharField(help_text="Good once, for auth/refresh/")


class LoginOutput(TokenOutput):
    user = UserOutput()
    account = AccountOutput(allow_null=True)


class RefreshInput(StrictSerializer):
    refresh = SecretField(max_length=MAX_TOKEN_INPUT)


class ProfileInput(StrictSerializer):
    first_name = PlainTextField(max_length=150, required=False)
    last_name = PlainTextField(max_length=150, required=False, allow_blank=True)


class ProfileOutput(OutputSerializer):
    user = UserOutput()
    account = AccountOutput(allow_null=True)


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


class IndustryIdField(IdField):
    """The id of an active industry."""

    def to_internal_value(self, data: Any) -> Industry:  # type: ignore[override]
        industry = active_industries().filter(pk=super().to_internal_value(data)).first()
        if industry is None:
            raise serializers.ValidationError("No such industry. GET /api/v1/auth/industries/ lists them.")
        return industry


class SiteInput(StrictSerializer):
    name = PlainTextField(max_length=200)
    domain = PlainTextField(
        max_length=253,
        required=False,
        allow_blank=True,
        validators=[DomainNameValidator(message="Write a domain name such as example.com, without https:// and path.")],
    )
    industry = IndustryIdField()


class SiteUpdateInput(SiteInput):
    status = serializers.ChoiceField(choices=SiteStatus.choices, required=False)


class SiteOutput(OutputSerializer):
    id = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    domain = serializers.CharField()
    industry = IndustryOutput()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()


class SiteAccessInput(StrictSerializer):
    user = IdField()


class SiteMemberOutput(OutputSerializer):
    user = serializers.IntegerField(source="pk")
    email = serializers.EmailField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    role = serializers.CharField()
    granted_at = serializers.DateTimeField(allow_null=True, help_text="Empty where the role alone opens every site")
