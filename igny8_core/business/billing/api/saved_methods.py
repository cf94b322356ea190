"""The saved payment methods of the caller's account."""

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, user_of
from igny8_core.business.billing.api.paying import CARD_REFUSALS, PayThrottle
from igny8_core.business.billing.api.saved_method_serializers import (
    CardSetupOutput,
    SavedMethodInput,
    SavedMethodOutput,
)
from igny8_core.business.billing.errors import (
    CardSetupIncomplete,
    PaymentMethodNotAvailable,
    SavedMethodDisabled,
    SavedMethodExists,
    SavedMethodNotFound,
)
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.selectors import saved_methods_of
from igny8_core.business.billing.services.payment_methods.cards import begin_card, finish_card
from igny8_core.business.billing.services.payment_methods.saved import add_method, make_default, remove_method
from igny8_core.common.api.envelope import success
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.views import ApiViewSet, ListViewSet


@extend_schema_view(list=extend_schema(operation_id="list_saved_payment_methods"))
class SavedMethodListViewSet(ListViewSet):
    """The account's saved payment methods. One of them is the default."""

    tag = "billing"
    permission_classes = (IsMember,)
    serializer_class = SavedMethodOutput
    orderings = {"created_at": "id"}
    default_ordering = "created_at"

    def rows(self) -> QuerySet[AccountPaymentMethod]:
        return saved_methods_of(account_of(self.request))


class SavedMethodViewSet(ApiViewSet):
    """Saving payment methods, choosing the default, deleting them. Their list has an address of its own."""

    tag = "billing"
    permission_classes = (CanManageBilling,)
    lookup_url_kwarg = "method_id"

    @extend_schema(operation_id="set_up_card", request=None, responses={201: CardSetupOutput})
    @action(detail=False, methods=["post"], url_path="setup", throttle_classes=(PayThrottle,))
    @refuses(PaymentMethodNotAvailable, *CARD_REFUSALS)
    def set_up_card(self, request: Request) -> Response:
        """Start saving a card. The customer enters it in Stripe's form, with the client secret in the answer."""
        self.validated(StrictSerializer)
        setup = begin_card(account_of(request), user_of(request))
        return success(CardSetupOutput(setup).data, _("Enter the card in Stripe's form."), status=201)

    @extend_schema(
        operation_id="add_saved_payment_method", request=SavedMethodInput, responses={201: SavedMethodOutput}
    )
    @action(detail=False, methods=["post"])
    @refuses(PaymentMethodNotAvailable, SavedMethodExists, SavedMethodNotFound, CardSetupIncomplete, *CARD_REFUSALS)
    def add(self, request: Request) -> Response:
        """Save a payment method that the account's country offers. The first one becomes the default.

        For a card, first call payment-methods/setup/, let the customer enter the card, then send its `setup` here.
        """
        method, account, user = self.validated(SavedMethodInput), account_of(request), user_of(request)
        if method["setup"]:
            saved = finish_card(account, method["setup"], user)
        else:
            saved = add_method(account, method["type"], method["display_name"], user)
        return success(SavedMethodOutput(saved).data, _("Payment method saved."), status=201)

    @extend_schema(operation_id="make_payment_method_default", request=None, responses=SavedMethodOutput)
    @action(detail=True, methods=["post"], url_path="default")
    @refuses(SavedMethodNotFound, SavedMethodDisabled)
    def make_default(self, request: Request, method_id: int) -> Response:
        """Make a saved payment method the default, which is used if a request names no other."""
        self.validated(StrictSerializer)
        chosen = make_default(account_of(request), method_id, user_of(request))
        return success(SavedMethodOutput(chosen).data, _("This is now the default payment method."))

    @extend_schema(operation_id="delete_saved_payment_method", responses={200: None})
    @refuses(SavedMethodNotFound)
    def destroy(self, request: Request, method_id: int) -> Response:
        """Delete a saved payment method. If it was the default, the oldest of the others becomes the default."""
        remove_method(account_of(request), method_id, user_of(request))
        return success(message=_("Payment method deleted."))
