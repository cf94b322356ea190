"""Pay an open invoice. Bank and wallet: tell the customer how. Card and PayPal: begin the payment at the gateway."""

from dataclasses import dataclass

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import NoSavedCard
from igny8_core.business.billing.gateways import traits_of
from igny8_core.business.billing.models import GATEWAY_METHODS, AccountPaymentMethod, Invoice, PaymentMethodConfig
from igny8_core.business.billing.services.collection.attempts import Attempt
from igny8_core.business.billing.services.collection.gateway_payments import has_attempt, pay_through_gateway
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payment_methods.availability import (
    ChosenMethod,
    chosen_method,
    require_payable,
)
from igny8_core.business.billing.services.payment_methods.saved import saved_card_of
from igny8_core.business.billing.services.payment_states.under_way import close_open_attempts
from igny8_core.business.billing.services.subscriptions.plan_change import require_current_order


@dataclass(frozen=True)
class Checkout:
    """What a customer needs to pay an invoice: the offer, and for card and PayPal the attempt at the gateway."""

    invoice: Invoice
    offer: PaymentMethodConfig
    attempt: Attempt | None = None


def pay_invoice(
    invoice: Invoice,
    payment_method: str = "",
    saved_method_id: int | None = None,
    *,
    save_card: bool = False,
    return_url: str = "",
    paid_by: User | None = None,
    request_key: str = "",
) -> Checkout:
    """Pay an invoice by `payment_method`, by a saved method of its account, or else by the account's usual method.

    An open attempt by another method is closed first.
    Raises InvoiceNotPayable, ConfirmationAlreadyOpen, PaymentBeingChecked, InvoicePaidMeanwhile, AttemptNotClosed,
    what chosen_method raises, and for card and PayPal what pay_through_gateway raises. For a change of plan that must
    be ordered again: PlanChangeOutdated, PlanChangePeriodOver, RenewalPaid; for a smaller plan that does not fit:
    OverLimits. RuntimeError in a transaction.
    """
    # A repeated request may find the invoice paid, namely by the attempt that this same request began.
    if not has_attempt(request_key):
        require_payable(invoice)
    chosen = chosen_method(invoice, payment_method, saved_method_id)
    if chosen.offer.payment_method not in GATEWAY_METHODS:
        require_current_order(invoice)
        close_open_attempts(invoice)
        return Checkout(invoice, chosen.offer)
    attempt = _begin(invoice, chosen, save_card, return_url, paid_by, request_key)
    return Checkout(invoice, chosen.offer, attempt)


def charge_saved_card(
    invoice: Invoice, charged_by: User | None = None, *, card: AccountPaymentMethod | None = None, request_key: str = ""
) -> Attempt:
    """Charge an open invoice to a saved card of its account, the default card first, without the customer present.

    `card`: a certain one of its cards. The same `request_key` always returns the same attempt.

    If the bank wants the customer's confirmation, the invoice stays open and the customer gets a mail with a link.
    Raises NoSavedCard, and what pay_through_gateway raises. RuntimeError in a transaction.
    """
    card = card or saved_card_of(invoice.account)
    if card is None:
        raise NoSavedCard()
    return pay_through_gateway(
        invoice,
        card.type,
        card=card.gateway_method_id,
        off_session=True,
        return_url=pay_link(invoice),
        started_by=charged_by,
        request_key=request_key,
    )


def _begin(
    invoice: Invoice, chosen: ChosenMethod, save_card: bool, return_url: str, paid_by: User | None, request_key: str
) -> Attempt:
    payment_method = chosen.offer.payment_method
    return pay_through_gateway(
        invoice,
        payment_method,
        card=chosen.card,
        save_card=save_card and traits_of(payment_method).saves_cards,
        return_url=return_url or pay_link(invoice),
        started_by=paid_by,
        request_key=request_key,
    )
