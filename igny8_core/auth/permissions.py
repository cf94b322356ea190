"""Who may do what: roles inside an account, Django permissions for platform operators."""

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from igny8_core.auth.errors import AccountCanceled, AccountSuspended, PaymentRequired
from igny8_core.auth.models import Account, AccountStatus, Role, SuspendedReason, User


def user_of(request: Request) -> User:
    """Who is calling. Raises NotAuthenticated where nobody is logged in."""
    if not isinstance(request.user, User):
        raise NotAuthenticated()
    return request.user


def account_of(request: Request) -> Account:
    """The caller's account: the one place where an API request's tenant comes from. Raises PermissionDenied."""
    account = user_of(request).account
    if account is None:
        raise PermissionDenied(IsMember.message)
    return account


class IsMember(BasePermission):
    """A logged-in member of an account, whatever the role: may read."""

    message = "This is for members of an account. You are logged in as a platform operator without one."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User) and request.user.account is not None


class _HasRole(IsMember):
    roles: frozenset[str] = frozenset()

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and user_of(request).role in self.roles


class CanManageBilling(_HasRole):
    """Owner and admin: pay, confirm, order."""

    message = "Your role may not do this. Ask an owner or admin of your account."
    roles = frozenset({Role.OWNER, Role.ADMIN})


class CanManageSites(CanManageBilling):
    """Owner and admin: make, change and delete sites."""


class IsUser(BasePermission):
    """Anybody who is logged in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.user, User)


class IsOperator(BasePermission):
    """A platform operator with the Django permission that the view names in `operator_permission`."""

    message = "This is for platform operators with the right permission."

    def has_permission(self, request: Request, view: APIView) -> bool:
        user = request.user
        permission: str = view.operator_permission  # type: ignore[attr-defined]
        return isinstance(user, User) and user.is_staff and user.has_perm(permission)


def require_usable(account: Account) -> None:
    """Refuse the product's features to an account that has not paid, is suspended or canceled.

    Raises PaymentRequired, AccountSuspended or AccountCanceled. Billing itself stays open: it is how one comes back.
    """
    if account.status == AccountStatus.PENDING_PAYMENT:
        raise PaymentRequired()
    if account.status == AccountStatus.SUSPENDED:
        raise PaymentRequired() if account.suspended_reason == SuspendedReason.NON_PAYMENT else AccountSuspended()
    if account.status == AccountStatus.CANCELED:
        raise AccountCanceled()
