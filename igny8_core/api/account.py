"""The caller's account: settings, limits and activity; transferring and deleting it."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.api.account_serializers import (
    ActivityOutput,
    DeleteInput,
    LimitsOutput,
    OwnSettingsInput,
    SettingsOutput,
    TransferInput,
)
from igny8_core.api.team_serializers import TeamMemberOutput
from igny8_core.auth.confirming import password_unless_confirmed
from igny8_core.auth.errors import (
    AccountSuspended,
    ConfirmationRequired,
    OwnersOnly,
    SettingsChanged,
    TeamNotManaged,
)
from igny8_core.auth.permissions import IsMember, MembersReadAdminsWrite, OwnsAccount, account_of, user_of
from igny8_core.auth.selectors import events_of
from igny8_core.auth.services.accounts import update_account_settings
from igny8_core.auth.services.memberships import transfer_ownership
from igny8_core.auth.throttles import PasswordThrottle
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.errors import MoneyOpen, SubscriptionBilledByStripe
from igny8_core.business.billing.limits import limits_of
from igny8_core.business.billing.services.payment_states.under_way import ATTEMPT_REFUSALS
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import code_filter, from_day_filter, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet, SingletonViewSet
from igny8_core.events.models import Event


class SettingsViewSet(SingletonViewSet):
    """The account's settings."""

    tag = "account"
    permission_classes = (MembersReadAdminsWrite,)

    @extend_schema(operation_id="account_settings", responses=SettingsOutput)
    def retrieve(self, request: Request) -> Response:
        """The account's settings and billing details."""
        return success(SettingsOutput(account_of(request)).data)

    @extend_schema(operation_id="update_account_settings", request=OwnSettingsInput, responses=SettingsOutput)
    @refuses(SettingsChanged)
    def partial_update(self, request: Request) -> Response:
        """Change name, time zone, language or billing details. Existing invoices keep what they were issued with.

        With the `version` that you read, nothing of others is overwritten: you are refused once they changed it.
        """
        changes = self.validated(OwnSettingsInput, partial=True)
        account = update_account_settings(account_of(request), user_of(request), **changes)
        return success(SettingsOutput(account).data, _("Saved."))


class LimitsViewSet(SingletonViewSet):
    """The account's limits."""

    tag = "account"
    permission_classes = (IsMember,)

    @extend_schema(operation_id="account_limits", responses=LimitsOutput)
    def retrieve(self, request: Request) -> Response:
        """The limits of the plan for sites, users and credits, and how much of each is used."""
        return success(LimitsOutput(limits_of(account_of(request))).data)


@extend_schema_view(list=extend_schema(operation_id="list_activity"))
class ActivityViewSet(ListViewSet):
    """The events of the account: who did what, and when. Operators' notes are not shown."""

    tag = "account"
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


class AccountViewSet(SingletonViewSet):
    """Transferring and deleting the account: for its owner, who shows that it is them."""

    tag = "account"
    permission_classes = (OwnsAccount,)
    throttle_classes = (PasswordThrottle,)

    @extend_schema(operation_id="transfer_ownership", request=TransferInput, responses=TeamMemberOutput)
    @action(detail=False, methods=["post"], url_path="transfer-ownership")
    @refuses(TeamNotManaged, OwnersOnly, ConfirmationRequired)
    def transfer_ownership(self, request: Request) -> Response:
        """Make another active member the account's owner. You stay in the team as an admin."""
        given = self.validated(TransferInput)
        password = password_unless_confirmed(request, given)
        owner = transfer_ownership(account_of(request), user_of(request), given["user"], password)
        return success(TeamMemberOutput(owner).data, _("The account has a new owner. You are an admin now."))

    @extend_schema(operation_id="delete_account", request=DeleteInput, responses={200: None})
    @action(detail=False, methods=["post"], url_path="delete")
    @refuses(
        TeamNotManaged,
        OwnersOnly,
        ConfirmationRequired,
        MoneyOpen,
        SubscriptionBilledByStripe,
        AccountSuspended,
        *ATTEMPT_REFUSALS,
    )
    def delete_account(self, request: Request) -> Response:
        """Delete the account for good. The subscription ends, members can no longer log in, and their data is erased.

        Invoices are kept, as the law requires. Refused while a payment waits for a decision or an invoice is owed. An
        open card form or PayPal order is closed first.
        """
        password = password_unless_confirmed(request, self.validated(DeleteInput))
        delete_account(account_of(request), user_of(request), password)
        return success(message=_("The account is deleted. You are logged out."))
