"""Logging in, refreshing tokens, logging out, and the own profile."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.login_serializers import LoginInput, PasswordChangeInput, RefreshInput
from igny8_core.auth.callers import Reading
from igny8_core.auth.devices import device_of, place_of
from igny8_core.auth.errors import (
    InvalidCredentials,
    InvalidToken,
    SecondFactorRequired,
    SecondFactorWrong,
    TooManyTries,
)
from igny8_core.auth.hot_reads import PROFILE, profile_of
from igny8_core.auth.permissions import IsUser, caller_of, user_of
from igny8_core.auth.serializers import (
    LoginOutput,
    ProfileInput,
    ProfileOutput,
    TokenOutput,
    logged_in,
    profile,
    tokens,
)
from igny8_core.auth.services.sessions import log_in, log_out, rotate_session
from igny8_core.auth.services.users import change_password, update_profile
from igny8_core.auth.throttles import PasswordThrottle
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import NetworkThrottle
from igny8_core.common.api.views import ApiView, SingletonViewSet


class RefreshThrottle(NetworkThrottle):
    scope = "refresh"


class LoginView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)

    @extend_schema(operation_id="login", request=LoginInput, responses=LoginOutput)
    @refuses(InvalidCredentials, SecondFactorRequired, SecondFactorWrong, TooManyTries)
    def post(self, request: Request) -> Response:
        """Log in with e-mail address and password; the answer has an access token and a refresh token.

        Who has a second factor also sends `otp`; without it the answer is `second_factor_required`. Each code works
        once.
        """
        user, pair = log_in(**self.validated(LoginInput), place=place_of(request))
        return success(LoginOutput(logged_in(user, pair)).data, _("Logged in."))


class RefreshView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="refresh", request=RefreshInput, responses=TokenOutput)
    @refuses(InvalidToken)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. It works once; using an old one again ends the session.

        Two tabs of one browser may send the same token within ten seconds: both get the newest pair.
        """
        return success(tokens(rotate_session(self.validated(RefreshInput)["refresh"], device_of(request))))


class LogoutView(ApiView):
    tag = "auth"
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="logout", request=RefreshInput, responses={200: None})
    @refuses(InvalidToken)
    def post(self, request: Request) -> Response:
        """End the session of a refresh token; its access tokens stop working at once."""
        log_out(self.validated(RefreshInput)["refresh"])
        return success(message=_("Logged out."))


class ProfileViewSet(SingletonViewSet):
    """The caller's own profile."""

    tag = "auth"
    permission_classes = (IsUser,)

    def reading(self, request: Request) -> Reading | None:
        """The profile is read with the session, unless it is changed."""
        return PROFILE if self.action == "retrieve" else None

    @extend_schema(operation_id="me", responses=ProfileOutput)
    def retrieve(self, request: Request) -> Response:
        """Your user and your account."""
        return success(profile_of(PROFILE.rows(caller_of(request))))

    @extend_schema(operation_id="update_me", request=ProfileInput, responses=ProfileOutput)
    def partial_update(self, request: Request) -> Response:
        """Change your name."""
        user = update_profile(user_of(request), **self.validated(ProfileInput, partial=True))
        return success(ProfileOutput(profile(user)).data, _("Saved."))


class PasswordChangeView(ApiView):
    tag = "auth"
    permission_classes = (IsUser,)
    throttle_classes = (PasswordThrottle,)

    @extend_schema(operation_id="change_password", request=PasswordChangeInput, responses=TokenOutput)
    def post(self, request: Request) -> Response:
        """Set a new password. All sessions end at once; the answer has the tokens of a new one."""
        pair = change_password(user_of(request), **self.validated(PasswordChangeInput))
        return success(tokens(pair), _("Password changed. You are logged out everywhere else."))
