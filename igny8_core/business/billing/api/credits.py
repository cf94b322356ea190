"""The credits of one's own account."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.errors import AccountCanceled, AccountSuspended, PaymentRequired
from igny8_core.auth.permissions import CanManageBilling, CanWorkOnSites, IsMember, account_id_of, account_of, user_of
from igny8_core.business.billing.api.credit_serializers import (
    CreditPackageOutput,
    PurchaseInput,
    PurchaseOutput,
    UsageInput,
    UsageOutput,
)
from igny8_core.business.billing.api.serializers import BalanceOutput, CreditTransactionOutput
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    InsufficientCredits,
    OperationNotOffered,
    PackageNotOffered,
    PaymentMethodNotAvailable,
    SpendKeyReused,
)
from igny8_core.business.billing.hot_reads import balance_of
from igny8_core.business.billing.models import CreditPackage, CreditTransaction, CreditTransactionType
from igny8_core.business.billing.selectors import (
    credit_packages,
    credit_transactions_of,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.purchase_service import PurchaseService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import HEADER, idempotent
from igny8_core.common.api.query import choice_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiView, ListView

GRANTS_SHOWN = 100
NOT_USABLE = (PaymentRequired, AccountSuspended, AccountCanceled)


class PurchaseThrottle(UserThrottle):
    scope = "purchase"


class BalanceView(ApiView):
    permission_classes = (IsMember,)
    reads_person = False

    @extend_schema(operation_id="credit_balance", tags=["credits"], responses=BalanceOutput)
    def get(self, request: Request) -> Response:
        """Credits that can be spent now, and the lots they come from."""
        return success(BalanceOutput(balance_of(account_id_of(request), lots=GRANTS_SHOWN)).data)


@extend_schema_view(get=extend_schema(operation_id="list_credit_transactions", tags=["credits"]))
class CreditTransactionListView(ListView):
    """The account's credit ledger: every change of the balance."""

    permission_classes = (IsMember,)
    serializer_class = CreditTransactionOutput
    filters = {"transaction_type": choice_filter("transaction_type", CreditTransactionType)}
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[CreditTransaction]:
        return credit_transactions_of(account_of(self.request))


@extend_schema_view(get=extend_schema(operation_id="list_credit_packages", tags=["credits"]))
class CreditPackageListView(ListView):
    """Credits for sale, in display order."""

    permission_classes = (IsMember,)
    serializer_class = CreditPackageOutput
    orderings = {"sort_order": "sort_order"}
    default_ordering = "sort_order"

    def rows(self) -> QuerySet[CreditPackage]:
        return credit_packages()


class PurchaseView(ApiView):
    permission_classes = (CanManageBilling,)
    throttle_classes = (PurchaseThrottle,)

    @extend_schema(
        operation_id="purchase_credits", tags=["credits"], request=PurchaseInput, responses={201: PurchaseOutput}
    )
    @refuses(*NOT_USABLE, PackageNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured)
    @idempotent()
    def post(self, request: Request) -> Response:
        """Order a credit package. Its credits are granted when the invoice in the answer is paid."""
        order = self.validated(PurchaseInput)
        answer = PurchaseService.buy_credits(
            account_of(request), order["package"], order["payment_method"], user_of(request)
        )
        message = "Credits ordered. They are added when the invoice is paid."
        return success(PurchaseOutput(answer).data, message, status=201)


class UsageView(ApiView):
    permission_classes = (CanWorkOnSites,)

    @extend_schema(operation_id="spend_credits", tags=["credits"], request=UsageInput, responses={201: UsageOutput})
    @refuses(*NOT_USABLE, OperationNotOffered, InsufficientCredits, SpendKeyReused)
    @idempotent(required=True)
    def post(self, request: Request) -> Response:
        """Spend what an operation costs. Editors name sites that they have access to, or none."""
        operation = self.validated(UsageInput)
        usage = CreditService.use(
            account_of(request),
            operation["operation_type"],
            operation["quantity"],
            user=user_of(request),
            key=request.headers[HEADER],
            site_id=operation.get("site"),
            metadata=operation.get("metadata"),
        )
        return success(UsageOutput(usage).data, "Credits spent.", status=201)
