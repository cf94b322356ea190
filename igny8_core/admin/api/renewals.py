"""All renewals, for operators: what is ahead and behind, and trying one again."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.admin.api.renewal_serializers import RenewalCountsOutput, RenewalOutput
from igny8_core.auth.errors import OwnAccount
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.errors import RenewalNotRetryable
from igny8_core.business.billing.models import Renewal, RenewalStatus
from igny8_core.business.billing.selectors import Timing, all_renewals, renewal_counts, renewals_in_time
from igny8_core.business.billing.services.renewals.retrying import retry_renewal
from igny8_core.common.api.envelope import success
from igny8_core.common.api.idempotency import idempotent
from igny8_core.common.api.query import Filter, choice_filter, from_day_filter, id_filter, to_day_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound


def _in_time(rows: QuerySet[Renewal], value: str) -> QuerySet[Renewal]:
    if value not in Timing.values:
        raise ValidationError(f"Expected one of: {', '.join(Timing.values)}.")
    return renewals_in_time(rows, Timing(value))


@extend_schema_view(list=extend_schema(operation_id="operator_list_renewals"))
class OperatorRenewalViewSet(ListViewSet):
    """Further periods of subscriptions. `timing` ahead: open and due later; behind: due and unpaid."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "billing.view_renewal",
        "retrieve": "billing.view_renewal",
        "counts": "billing.view_renewal",
        "retry": "billing.retry_renewal",
    }
    lookup_url_kwarg = "renewal_id"
    serializer_class = RenewalOutput
    filters = {
        "status": choice_filter("status", RenewalStatus),
        "timing": Filter(_in_time, {"type": "string", "enum": list(Timing.values)}),
        "account": id_filter("account_id"),
        "from_day": from_day_filter("period_start"),
        "to_day": to_day_filter("period_start"),
    }
    orderings = {"created_at": "id", "period_start": "period_start"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Renewal]:
        return all_renewals()

    @extend_schema(operation_id="operator_retrieve_renewal", responses=RenewalOutput)
    def retrieve(self, request: Request, renewal_id: int) -> Response:
        """One renewal, with its invoice and what was done to collect it."""
        return success(RenewalOutput(renewal_with_id(renewal_id)).data)

    @extend_schema(operation_id="operator_count_renewals", responses=RenewalCountsOutput)
    @action(detail=False)
    def counts(self, request: Request) -> Response:
        """How many renewals are ahead, behind, paid early, declined, and charged within a day."""
        return success(RenewalCountsOutput(renewal_counts()).data)

    @extend_schema(operation_id="operator_retry_renewal", request=None, responses=RenewalOutput)
    @action(detail=True, methods=["post"])
    @refuses(RenewalNotRetryable, OwnAccount)
    @idempotent(asks_gateway=lambda *args, **kwargs: True)
    def retry(self, request: Request, renewal_id: int) -> Response:
        """Do now what is next: charge the saved card of a due renewal, begin a paid one, invoice a voided one again."""
        renewal = retry_renewal(renewal_with_id(renewal_id), user_of(request))
        return success(RenewalOutput(renewal).data, f"The renewal is {renewal.get_status_display().lower()}.")


def renewal_with_id(renewal_id: int) -> Renewal:
    """Any account's renewal with this id. Raises NotFound."""
    renewal = all_renewals().filter(pk=renewal_id).first()
    if renewal is None:
        raise NotFound()
    return renewal
