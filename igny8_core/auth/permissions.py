"""Permissions: roles for members of an account, Django permissions for operators."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core import exceptions as django_exceptions
from django.http import HttpRequest
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from igny8_core.auth.callers import Caller
from igny8_core.auth.errors import (
    AccountCanceled,
    AccountSuspended,
    OwnAccount,
    OwnersOnly,
    PaymentRequired,
    SecondFactorSetupRequired,
)
from igny8_core.auth.models import Account, AccountStatus, Role, SuspendedReason, User
from igny8_core.common import clock
from igny8_core.common.marks import gettext_noop

TRIAL_OVER = gettext_noop("The trial is over. Everything can still be read. Order a plan to go on.")


def caller_if_any(request: Request) -> Caller | None:
    """The caller, without reading the user; None if nobody is logged in."""
    # DRF's types do not know our authentication. Another authentication would give a User.
    caller: object = request.user
    if isinstance(caller, User):
        return Caller.of(caller)
    return caller if isinstance(caller, Caller) else None


def caller_of(request: Request) -> Caller:
    """The caller, without reading the user. Raises NotAuthenticated if nobody is logged in."""
    caller = caller_if_any(request)
    if caller is None:
        raise NotAuthenticated()
    return caller


def user_of(request: Request) -> User:
    """The calling user, with account and plan; read once per request. Raises NotAuthenticated."""
    return caller_of(request).user


def account_id_of(request: Request) -> int:
    """The id of the caller's account, without reading its row. Raises PermissionDenied."""
    account_id = caller_of(request).account_id
    if account_id is None:
        raise PermissionDenied(IsMember.message)
    return account_id


def account_of(request: Request) -> Account:
    """The caller's account, from which every lookup of an API view starts. Raises PermissionDenied."""
    account = user_of(request).account
    if account is None:
        raise PermissionDenied(IsMember.message)
    return account


def operator_of(request: HttpRequest) -> User:
    """The operator who is logged in to the console. Raises Django's PermissionDenied."""
    if not isinstance(request.user, User):
        raise django_exceptions.PermissionDenied
    return request.user


class IsMember(BasePermission):
    """Any member of an account."""

    message = gettext_noop(
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
    """Owners and admins: pay, confirm and order."""

    message = gettext_noop("Your role may not do this. Ask an owner or admin of your account.")
    roles = frozenset({Role.OWNER, Role.ADMIN})


class CanManageSites(CanManageBilling):
    """Owners and admins: create and delete sites, and give access to them."""


class CanManageTeam(CanManageBilling):
    """Owners and admins: manage the team and the account's settings."""


class CanWorkOnSites(_HasRole):
    """Owners, admins and editors: change sites that they have access to."""

    message = CanManageBilling.message
    roles = frozenset({Role.OWNER, Role.ADMIN, Role.EDITOR})


class OwnsAccount(_HasRole):
    """Owners: transfer or delete the account."""

    message = OwnersOnly.text
    roles = frozenset({Role.OWNER})


class IsUser(BasePermission):
    """Anybody who is logged in."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return caller_if_any(request) is not None


class MembersReadAdminsWrite(BasePermission):
    """Every member may read; owners and admins may change."""

    message = CanManageBilling.message

    def has_permission(self, request: Request, view: APIView) -> bool:
        needed = IsMember if request.method in SAFE_METHODS else CanManageBilling
        return needed().has_permission(request, view)


class IsOperator(BasePermission):
    """An operator with the Django permissions that the ViewSet names for the action in `operator_permissions`.

    A tuple means that all of its permissions are needed. A method that the address does not support passes here, and is
    then refused with 405, for operators who may use another method of the address. Raises SecondFactorSetupRequired for
    an operator who needs a second factor and has none.
    """

    message = gettext_noop("This is for operators with the right permission. Ask a superuser for it.")
    refusals = (SecondFactorSetupRequired,)

    def has_permission(self, request: Request, view: APIView) -> bool:
        caller = caller_if_any(request)
        if caller is None or not caller.is_staff:
            return False
        user = caller.user
        if settings.OPERATORS_NEED_SECOND_FACTOR and user.second_factor_since is None:
            raise SecondFactorSetupRequired()
        actions: Mapping[str, str] = getattr(view, "action_map", {})
        by_method = operator_permissions_of(view, actions)
        method = "GET" if request.method == "HEAD" else str(request.method)
        if method in by_method:
            return user.has_perms(by_method[method])
        # Fails closed: nobody may use an action without a named permission.
        return method.lower() not in actions and any(user.has_perms(needed) for needed in by_method.values())


def operator_permissions_of(view: Any, actions: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The permissions that an operators' address needs, by HTTP method.

    `view` is a ViewSet or its class; `actions` maps the address's methods, in lower case, to actions.
    """
    named: Mapping[str, str | tuple[str, ...]] = getattr(view, "operator_permissions", {})
    by_method = {method.upper(): named.get(action) for method, action in actions.items() if method != "head"}
    return {method: (needed,) if isinstance(needed, str) else needed for method, needed in by_method.items() if needed}


def require_other_account(operator: User, account_id: int) -> None:
    """Refuse an operator's decision about an account that they belong to (ROL-14). Raises OwnAccount."""
    if operator.account_id == account_id:
        raise OwnAccount()


def require_usable(account: Account) -> None:
    """Refuse the product to an account that has not paid, is suspended or canceled.

    An account whose trial is over can be read, and used again once a plan is paid.
    Raises PaymentRequired, AccountSuspended or AccountCanceled. Billing does not ask this: customers must be able to
    pay and come back.
    """
    if account.status == AccountStatus.TRIAL and account.trial_ends_at and account.trial_ends_at <= clock.now():
        raise PaymentRequired(TRIAL_OVER)
    if account.status == AccountStatus.PENDING_PAYMENT:
        raise PaymentRequired()
    if account.status == AccountStatus.SUSPENDED:
        raise PaymentRequired() if account.suspended_reason == SuspendedReason.NON_PAYMENT else AccountSuspended()
    if account.status == AccountStatus.CANCELED:
        raise AccountCanceled()
