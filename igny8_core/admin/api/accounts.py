"""All accounts, for operators: reading, suspending, reinstating, and adjusting credits."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.account_serializers import (
    AccountCountsOutput,
    AccountDetailOutput,
    AccountFullOutput,
    AccountRowOutput,
    AccountStatusOutput,
    AdjustInput,
    AdjustOutput,
    OpenInvoiceOutput,
    OperatorEventOutput,
    OperatorMemberOutput,
    ReasonInput,
)
from igny8_core.admin.api.dunning_serializers import DunningOutput
from igny8_core.auth.errors import AccountDeleted, NotOnTrial, NotSuspended, OwnAccount, SuspensionLiftedByPayment
from igny8_core.auth.models import Account, AccountStatus
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.auth.selectors import account_with_id, accounts_matching, all_accounts, events_of, members_of
from igny8_core.auth.services.accounts import reinstate_account, suspend_account
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.models import InvoiceStatus
from igny8_core.business.billing.reports import account_counts
from igny8_core.business.billing.selectors import invoices_of, live_subscription_of
from igny8_core.business.billing.serializers import LaterDayInput, SubscriptionOutput
from igny8_core.business.billing.services.credits.granting import adjust_credits
from igny8_core.business.billing.services.dunning.outlook import dunning_of
from igny8_core.business.billing.services.dunning.pauses import exempt_account
from igny8_core.business.billing.services.dunning.trials import extend_trial
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import choice_filter, code_filter, from_day_filter, search_by, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound, TransitionNotAllowed

SHOWN = 100
EVENTS_SHOWN = 10


@extend_schema_view(list=extend_schema(operation_id="operator_list_accounts"))
class OperatorAccountViewSet(ListViewSet):
    """Accounts. `search` matches the beginning of the name, slug, owner's or billing e-mail address."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "igny8_auth.view_account",
        "retrieve": "igny8_auth.view_account",
        "suspend": "igny8_auth.suspend_account",
        "activate": "igny8_auth.suspend_account",
        "adjust_credits": "igny8_auth.adjust_credits",
        "dunning": ("igny8_auth.view_account", "billing.view_invoice"),
        "exempt": "igny8_auth.decide_dunning",
        "extend_trial": "igny8_auth.decide_dunning",
    }
    lookup_url_kwarg = "account_id"
    serializer_class = AccountRowOutput
    filters = {
        "search": search_by(accounts_matching),
        "status": choice_filter("status", AccountStatus),
        "plan": code_filter("plan__slug", "[-a-zA-Z0-9_]{1,50}", "the slug of a plan, for example starter"),
        "created_from": from_day_filter("created_at"),
        "created_to": to_day_filter("created_at"),
    }
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Account]:
        return all_accounts()

    @extend_schema(operation_id="operator_retrieve_account", responses=AccountDetailOutput)
    def retrieve(self, request: Request, account_id: int) -> Response:
        """One account, with members, subscription, open invoices and latest events."""
        return success(account_sheet(existing_account(account_id)))

    @extend_schema(operation_id="operator_suspend_account", request=ReasonInput, responses=AccountStatusOutput)
    @action(detail=True, methods=["post"])
    @refuses(TransitionNotAllowed, OwnAccount)
    def suspend(self, request: Request, account_id: int) -> Response:
        """Stop an account from using the product until an operator activates it. Its members can still pay."""
        reason = self.validated(ReasonInput)["reason"]
        account = suspend_account(existing_account(account_id), reason, user_of(request))
        return success(AccountStatusOutput(account).data, "Account suspended.")

    @extend_schema(operation_id="operator_activate_account", request=ReasonInput, responses=AccountStatusOutput)
    @action(detail=True, methods=["post"])
    @refuses(NotSuspended, SuspensionLiftedByPayment, OwnAccount)
    def activate(self, request: Request, account_id: int) -> Response:
        """Lift an operator's suspension. The new `status` follows from the account's subscription."""
        reason = self.validated(ReasonInput)["reason"]
        account = reinstate_account(existing_account(account_id), reason, user_of(request))
        return success(AccountStatusOutput(account).data, f"Suspension lifted. The account is {account.status}.")

    @extend_schema(operation_id="operator_adjust_credits", request=AdjustInput, responses=AdjustOutput)
    @action(detail=True, methods=["post"], url_path="adjust-credits")
    @refuses(InsufficientCredits, OwnAccount, AccountDeleted)
    @idempotent()
    def adjust_credits(self, request: Request, account_id: int) -> Response:
        """Add credits by hand, or take some. The balance cannot go below zero."""
        adjustment, account = self.validated(AdjustInput), existing_account(account_id)
        amount, reason = adjustment["amount"], adjustment["reason"]
        entry = adjust_credits(account, amount, reason=reason, adjusted_by=user_of(request))
        result = {
            "account_id": account.pk,
            "amount": amount,
            "credits": entry.balance_after,
            "transaction_id": entry.id,
        }
        return success(AdjustOutput(result).data, "Credits adjusted.")

    @extend_schema(operation_id="operator_retrieve_dunning", responses=DunningOutput)
    @action(detail=True)
    def dunning(self, request: Request, account_id: int) -> Response:
        """Unpaid invoices of an account: what was done about each, what holds its clock, and what comes next."""
        return success(DunningOutput(dunning_of(existing_account(account_id))).data)

    @extend_schema(operation_id="operator_exempt_account", request=LaterDayInput, responses=DunningOutput)
    @action(detail=True, methods=["post"])
    @refuses(OwnAccount, AccountDeleted)
    def exempt(self, request: Request, account_id: int) -> Response:
        """Let the clock of all unpaid invoices stand still until the end of a day; today's date ends an exemption."""
        decision, account = self.validated(LaterDayInput), existing_account(account_id)
        exempt_account(account, decision["until"], decision["reason"], user_of(request))
        message = f"The account is exempt until the end of {decision['until']}."
        return success(DunningOutput(dunning_of(existing_account(account_id))).data, message)

    @extend_schema(operation_id="operator_extend_trial", request=LaterDayInput, responses=DunningOutput)
    @action(detail=True, methods=["post"], url_path="extend-trial")
    @refuses(OwnAccount, AccountDeleted, NotOnTrial)
    def extend_trial(self, request: Request, account_id: int) -> Response:
        """Set the last day of a trial, also of one that is over or that had no end."""
        decision, account = self.validated(LaterDayInput), existing_account(account_id)
        extend_trial(account, decision["until"], decision["reason"], user_of(request))
        message = f"The trial ends with {decision['until']}."
        return success(DunningOutput(dunning_of(existing_account(account_id))).data, message)


def existing_account(account_id: int) -> Account:
    """The account with this id. Raises NotFound."""
    account = account_with_id(account_id)
    if account is None:
        raise NotFound()
    return account


def account_sheet(account: Account) -> dict[str, Any]:
    """The data of AccountDetailOutput."""
    subscription = live_subscription_of(account)
    open_invoices = invoices_of(account).filter(status=InvoiceStatus.PENDING)
    last_events = events_of(account).select_related("account", "actor")[:EVENTS_SHOWN]
    return {
        **AccountFullOutput(account).data,
        "subscription": SubscriptionOutput(subscription).data if subscription else None,
        "counts": AccountCountsOutput(account_counts(account)).data,
        "people": OperatorMemberOutput(members_of(account)[:SHOWN], many=True).data,
        "open_invoices": OpenInvoiceOutput(open_invoices[:SHOWN], many=True).data,
        "events": OperatorEventOutput(last_events, many=True).data,
    }
