"""The credits of the caller's account: balance, transactions, packages, purchases, spending."""

import json
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.callers import Reading
from igny8_core.auth.errors import AccountCanceled, AccountSuspended, PaymentRequired
from igny8_core.auth.models import Account
from igny8_core.auth.permissions import (
    CanManageBilling,
    CanWorkOnSites,
    IsMember,
    account_id_of,
    account_of,
    caller_of,
    user_of,
)
from igny8_core.business.billing.api.credit_serializers import (
    BalanceOutput,
    CreditPackageOutput,
    CreditTransactionOutput,
    ExpiringCreditsOutput,
    OperationOutput,
    PurchaseInput,
    PurchaseOutput,
    UsageBatchInput,
    UsageInput,
    UsageOutput,
)
from igny8_core.business.billing.api.quick_usage import quick_operation, quick_usage
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    InsufficientCredits,
    OperationNotOffered,
    PackageNotOffered,
    PaymentMethodNotAvailable,
    PriceMoved,
    SpendKeyReused,
)
from igny8_core.business.billing.hot_reads import balance_of, read_balance
from igny8_core.business.billing.models import CreditPackage, CreditTransaction, CreditTransactionType
from igny8_core.business.billing.selectors import (
    credit_packages,
    credit_transactions_of,
    expiring_credits,
)
from igny8_core.business.billing.services.credits.batch import Operation, use_many
from igny8_core.business.billing.services.credits.spending import use_credits
from igny8_core.business.billing.services.payments.credit_orders import buy_credits
from igny8_core.common.api.envelope import success, success_body
from igny8_core.common.api.idempotency import (
    HEADER,
    IdempotencyKeyReused,
    caller_name,
    idempotent,
    request_hash,
    written,
)
from igny8_core.common.api.query import choice_filter, whole_number
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiViewSet, ListViewSet, SingletonViewSet
from igny8_core.common.db import one_transaction
from igny8_core.common.errors import DomainError
from igny8_core.common.idempotency_store import NewAnswer, StoredAnswer, store_answers, stored_answers
from igny8_core.common.marks import gettext_noop

GRANTS_SHOWN = 100
USUAL_DAYS = 30
MAX_DAYS = 365
DAYS = {"type": "integer", "minimum": 1, "maximum": MAX_DAYS}
LOOK_AHEAD = f"How many days to look ahead, counted from now; without it {USUAL_DAYS}"
SPENT = gettext_noop("Credits spent.")
NOT_USABLE = (PaymentRequired, AccountSuspended, AccountCanceled)


class PurchaseThrottle(UserThrottle):
    scope = "purchase"


class BalanceViewSet(SingletonViewSet):
    """The account's credit balance."""

    tag = "credits"
    permission_classes = (IsMember,)

    def reading(self, request: Request) -> Reading | None:
        """The balance is read with the session."""
        return read_balance(grants_shown=GRANTS_SHOWN) if self.action == "retrieve" else None

    @extend_schema(operation_id="credit_balance", responses=BalanceOutput)
    def retrieve(self, request: Request) -> Response:
        """The credits that can be spent now, and the grants that they come from."""
        reading = read_balance(grants_shown=GRANTS_SHOWN)
        return success(balance_of(reading.rows(caller_of(request))))


class ExpiringCreditsViewSet(SingletonViewSet):
    """The account's credits that expire soon."""

    tag = "credits"
    permission_classes = (IsMember,)
    reads_person = False
    query_parameters = frozenset({"days"})

    @extend_schema(
        operation_id="expiring_credits",
        parameters=[OpenApiParameter("days", DAYS, description=LOOK_AHEAD)],
        responses=ExpiringCreditsOutput,
    )
    def retrieve(self, request: Request) -> Response:
        """Credits that can be spent now and expire within so many days, and the grants they come from."""
        days = whole_number(request.query_params, "days", default=USUAL_DAYS, most=MAX_DAYS)
        expiring = expiring_credits(_account(request), days=days, grants_shown=GRANTS_SHOWN)
        return success(ExpiringCreditsOutput(expiring).data)


@extend_schema_view(list=extend_schema(operation_id="list_credit_transactions"))
class CreditTransactionViewSet(ListViewSet):
    """The account's credit transactions: every change of the balance."""

    tag = "credits"
    permission_classes = (IsMember,)
    serializer_class = CreditTransactionOutput
    filters = {"transaction_type": choice_filter("transaction_type", CreditTransactionType)}
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[CreditTransaction]:
        return credit_transactions_of(account_of(self.request))


@extend_schema_view(list=extend_schema(operation_id="list_credit_packages"))
class CreditPackageViewSet(ListViewSet):
    """Credit packages for sale, in display order."""

    tag = "credits"
    permission_classes = (IsMember,)
    serializer_class = CreditPackageOutput
    orderings = {"sort_order": "sort_order"}
    default_ordering = "sort_order"

    def rows(self) -> QuerySet[CreditPackage]:
        return credit_packages()


