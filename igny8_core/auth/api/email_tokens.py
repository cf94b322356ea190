"""E-mailed tokens: choosing a new password and verifying an e-mail address."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.login_serializers import EmailVerifyInput, PasswordResetConfirmInput, PasswordResetInput
from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import EmailAlreadyVerified, InvalidLink, LinkExpired
from igny8_core.auth.permissions import IsUser, user_of
from igny8_core.auth.services.users import (
    request_email_verification,
    request_password_reset,
    reset_password,
    verify_email,
)
from igny8_core.auth.throttles import TokenThrottle
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import EmailThrottle, NetworkThrottle, UserThrottle
from igny8_core.common.api.views import ApiView


class ResetNetworkThrottle(NetworkThrottle):
    scope = "reset_network"


class ResetEmailThrottle(EmailThrottle):
    scope = "reset"


class VerifyThrottle(UserThrottle):
    scope = "verify"


class PasswordResetView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (ResetNetworkThrottle, ResetEmailThrottle)

    @extend_schema(operation_id="request_password_reset", request=PasswordResetInput, responses={200: None})
    def post(self, request: Request) -> Response:
        """E-mail a link to choose a new password. The answer does not tell whether the address has a login."""
        request_password_reset(**self.validated(PasswordResetInput))
        return success(message=_("If a login has this e-mail address, we have sent it a link."))


class PasswordResetConfirmView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (TokenThrottle,)

    @extend_schema(
        operation_id="confirm_password_reset",
        request=PasswordResetConfirmInput,
        responses={200: None},
    )
    @refuses(InvalidLink, LinkExpired)
    def post(self, request: Request) -> Response:
        """Set a new password with the e-mailed token. The token works once, for 60 minutes. All sessions end."""
        reset_password(**self.validated(PasswordResetConfirmInput), place=place_of(request))
        return success(message=_("Password changed. Log in with the new one."))


class EmailVerifyView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (TokenThrottle,)

    @extend_schema(operation_id="verify_email", request=EmailVerifyInput, responses={200: None})
    @refuses(InvalidLink, LinkExpired)
    def post(self, request: Request) -> Response:
        """Verify an e-mail address with the e-mailed token. The token works once, for three days."""
        verify_email(**self.validated(EmailVerifyInput))
        return success(message=_("E-mail address verified."))


class EmailVerifyResendView(ApiView):
    tag = "auth"
    permission_classes = (IsUser,)
    throttle_classes = (VerifyThrottle,)

    @extend_schema(operation_id="resend_email_verification", request=None, responses={200: None})
    @refuses(EmailAlreadyVerified)
    def post(self, request: Request) -> Response:
        """E-mail the link that verifies your address again."""
        request_email_verification(user_of(request))
        return success(message=_("We have sent you a link."))
