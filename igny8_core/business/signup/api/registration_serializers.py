"""Input and output of signing up."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.serializers import BillingDetailsInput, LoginOutput
from igny8_core.business.billing.serializers import InvoiceOutput, PaymentMethodOutput, SubscriptionOutput
from igny8_core.common.api.fields import (
    MAX_PASSWORD_INPUT,
    CompanyNameField,
    EmailAddressField,
    NameField,
    PlainTextField,
    SecretField,
    TrueOrFalseField,
)
from igny8_core.common.text import normalized_password


class BeginAccountInput(BillingDetailsInput):
    account_name = CompanyNameField(
        max_length=200,
        required=False,
        allow_blank=True,
        help_text="Name of the new account; if empty, the person's name",
    )
    plan_slug = PlainTextField(
        max_length=50, required=False, allow_blank=True, help_text="Slug of a plan; empty for the free trial"
    )
    payment_method = serializers.ChoiceField(
        choices=PaymentMethodType.choices,
        required=False,
        help_text="Payment method for a paid plan; becomes the account's default",
    )


class RegisterInput(BeginAccountInput):
    email = EmailAddressField(help_text="With which the person logs in; nobody else may have it")
    password = SecretField(max_length=MAX_PASSWORD_INPUT, help_text="At least 12 characters, not a common password")
    password_confirm = SecretField(max_length=MAX_PASSWORD_INPUT)
    first_name = NameField(max_length=150)
    last_name = NameField(max_length=150)
    terms_accepted = TrueOrFalseField(
        required=False,
        help_text="True: the person agrees to the terms as they are published now; version and time are kept",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if normalized_password(attrs["password"]) != normalized_password(attrs.pop("password_confirm")):
            raise serializers.ValidationError({"password_confirm": [_("The two passwords differ.")]})
        return attrs


class RegisterOutput(LoginOutput):
    subscription = SubscriptionOutput(allow_null=True, help_text="Null for the free trial")
    invoice = InvoiceOutput(allow_null=True, help_text="The invoice to pay; null for the free trial")
    payment_instructions = PaymentMethodOutput(
        allow_null=True, help_text="How to pay the invoice; null for the free trial"
    )
