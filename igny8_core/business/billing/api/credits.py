"""The credits of one's own account."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import IsMember, account_of
from igny8_core.business.billing.api.serializers import BalanceOutput, CreditTransactionOutput
from igny8_core.business.billing.models import CreditTransaction, CreditTransactionType
from igny8_core.business.billing.selectors import credit_transactions_of, live_grants_of, spendable_credits
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter
from igny8_core.common.api.views import ApiView, ListView

GRANTS_SHOWN = 100


class BalanceView(ApiView):
    permission_classes = (IsMember,)

    @extend_schema(operation_id="credit_balance", tags=["credits"], responses=BalanceOutput)
    def get(self, request: Request) -> Response:
        """Credits that can be spent now, and the lots they come from."""
        account = account_of(request)
        balance = {
            "credits": spendable_credits(account),
            "plan_credits": account.plan.included_credits,
            "grants": live_grants_of(account)[:GRANTS_SHOWN],
        }
        return success(BalanceOutput(balance).data)


@extend_schema_view(get=extend_schema(operation_id="list_credit_transactions", tags=["credits"]))
class CreditTransactionListView(ListView):
    permission_classes = (IsMember,)
    serializer_class = CreditTransactionOutput
    filters = {"transaction_type": choice_filter("transaction_type", CreditTransactionType)}
    orderings = {"created_at": "id"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[CreditTransaction]:
        return credit_transactions_of(account_of(self.request))
