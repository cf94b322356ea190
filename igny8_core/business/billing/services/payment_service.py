"""Payments for use in a shell. Each call forwards to the function that does the work."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from igny8_core.auth.models import PaymentMethodType, User
from igny8_core.business.billing.models import Invoice, Payment, PaymentMethodConfig
from igny8_core.business.billing.offers import offered_payment_methods
from igny8_core.business.billing.services.collection.attempts import Attempt
from igny8_core.business.billing.services.collection.gateway_payments import (
    complete_payment,
    pay_through_gateway,
    sync_payment,
)
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payments import offline
from igny8_core.business.billing.services.refunds.refunding import process_refund
from igny8_core.common.errors import InvalidInput


class PaymentService:
    """Payments by bank, wallet, card and PayPal, and the operators' decisions about them."""

    create_manual_payment = staticmethod(offline.create_manual_payment)
    approve_manual_payment = staticmethod(offline.approve_manual_payment)
    reject_manual_payment = staticmethod(offline.reject_manual_payment)
    process_refund = staticmethod(process_refund)
    complete_payment = staticmethod(complete_payment)

    @staticmethod
    def get_available_payment_methods(country_code: str = "") -> list[PaymentMethodConfig]:
        """The payment methods offered in a country (ISO 3166-1 alpha-2; empty: the global ones), by sort order."""
        return offered_payment_methods(country_code)

    @staticmethod
    def create_stripe_payment(
        invoice: Invoice,
        payment_method_id: str = "",
        *,
        off_session: bool = False,
        save_card: bool = False,
        return_url: str = "",
        started_by: User | None = None,
        request_key: str = "",
    ) -> Attempt:
        """Pay an invoice by card: at once with a saved card, otherwise the customer enters a card in the browser.

        `payment_method_id`: the saved card's id at Stripe (pm_…). With test keys, Stripe's own test cards
        (pm_card_visa, …) work too. `off_session`: the customer is not present, as at a renewal; if the bank wants their
        confirmation, the invoice stays open and they get a mail with a link. `save_card`: keep a card that is entered
        now. `return_url`: where the bank sends the customer back to (empty: the invoice's payment page).
        Raises what pay_through_gateway raises. RuntimeError in a transaction.
        """
        return pay_through_gateway(
            invoice,
            PaymentMethodType.STRIPE,
            card=payment_method_id,
            off_session=off_session,
            save_card=save_card,
            return_url=return_url or pay_link(invoice),
            started_by=started_by,
            request_key=request_key,
        )

    @staticmethod
    def create_paypal_payment(
        invoice: Invoice, *, return_url: str = "", started_by: User | None = None, request_key: str = ""
    ) -> Attempt:
        """Open an order at PayPal for an invoice. The customer approves it at `attempt.charge.approve_url`.

        Raises what pay_through_gateway raises. RuntimeError in a transaction.
        """
        return pay_through_gateway(
            invoice,
            PaymentMethodType.PAYPAL,
            return_url=return_url or pay_link(invoice),
            started_by=started_by,
            request_key=request_key,
        )

    @staticmethod
    def handle_stripe_success(payment_intent: object) -> Payment | None:
        """Ask Stripe about a PaymentIntent and record its answer; None if the PaymentIntent is not ours.

        `payment_intent`: its id (pi_…), or an object or dict with that `id`. Nothing else in it is believed: Stripe is
        asked. Raises InvalidInput, PaymentNotFound, GatewayUnavailable, GatewayMisconfigured,
        GatewayNotConfigured. RuntimeError in a transaction.
        """
        return sync_payment(PaymentMethodType.STRIPE, _id_of(payment_intent))

    @staticmethod
    def handle_stripe_failure(payment_intent: object) -> Payment | None:
        """The same as handle_stripe_success: Stripe is asked, so a payment that has succeeded stays succeeded."""
        return sync_payment(PaymentMethodType.STRIPE, _id_of(payment_intent))

    @staticmethod
    def handle_paypal_success(order_id: object, capture_id: object = "") -> Payment | None:
        """Ask PayPal about an order, capture it if the customer has approved it, and record PayPal's answer.

        `order_id`: the order's id, or an object or dict with that `id`. `capture_id` is ignored: PayPal's order names
        its own capture. Raises what handle_stripe_success raises.
        """
        return sync_payment(PaymentMethodType.PAYPAL, _id_of(order_id))

    @staticmethod
    def handle_paypal_failure(order_id: object) -> Payment | None:
        """The same as handle_paypal_success: PayPal is asked, so a payment that has succeeded stays succeeded."""
        return sync_payment(PaymentMethodType.PAYPAL, _id_of(order_id))


def _id_of(named: object) -> str:
    """The gateway's id in what a caller passes: the id itself, or the `id` of an object or dict."""
    found = named.get("id") if isinstance(named, Mapping) else getattr(named, "id", named)
    if not isinstance(found, str) or not found:
        raise InvalidInput(_("No id was found. Pass the gateway's id as text, or the gateway's object with its id."))
    return found
