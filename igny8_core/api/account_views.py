"""One's own account: what it says of itself, its limits, what happened in it, handing it over, deleting it."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.api.limits import limits_of
from igny8_core.api.serializers import (
    ActivityOutput,
    DeleteInput,
    LimitsOutput,
    SettingsInput,
    TeamMemberOutput,
    TransferInput,
)
from igny8_core.auth.errors import AccountSuspended, OwnersOnly, TeamNotManaged
from igny8_core.auth.permissions import CanManageTeam, IsMember, OwnsAccount, account_of, user_of
from igny8_core.auth.selectors import events_of
from igny8_core.auth.serializers import AccountOutput
from igny8_core.auth.services.account_service import AccountService
from igny8_core.auth.services.membership_service import MembershipService
from igny8_core.auth.throttles import PasswordThrottle
from igny8_core.business.billing.errors import MoneyOpen, SubscriptionBilledByStripe
from igny8_core.business.closure.service import close_account
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import code_filter, from_day_filter, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ApiView, ListView
from igny8_core.events.models import Event


class SettingsPermission(BasePermission):
    """Members read, owner and admin write."""

    message = CanManageTeam.message

    def has_permission(self, request: Request, view: ApiView) -> bool:  # type: ignore[override]
        needed = IsMember if request.method in SAFE_METHODS else CanManageTeam
        return needed().has_permission(request, view)


class SettingsView(ApiView):
    permission_classes = (SettingsPermission,)

    @extend_schema(operation_id="account_settings", tags=["account"], responses=AccountOutput)
    def get(self, request: Request) -> Response:
        """What the account says of itself, with its billing details."""
        return success(AccountOutput(account_of(request)).data)

    @extend_schema(
        operation_id="update_account_settings", tags=["account"], request=SettingsInput, responses=AccountOutput
    )
    def patch(self, request: Request) -> Response:
        """Change name, time zone or billing details. Invoices keep the details that they were made with."""
        changes = self.validated(SettingsInput, partial=True)
        account = AccountService.update_settings(account_of(request), user_of(request), **changes)
        return success(AccountOutput(account).data, "Saved.")


class LimitsView(ApiView):
    permission_classes = (IsMember,)

    @extend_schema(operation_id="account_limits", tags=["account"], responses=LimitsOutput)
    def get(self, request: Request) -> Response:
        """How much of the plan's sites, users and credits is used."""
        return success(LimitsOutput(limits_of(account_of(request))).data)


@extend_schema_view(get=extend_schema(operation_id="list_activity", tags=["account"]))
class ActivityView(ListView):
    """What happened in the account: who did what, when. Notes of operators are not shown."""

    permission_classes = (IsMember,)
    serializer_class = ActivityOutput
    filters = {
        "type": code_filter("type", r"[a-z_]{1,30}\.[a-z_]{1,30}", "the type of an event, such as payment.approved"),
        "date_from": from_day_filter("created_at"),
        "date_to": to_day_filter("created_at"),
    }
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Event]:
        return events_of(account_of(self.request))


class TransferOwnershipView(ApiView):
    permission_classes = (OwnsAccount,)
    throttle_classes = (PasswordThrottle,)

    @extend_schema(
        operation_id="transfer_ownership", tags=["account"], request=TransferInput, responses=TeamMemberOutput
    )
    @refuses(TeamNotManaged, OwnersOnly)
    def post(self, request: Request) -> Response:
        """Make another active member the account's owner. Whoever hands it over stays in the team as an admin."""
        given = self.validated(TransferInput)
        owner = MembershipService.transfer_ownership(
            account_of(request), user_of(request), given["user"], given["password"]
        )
        return success(TeamMemberOutput(owner).data, "The account has a new owner. You are an admin of it now.")


class DeleteAccountView(ApiView):
    permission_classes = (OwnsAccount,)
    throttle_classes = (PasswordThrottle,)

    @extend_schema(operation_id="delete_account", tags=["account"], request=DeleteInput, responses={200: None})
    @refuses(TeamNotManaged, OwnersOnly, MoneyOpen, SubscriptionBilledByStripe, AccountSuspended)
    def post(self, request: Request) -> Response:
        """Delete the account for good: the subscription ends at once, nobody can log in any more, people are erased.

        Invoices are kept, as the law asks. Refused while money is open: a payment under way, or an invoice owed.
        """
        close_account(account_of(request), user_of(request), self.validated(DeleteInput)["password"])
        return success(message="The account is deleted. You are logged out.")
