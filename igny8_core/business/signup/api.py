"""The door to signing up."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.errors import EmailTaken
from igny8_core.auth.models import BILLING_DETAILS, PaymentMethodType
from igny8_core.auth.serializers import BillingDetailsInput, LoginOutput, logged_in
from igny8_core.auth.services.session_service import SessionService
from igny8_core.business.billing.errors import GatewayNotConfigured, PaymentMethodNotAvailable, PlanNotOffered
from igny8_core.business.billing.selectors import offered_payment_method
from igny8_core.business.billing.serializers import InvoiceOutput, PaymentMethodOutput, SubscriptionOutput
from igny8_core.business.signup.service import Signup, register
from igny8_core.common.api.envelope import success
from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, EmailAddressField, PlainTextField, SecretField
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import NetworkThrottle
from igny8_core.common.api.views import ApiView


class RegisterInput(BillingDetailsInput):
    email = EmailAddressField()
    password = SecretField(max_length=MAX_PASSWORD_INPUT)
    password_confirm = SecretField(max_length=MAX_PASSWORD_INPUT)
    first_name = PlainTextField(max_length=150)
    last_name = PlainTextField(max_length=150)
    account_name = PlainTextField(max_length=200, required=False, allow_blank=True)
    plan_slug = PlainTextField(max_length=50, required=False, allow_blank=True, help_text="Empty: free trial")
    payment_method = serializers.ChoiceField(choices=PaymentMethodType.choices, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["password"] != attrs.pop("password_confirm"):
            raise serializers.ValidationError({"password_confirm": ["The two passwords differ."]})
        return attrs


class RegisterOutput(LoginOutput):
    subscription = SubscriptionOutput(allow_null=True)
    invoice = InvoiceOutput(allow_null=True)
    payment_instructions = PaymentMethodOutput(allow_null=True)


class RegisterThrottle(NetworkThrottle):
    scope = "register"


class RegisterView(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RegisterThrottle,)

    @extend_schema(operation_id="register", tags=["auth"], request=RegisterInput, responses={201: RegisterOutput})
    @refuses(PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, EmailTaken)
    def post(self, request: Request) -> Response:
        """Sign up: a free trial, or with `plan_slug` a paid plan that waits for its first payment."""
        given = self.validated(RegisterInput)
        billing = {name: given.pop(name) for name in BILLING_DETAILS if name in given}
        signup = register(**given, billing=billing)
        answer = {
            **logged_in(signup.user, SessionService.open(signup.user)),
            "account": signup.account,
            "subscription": signup.subscription,
            "invoice": signup.invoice,
            "payment_instructions": payment_instructions(signup),
        }
        return success(RegisterOutput(answer).data, "Welcome! Your account is ready.", status=201)


def payment_instructions(signup: Signup) -> object | None:
    """How the new customer pays the first invoice, or None on a trial."""
    if signup.subscription is None:
        return None
    return offered_payment_method(signup.account.billing_country, signup.subscription.payment_method)
