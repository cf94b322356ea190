"""The ways of paying that one's own account has saved."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, user_of
from igny8_core.business.billing.api.payment_serializers import CardSetupOutput, SavedMethodInput, SavedMethodOutput
from igny8_core.business.billing.errors import (
    CardSetupIncomplete,
    GatewayMisconfigured,
    GatewayNotConfigured,
    GatewayUnavailable,
    PaymentMethodNotAvailable,
    SavedMethodDisabled,
    SavedMethodExists,
    SavedMethodNotFound,
)
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.selectors import saved_methods_of
from igny8_core.business.billing.services.card_service import CardService
from igny8_core.business.billing.services.saved_method_service import SavedMethodService
from igny8_core.common.api.envelope import success
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.views import ApiView, ListView

CARD_REFUSALS = (GatewayNotConfigured, GatewayUnavailable, GatewayMisconfigured)


@extend_schema_view(get=extend_schema(operation_id="list_saved_payment_methods", tags=["billing"]))
class SavedMethodListView(ListView):
    """The account's saved payment methods; one of them is the default."""

    permission_classes = (IsMember,)
    serializer_class = SavedMethodOutput
    orderings = {"created_at": "id"}
    default_ordering = "created_at"

    def rows(self) -> QuerySet[AccountPaymentMethod]:
        return saved_methods_of(account_of(self.request))


class CardThrottle(UserThrottle):
    """Against trying cards one after the other: they count with payments."""

    scope = "pay"


class SetUpCardView(ApiView):
    permission_classes = (CanManageBilling,)
    throttle_classes = (CardThrottle,)

    @extend_schema(operation_id="set_up_card", tags=["billing"], request=None, responses={201: CardSetupOutput})
    @refuses(PaymentMethodNotAvailable, *CARD_REFUSALS)
    def post(self, request: Request) -> Response:
        """Begin to save a card: the customer enters it in Stripe's form, with the client secret of the answer."""
        self.validated(StrictSerializer)
        setup = CardService.begin(account_of(request), user_of(request))
        return success(CardSetupOutput(setup).data, "Enter the card in the form of the payment service.", status=201)


class AddSavedMethodView(ApiView):
    permission_classes = (CanManageBilling,)

    @extend_schema(
        operation_id="add_saved_payment_method",
        tags=["billing"],
        request=SavedMethodInput,
        responses={201: SavedMethodOutput},
    )
    @refuses(PaymentMethodNotAvailable, SavedMethodExists, SavedMethodNotFound, CardSetupIncomplete, *CARD_REFUSALS)
    def post(self, request: Request) -> Response:
        """Save a way of paying that is offered in the account's country; the first one becomes the default.

        A card is named by its setup (payment-methods/setup/), after the customer has entered it.
        """
        method, account, user = self.validated(SavedMethodInput), account_of(request), user_of(request)
        if method["setup"]:
            saved = CardService.finish(account, method["setup"], user)
        else:
            saved = SavedMethodService.add(account, method["type"], method["display_name"], user)
        return success(SavedMethodOutput(saved).data, "Payment method saved.", status=201)


class DefaultSavedMethodView(ApiView):
    permission_classes = (CanManageBilling,)

    @extend_schema(
        operation_id="make_payment_method_default", tags=["billing"], request=None, responses=SavedMethodOutput
    )
    @refuses(SavedMethodNotFound, SavedMethodDisabled)
    def post(self, request: Request, method_id: int) -> Response:
        """Make a saved payment method the one that is used where none is named."""
        self.validated(StrictSerializer)
        chosen = SavedMethodService.make_default(account_of(request), method_id, user_of(request))
        return success(SavedMethodOutput(chosen).data, "This is the default payment method now.")


class SavedMethodView(ApiView):
    permission_classes = (CanManageBilling,)

    @extend_schema(operation_id="delete_saved_payment_method", tags=["billing"], responses={200: None})
    @refuses(SavedMethodNotFound)
    def delete(self, request: Request, method_id: int) -> Response:
        """Delete a saved payment method; where it was the default, the oldest other one takes its place."""
        SavedMethodService.remove(account_of(request), method_id, user_of(request))
        return success(message="Payment method deleted.")
