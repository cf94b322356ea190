"""Who may do what: roles inside an account, Django permissions for platform operators."""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from igny8_core.auth.callers import Caller
from igny8_core.auth.errors import AccountCanceled, AccountSuspended, OwnAccount, OwnersOnly, PaymentRequired
from igny8_core.auth.models import Account, AccountStatus, Role, SuspendedReason, User


def caller_if_any(request: Request) -> Caller | None:
    """Who is calling, without reading their row; None where nobody is logged in."""
    # DRF's types know nothing of what our authentication gives it; another one would give the person.
    caller: object = request.user
    if isinstance(caller, User):
        return Caller.of(caller)
    return caller if isinstance(caller, Caller) else None


def caller_of(request: Request) -> Caller:
    """Like caller_if_any. Raises NotAuthenticated where nobody is logged in."""
    caller = caller_if_any(request)
    if caller is None:
        raise NotAuthenticated()
    return caller


def user_of(request: Request) -> User:
    """Who is calling, with account and plan; read once per request. Raises NotAuthenticated."""
    return caller_of(request).user


def account_id_of(request: Request) -> int:
    """The id of the caller's account, without reading its row. Raises PermissionDenied."""
    account_id = caller_of(request).account_id
    if account_id is None:
        raise PermissionDenied(IsMember.message)
    return account_id


def account_of(request: Request) -> Account:
    """The caller's account: where an API request's tenant comes from, here and above. Raises PermissionDenied."""
    account = user_of(request).account
    if account is None:
        raise PermissionDenied(IsMember.message)
    return account


class IsMember(BasePermission):
    """A logged-in member of an account, whatever the role: may read."""

    message = (
        "This is for members of an account, and you belong to none. Accept an invitation, or begin an account of your "
        "own with POST /api/v1/auth/account/."
    )

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = caller_if_any(request)
        return caller is not None and caller.account_id is not None


class _HasRole(IsMember):
    roles: frozenset[str] = frozenset()

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = caller_if_any(request)
        return caller is not None and caller.account_id is not None and caller.role in self.roles


class CanManageBilling(_HasRole):
    """Owner and admin: pay, confirm, order."""

    message = "Your role may not do this. Ask an owner or admin of your account."
    roles = frozenset({Role.OWNER, Role.ADMIN})


class CanManageSites(CanManageBilling):
    """Owner and admin: make and delete sites, and say who works on them."""


class CanManageTeam(CanManageBilling):
    """Owner and admin: look after the team, and change what the account says of itself."""


class CanWorkOnSites(_HasRole):
    """Owner, admin and editor: change sites that they have access to."""

    message = CanManageBilling.message
    roles = frozenset({Role.OWNER, Role.ADMIN, Role.EDITOR})


class OwnsAccount(_HasRole):
    """Owner: hand the account over, or delete it."""

    message = OwnersOnly.text
    roles = frozenset({Role.OWNER})


class IsUser(BasePermission):
    """Anybody who is logged in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return caller_if_any(request) is not None


class MembersReadAdminsWrite(BasePermission):
    """Every member reads; owner and admin change."""

    message = CanManageBilling.message

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed = IsMember if request.method in SAFE_METHODS else CanManageBilling
        return needed().has_permission(request, view)


class IsOperator(BasePermission):
    """A platform operator with the Django permissions that the ViewSet names for the action, in `operator_permissions`.

    A tuple there means all of them. A method that an address does not take is 405 for whoever may use any other method
    of that address.
    """

    message = "This is for platform operators with the right permission."

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = caller_if_any(request)
        if caller is None or not caller.is_staff:
            return False
        user = caller.user
        actions: Mapping[str, str] = getattr(view, "action_map", {})
        by_method = operator_permissions_of(view, actions)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in by_method:
            return user.has_perms(by_method[method])
        # Fails closed: an action that was added without naming its permission serves nobody.
        return method.lower() not in actions and any(user.has_perms(needed) for needed in by_method.values())


def operator_permissions_of(view: Any, actions: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The permissions that an address of operators needs, by method.

    `view` is a ViewSet or its class; `actions` are those of the address, by method in small letters.
    """
    named: Mapping[str, str | tuple[str, ...]] = getattr(view, "operator_permissions", {})
    by_method = {method.upper(): named.get(action) for method, action in actions.items() if method != "head"}
    return {method: (needed,) if isinstance(needed, str) else needed for method, needed in by_method.items() if needed}


def require_other_account(operator: User, account_id: int) -> None:
    """Refuse what operators would decide for an account that they belong to (ROL-14). Raises OwnAccount."""
    if operator.account_id == account_id:
        raise OwnAccount()


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
