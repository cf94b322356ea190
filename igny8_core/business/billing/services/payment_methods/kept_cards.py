"""Cards that were entered to pay an invoice: kept where the customer agreed, for the renewals."""

from igny8_core.auth.models import LIVE_STATUSES, BillingDriver
from igny8_core.business.billing.gateways import card_gateway, card_method, gateway_of, traits_of
from igny8_core.business.billing.gateways.protocol import Card, UnknownObject
from igny8_core.business.billing.gateways.refusals import gateway_refusals
from igny8_core.business.billing.models import Invoice, Payment, Renewal
from igny8_core.business.billing.pricing import plan_line_of
from igny8_core.business.billing.services.payment_methods.saved import add_card_of_payment, saved_card_of
from igny8_core.common.db import require_no_transaction
from igny8_core.events.models import Event

# The name is stored with deliveries.
CONSUMER = "saved_cards"


def handle(event: Event) -> None:
    """Save the card of a payment that was begun with `save_card`. The outbox calls this at least once per event.

    Raises GatewayNotConfigured, GatewayUnavailable and GatewayMisconfigured, so that the outbox tries again.
    RuntimeError in a transaction.
    """
    require_no_transaction()
    of_account = Payment.objects.filter(account=event.account_id, pk=event.object_id).select_related("account")
    payment = of_account.first()
    if payment is None or not _saves_card(payment):
        return
    card = _card_of(payment)
    if card and card.customer_id and card.customer_id == payment.account.stripe_customer_id:
        replaces = was_declined(payment.account_id, payment.invoice_id)
        add_card_of_payment(payment.account, card, replaces_default=replaces)


def renewals_need_card_of(invoice: Invoice) -> bool:
    """Whether the card that is entered for this invoice is needed later: its plan renews, is to be paid by card, and
    there is no saved card, or the one that there is was declined for this invoice."""
    subscription, account = invoice.subscription, invoice.account
    if subscription is None or plan_line_of(invoice) is None or subscription.status not in LIVE_STATUSES:
        return False
    goes_on = subscription.billing_driver == BillingDriver.LOCAL and not subscription.cancel_at_period_end
    if not goes_on or account.default_payment_method != card_method():
        return False
    return saved_card_of(account) is None or was_declined(account.pk, invoice.pk)


def was_declined(account_id: int, invoice_id: int) -> bool:
    """Whether the account's saved card was declined for this invoice, which is a renewal's."""
    return Renewal.objects.filter(account_id=account_id, invoice_id=invoice_id, declines__gt=0).exists()


def _saves_card(payment: Payment) -> bool:
    order = payment.metadata.get("order", {})
    return bool(order.get("save_card")) and traits_of(payment.payment_method).saves_cards


def _card_of(payment: Payment) -> Card | None:
    """The card that was charged, as the gateway has it now; None if it is there no more."""
    try:
        with gateway_refusals():
            charge = gateway_of(payment.payment_method).fetch(payment.gateway_object_id)
            return card_gateway().card(charge.payment_method_id)
    except UnknownObject:
        return None
