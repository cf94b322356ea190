"""Configured payment methods, for operators."""

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.confirming import needs_confirmation
from igny8_core.auth.models import PaymentMethodType
from igny8_core.auth.permissions import IsOperator, user_of
from igny8_core.business.billing.errors import PaymentMethodConfigured
from igny8_core.business.billing.models import PAYEE_COLUMNS, PaymentMethodConfig
from igny8_core.business.billing.selectors import payment_method_configs
from igny8_core.business.billing.serializers import OperatorPaymentMethodOutput, PaymentMethodInput
from igny8_core.business.billing.services.payment_methods.configuration import (
    configure_payment_method,
    remove_payment_method,
    update_payment_method,
)
from igny8_core.common.api.envelope import success
from igny8_core.common.api.query import choice_filter, code_filter, flag_filter
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import NotFound


def changes_payee(view: ListViewSet, request: Request, config_id: int) -> bool:
    """Whether the request changes where customers send their money."""
    return isinstance(request.data, dict) and any(name in request.data for name in PAYEE_COLUMNS)


@extend_schema_view(list=extend_schema(operation_id="operator_list_payment_methods"))
class OperatorPaymentMethodViewSet(ListViewSet):
    """All configured payment methods, including those that are switched off."""

    tag = "operators"
    permission_classes = (IsOperator,)
    operator_permissions = {
        "list": "billing.view_paymentmethodconfig",
        "create": "billing.add_paymentmethodconfig",
        "retrieve": "billing.view_paymentmethodconfig",
        "partial_update": "billing.change_paymentmethodconfig",
        "destroy": "billing.delete_paymentmethodconfig",
    }
    lookup_url_kwarg = "config_id"
    serializer_class = OperatorPaymentMethodOutput
    filters = {
        "country": code_filter("country_code", r"[A-Z]{2}|\*", "two capital letters (ISO 3166-1), or *"),
        "payment_method": choice_filter("payment_method", PaymentMethodType),
        "is_enabled": flag_filter(Q(is_enabled=True)),
    }
    orderings = {"sort_order": "sort_order", "country": "country_code"}
    default_ordering = "sort_order"

    def rows(self) -> QuerySet[PaymentMethodConfig]:
        return payment_method_configs()

    @extend_schema(
        operation_id="operator_create_payment_method",
        request=PaymentMethodInput,
        responses={201: OperatorPaymentMethodOutput},
    )
    @needs_confirmation()
    @refuses(PaymentMethodConfigured)
    def create(self, request: Request) -> Response:
        """Offer a method in a country, or with * in all countries without a row of their own for it."""
        config = configure_payment_method(user_of(request), **self.validated(PaymentMethodInput))
        return success(OperatorPaymentMethodOutput(config).data, "Payment method configured.", status=201)

    @extend_schema(operation_id="operator_retrieve_payment_method", responses=OperatorPaymentMethodOutput)
    def retrieve(self, request: Request, config_id: int) -> Response:
        """One configured method."""
        return success(OperatorPaymentMethodOutput(existing_config(config_id)).data)

    @extend_schema(
        operation_id="operator_update_payment_method", request=PaymentMethodInput, responses=OperatorPaymentMethodOutput
    )
    @needs_confirmation(when=changes_payee)
    @refuses(PaymentMethodConfigured)
    def partial_update(self, request: Request, config_id: int) -> Response:
        """Change what customers see. With `is_enabled` false the method is hidden in that country."""
        changes = self.validated(PaymentMethodInput, partial=True)
        config = update_payment_method(existing_config(config_id), user_of(request), **changes)
        return success(OperatorPaymentMethodOutput(config).data, "Saved.")

    @extend_schema(operation_id="operator_delete_payment_method", responses={200: None})
    @needs_confirmation()
    def destroy(self, request: Request, config_id: int) -> Response:
        """Delete a row. The country then offers what the row for * says."""
        remove_payment_method(existing_config(config_id), user_of(request))
        return success(message="Payment method removed.")


def existing_config(config_id: int) -> PaymentMethodConfig:
    """The configured method with this id. Raises NotFound."""
    config = payment_method_configs().filter(pk=config_id).first()
    if config is None:
        raise NotFound()
    return config