class CreditPurchaseViewSet(ApiViewSet):
    """Orders of credit packages."""

    tag = "credits"
    permission_classes = (CanManageBilling,)
    throttle_classes = (PurchaseThrottle,)

    @extend_schema(operation_id="purchase_credits", request=PurchaseInput, responses={201: PurchaseOutput})
    @refuses(*NOT_USABLE, PackageNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, PriceMoved)
    @idempotent()
    def create(self, request: Request) -> Response:
        """Order a credit package. The credits are added when the invoice in the answer is paid."""
        order = self.validated(PurchaseInput)
        answer = buy_credits(
            account_of(request),
            order["package"],
            order["payment_method"],
            user_of(request),
            order.get("expected_price"),
        )
        message = _("Credits ordered. They are added when the invoice is paid.")
        return success(PurchaseOutput(answer).data, message, status=201)


class UsageViewSet(ApiViewSet):
    """Spending credits on operations."""

    tag = "credits"
    permission_classes = (CanWorkOnSites,)
    reads_person = False
    # The balance limits it.
    uses_up_writes = False

    @extend_schema(operation_id="spend_credits", request=UsageInput, responses={201: UsageOutput})
    @refuses(*NOT_USABLE, OperationNotOffered, InsufficientCredits, SpendKeyReused)
    @idempotent(required=True)
    def create(self, request: Request) -> Response:
        """Spend credits on an operation. Editors can name a site that they have access to."""
        body: Any = request.data
        operation = quick_operation(body) or self.validated(UsageInput)
        usage = use_credits(
            _account(request),
            operation["operation_type"],
            operation["quantity"],
            user=caller_of(request),
            key=request.headers[HEADER],
            site_id=operation.get("site"),
            metadata=operation.get("metadata"),
        )
        return success(quick_usage(usage), SPENT, status=201)

    @extend_schema(
        operation_id="spend_credits_in_batch",
        request=UsageBatchInput,
        responses=OperationOutput(many=True),
    )
    @action(detail=False, methods=["post"])
    @refuses(*NOT_USABLE)
    def batch(self, request: Request) -> Response:
        """Spend credits on up to 1,000 operations in one transaction. The answer has a result for each, in their order.

        A refused operation has `success: false` and does not affect the others. The keys work as in credits/usage/: an
        operation with a key that was used there, or in an earlier batch, is not charged again.
        """
        operations = [Operation(**given) for given in self.validated(UsageBatchInput)["operations"]]
        return success(_spend_batch(request, operations))


def _account(request: Request) -> Account:
    # The id is all that the service needs. Account(…) would compute the defaults of all other columns.
    return Account.from_db(DEFAULT_DB_ALIAS, ["id"], [account_id_of(request)])


def _spend_batch(request: Request, operations: list[Operation]) -> list[dict[str, Any]]:
    """Spend for the operations without a stored answer, and store answers as if each had been sent alone."""
    caller, hashes = caller_name(request), _hashes(request)
    with one_transaction():
        answers = {key: _kept(key, stored, hashes[key]) for key, stored in stored_answers(caller, list(hashes)).items()}
        new = [operation for operation in operations if operation.key not in answers]
        outcomes = use_many(_account(request), new, user=caller_of(request))
        bodies = []
        for operation, outcome in zip(new, outcomes, strict=True):
            if isinstance(outcome, DomainError):
                answers[operation.key] = _refused(operation.key, outcome)
            elif operation.key not in answers:
                usage = quick_usage(outcome)
                answers[operation.key] = _accepted(operation.key, usage)
                # The answer of the operation if sent alone, so that a repeat of either kind gets it.
                body = written(success_body(usage, SPENT))
                bodies.append(NewAnswer(operation.key, hashes[operation.key], body))
        # An answer that is stored already is about the same transaction.
        store_answers(caller, 201, bodies)
    return [answers[operation.key] for operation in operations]


def _hashes(request: Request) -> dict[str, str]:
    """By key, the request hash of each operation as if it were sent alone."""
    body: Any = request.data
    sent: list[dict[str, Any]] = body["operations"]
    address = request.path.removesuffix("batch/")
    return {
        operation["key"]: request_hash("POST", address, {name: operation[name] for name in operation if name != "key"})
        for operation in sent
    }


def _kept(key: str, stored: StoredAnswer, expected_hash: str) -> dict[str, Any]:
    if stored.request_hash != expected_hash:
        return _refused(key, IdempotencyKeyReused())
    return _accepted(key, json.loads(stored.body)["data"])


def _accepted(key: str, usage: dict[str, Any]) -> dict[str, Any]:
    return {"key": key, "success": True, "message": SPENT, "usage": usage, "code": "", "errors": {}}


def _refused(key: str, refusal: DomainError) -> dict[str, Any]:
    reason = {"code": refusal.code, "errors": refusal.errors or {}}
    return {"key": key, "success": False, "message": refusal.text, "usage": None, **reason}
