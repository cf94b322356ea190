"""Logging in, staying logged in, logging out, and one's own profile."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.api.serializers import (
    LoginInput,
    LoginOutput,
    PasswordChangeInput,
    ProfileInput,
    ProfileOutput,
    RefreshInput,
    TokenOutput,
)
from igny8_core.auth.errors import InvalidCredentials, InvalidToken
from igny8_core.auth.models import User
from igny8_core.auth.permissions import IsUser, user_of
from igny8_core.auth.services.session_service import SessionService, TokenPair
from igny8_core.auth.services.user_service import UserService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import EmailThrottle, NetworkThrottle, UserThrottle
from igny8_core.common.api.views import ApiView


class LoginNetworkThrottle(NetworkThrottle):
    scope = "login"


class LoginEmailThrottle(EmailThrottle):
    scope = "login"


class RefreshThrottle(NetworkThrottle):
    scope = "refresh"


class PasswordThrottle(UserThrottle):
    scope = "login"


class LoginView(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (LoginNetworkThrottle, LoginEmailThrottle)

    @extend_schema(operation_id="login", tags=["auth"], request=LoginInput, responses=LoginOutput)
    @refuses(InvalidCredentials)
    def post(self, request: Request) -> Response:
        """Exchange e-mail and password for an access token and a refresh token."""
        user, pair = SessionService.log_in(**self.validated(LoginInput))
        return success(LoginOutput({**tokens(pair), **profile(user)}).data, "Logged in.")


class RefreshView(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="refresh", tags=["auth"], request=RefreshInput, responses=TokenOutput)
    @refuses(InvalidToken)
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair. It works once; using an old one again ends the session."""
        return success(tokens(SessionService.rotate(self.validated(RefreshInput)["refresh"])))


class LogoutView(ApiView):
    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    throttle_classes = (RefreshThrottle,)

    @extend_schema(operation_id="logout", tags=["auth"], request=RefreshInput, responses={200: None})
    @refuses(InvalidToken)
    def post(self, request: Request) -> Response:
        """End the session of a refresh token; its access tokens stop working at once."""
        SessionService.log_out(self.validated(RefreshInput)["refresh"])
        return success(message="Logged out.")


class MeView(ApiView):
    permission_classes = (IsUser,)

    @extend_schema(operation_id="me", tags=["auth"], responses=ProfileOutput)
    def get(self, request: Request) -> Response:
        """Who is logged in, and their account."""
        return success(ProfileOutput(profile(user_of(request))).data)

    @extend_schema(operation_id="update_me", tags=["auth"], request=ProfileInput, responses=ProfileOutput)
    def patch(self, request: Request) -> Response:
        """Change one's own name."""
        user = UserService.update_profile(user_of(request), **self.validated(ProfileInput, partial=True))
        return success(ProfileOutput(profile(user)).data, "Saved.")


class PasswordChangeView(ApiView):
    permission_classes = (IsUser,)
    throttle_classes = (PasswordThrottle,)

    @extend_schema(operation_id="change_password", tags=["auth"], request=PasswordChangeInput, responses=TokenOutput)
    def post(self, request: Request) -> Response:
        """Set a new password. Every session ends at once; the answer holds tokens of a new one."""
        pair = UserService.change_password(user_of(request), **self.validated(PasswordChangeInput))
        return success(tokens(pair), "Password changed. You are logged out everywhere else.")


def tokens(pair: TokenPair) -> dict[str, str]:
    """A token pair as the API writes it."""
    return {"token": pair.access, "refresh": pair.refresh}


def profile(user: User) -> dict[str, object]:
    """A user and their account, for ProfileOutput."""
    return {"user": user, "account": user.account}
