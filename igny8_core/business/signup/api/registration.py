"""Signing up."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.devices import browser_of, place_of
from igny8_core.auth.errors import EmailTaken, MemberElsewhere
from igny8_core.auth.models import BILLING_DETAILS
from igny8_core.auth.permissions import IsUser, user_of
from igny8_core.auth.serializers import logged_in
from igny8_core.auth.services.login_guard import note_place
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.errors import GatewayNotConfigured, PaymentMethodNotAvailable, PlanNotOffered
from igny8_core.business.billing.offers import usual_instructions_for
from igny8_core.business.signup.api.registration_serializers import (
    BeginAccountInput,
    RegisterInput,
    RegisterOutput,
)
from igny8_core.business.signup.service import Signup, begin_account, register
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import NetworkThrottle
from igny8_core.common.api.views import ApiView


class RegisterThrottle(NetworkThrottle):
    scope = "register"


class RegisterView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RegisterThrottle,)

    @extend_schema(operation_id="register", request=RegisterInput, responses={201: RegisterOutput})
    @refuses(PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, EmailTaken)
    def post(self, request: Request) -> Response:
        """Sign up: start a free trial, or with `plan_slug` order a paid plan, which starts with its first payment."""
        given = self.validated(RegisterInput)
        billing = {name: given.pop(name) for name in BILLING_DETAILS if name in given}
        signup = register(**given, billing=billing)
        note_place(signup.user, place_of(request))
        return success(RegisterOutput(_answer(signup, request)).data, _("Welcome! Your account is ready."), status=201)


class BeginAccountView(ApiView):
    tag = "auth"
    permission_classes = (IsUser,)
    throttle_classes = (RegisterThrottle,)

    @extend_schema(operation_id="begin_account", request=BeginAccountInput, responses={201: RegisterOutput})
    @refuses(PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, MemberElsewhere)
    def post(self, request: Request) -> Response:
        """Begin an account of one's own, logged in and in no team: as signing up, without a new login.

        The way for who was removed from a team, or left it. The credits of a trial are given once to a person.
        """
        given = self.validated(BeginAccountInput)
        billing = {name: given.pop(name) for name in BILLING_DETAILS if name in given}
        signup = begin_account(user_of(request), **given, billing=billing)
        return success(RegisterOutput(_answer(signup, request)).data, _("Your account is ready."), status=201)


def _answer(signup: Signup, request: Request) -> dict[str, object]:
    return {
        **logged_in(signup.user, open_session(signup.user, browser_of(request))),
        "account": signup.account,
        "subscription": signup.subscription,
        "invoice": signup.invoice,
        "payment_instructions": payment_instructions(signup),
    }


def payment_instructions(signup: Signup) -> object | None:
    """How the new customer can pay the first invoice; None for a trial."""
    return usual_instructions_for(signup.invoice) if signup.invoice else None
