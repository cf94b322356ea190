"""The payments of the caller's account: listing them, and continuing one."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of
from igny8_core.business.billing.api.paying import GATEWAY_REFUSALS, PAY_MESSAGES
from igny8_core.business.billing.api.payment_serializers import AttemptOutput
from igny8_core.business.billing.errors import (
    PaymentNotAtGateway,
    PaymentNotFound,
)
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.selectors import payments_of
from igny8_core.business.billing.serializers import (
    PaymentOutput,
)
from igny8_core.business.billing.services.collection.gateway_payments import complete_payment
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter, id_filter, search_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.views import ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_payments"))
class PaymentViewSet(ListViewSet):
    """The account's payments. `search` matches any part of the reference or of the invoice number."""

    tag = "billing"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "payment_id"
    serializer_class = PaymentOutput
    filters = {
        "status": choice_filter("status", PaymentStatus),
        "payment_method": choice_filter("payment_method", PaymentMethodType),
        "invoice": id_filter("invoice"),
        "search": search_filter("manual_reference__icontains", "invoice__invoice_number__icontains"),
    }
    orderings = {"created_at": "id", "amount": "amount"}
    default_ordering = "-created_at"

    def rows(self) -> QuerySet[Payment]:
        return payments_of(account_of(self.request))

    @extend_schema(operation_id="complete_payment", request=None, responses=AttemptOutput)
    @action(detail=True, methods=["post"], permission_classes=(CanManageBilling,))
    @refuses(PaymentNotFound, PaymentNotAtGateway, *GATEWAY_REFUSALS)
    def complete(self, request: Request, payment_id: int) -> Response:
        """Continue a card or PayPal payment after the customer is done at Stripe or PayPal. It can be repeated.

        An approved PayPal payment is captured now. In any case we ask the gateway, and its answer counts.
        """
        self.validated(StrictSerializer)
        payment = self.rows().filter(pk=payment_id).first()
        if payment is None:
            raise PaymentNotFound()
        attempt = complete_payment(payment)
        return success(AttemptOutput(attempt).data, PAY_MESSAGES[attempt.next_step])
