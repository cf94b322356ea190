"""DRF throttles that count with rate_limits.py. A view lists subclasses that name a scope."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from igny8_core.common.api.fields import MAX_EMAIL_LENGTH, canonical_email
from igny8_core.common.network import Network, client_network, client_networks
from igny8_core.common.rate_limits import seconds_to_wait


class ScopedThrottle(BaseThrottle):
    """Counts each request against settings.RATE_LIMITS[scope]; settings.THROTTLING switches all limits off."""

    scope: ClassVar[str]

    def __init__(self) -> None:
        self.seconds: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        callers = self.callers(request) if settings.THROTTLING else ()
        if callers:
            self.seconds = seconds_to_wait(self.scope, *callers)
        return self.seconds is None

    def wait(self) -> float | None:
        return self.seconds

    def callers(self, request: Request) -> Sequence[str | Network]:
        """The callers to count, the narrowest first; none not to count this request."""
        raise NotImplementedError


class NetworkThrottle(ScopedThrottle):
    """Counts per network of the caller, and per wider network that it is in (common/network.py)."""

    def callers(self, request: Request) -> Sequence[str | Network]:
        return client_networks(request)


class EmailThrottle(ScopedThrottle):
    """Counts per e-mail address in the body, known or unknown, and network: nobody uses up the limit of another."""

    def callers(self, request: Request) -> Sequence[str | Network]:
        data: Any = request.data
        email = data.get("email")
        if not isinstance(email, str) or len(email) > MAX_EMAIL_LENGTH:
            return ()  # the serializer refuses it before anything is done
        return (f"email {canonical_email(email)} {client_network(request)}",)


class UserThrottle(ScopedThrottle):
    """Counts per logged-in user."""

    def callers(self, request: Request) -> Sequence[str | Network]:
        return (f"user {request.user.pk}",) if request.user and request.user.is_authenticated else ()
