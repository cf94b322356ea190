"""The caller's second factor, and showing once more who one is."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.second_factor_serializers import (
    EnrolmentOutput,
    FactorStateOutput,
    FirstCodeInput,
    LoginConfirmationInput,
    LoginConfirmationOutput,
    RecoveryCodesOutput,
)
from igny8_core.auth.confirming import needs_confirmation
from igny8_core.auth.errors import (
    EmailNotVerified,
    NoEnrolment,
    SecondFactorCompulsory,
    SecondFactorOff,
    TooManyTries,
)
from igny8_core.auth.permissions import IsUser, caller_of, user_of
from igny8_core.auth.services.confirmations import confirm_session
from igny8_core.auth.services.second_factor import (
    begin_enrolment,
    factor_state,
    finish_enrolment,
    renew_recovery_codes,
    switch_off,
)
from igny8_core.common.api.envelope import success
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, SingletonViewSet


class ConfirmView(ApiView):
    tag = "auth"
    permission_classes = (IsUser,)

    @extend_schema(operation_id="confirm_login", request=LoginConfirmationInput, responses=LoginConfirmationOutput)
    @refuses(TooManyTries)
    def post(self, request: Request) -> Response:
        """Show once more that it is you, with password or code. What needs it can be done for the next 5 minutes.

        It holds for this login alone. Operations that need it answer `confirmation_required` without it. A login counts
        as well.
        """
        given = self.validated(LoginConfirmationInput)
        until = confirm_session(caller_of(request).session_id, user_of(request), **given)
        return success(LoginConfirmationOutput({"confirmed_until": until}).data, _("Confirmed."))


class SecondFactorViewSet(SingletonViewSet):
    """The caller's second factor."""

    tag = "auth"
    permission_classes = (IsUser,)

    @extend_schema(operation_id="second_factor", responses=FactorStateOutput)
    def retrieve(self, request: Request) -> Response:
        """Whether your second factor is on, and how many recovery codes are left."""
        return success(FactorStateOutput(factor_state(user_of(request))).data)

    @extend_schema(operation_id="begin_second_factor", request=None, responses=EnrolmentOutput)
    @needs_confirmation()
    @refuses(EmailNotVerified)
    def create(self, request: Request) -> Response:
        """Begin to set up a device: the secret for an authenticator app. Nothing changes until its first code is sent.

        Also for another device in place of the one that you have, which goes on working until then.
        """
        return success(EnrolmentOutput(begin_enrolment(user_of(request))).data, _("Now send the first code."))

    @extend_schema(operation_id="finish_second_factor", request=FirstCodeInput, responses=RecoveryCodesOutput)
    @action(detail=False, methods=["post"])
    @refuses(NoEnrolment, TooManyTries)
    def enable(self, request: Request) -> Response:
        """Switch it on with the device's first code. The answer has your recovery codes; your other logins end."""
        code = self.validated(FirstCodeInput)["otp"]
        codes = finish_enrolment(user_of(request), code, caller_of(request).session_id)
        return success(RecoveryCodesOutput({"recovery_codes": codes}).data, _("Your second factor is on."))

    @extend_schema(operation_id="renew_recovery_codes", request=None, responses=RecoveryCodesOutput)
    @action(detail=False, methods=["post"], url_path="recovery-codes")
    @needs_confirmation()
    @refuses(SecondFactorOff)
    def recovery_codes(self, request: Request) -> Response:
        """New recovery codes. The old ones stop working."""
        codes = renew_recovery_codes(user_of(request))
        return success(RecoveryCodesOutput({"recovery_codes": codes}).data, _("Keep them apart from your device."))

    @extend_schema(operation_id="disable_second_factor", responses={200: None})
    @needs_confirmation()
    @refuses(SecondFactorOff, SecondFactorCompulsory)
    def destroy(self, request: Request) -> Response:
        """Switch it off. The password alone is enough to log in then."""
        switch_off(user_of(request))
        return success(message=_("Your second factor is off."))
