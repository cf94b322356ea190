"""Which methods can pay an invoice now. A method that is not offered or has no gateway is refused here."""

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, PaymentMethodType
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    InvoiceNotPayable,
    PaymentMethodNotAvailable,
    SavedMethodDisabled,
    SavedMethodNotFound,
)
from igny8_core.business.billing.gateways import RETRY_SECONDS, card_method, takes
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, InvoiceStatus, PaymentMethodConfig
from igny8_core.business.billing.offers import offered_payment_methods, payable_offers_of, usual_method
from igny8_core.business.billing.payees import is_hidden
from igny8_core.business.billing.selectors import is_available, saved_methods_of
from igny8_core.common.money import amount_text

# An amount and its currency.
Price = tuple[Decimal, str]


@dataclass(frozen=True)
class ChosenMethod:
    """How a customer pays: the method's offer, and the gateway's id of the saved card if it is one (else empty)."""

    offer: PaymentMethodConfig
    card: str = ""


def require_gateway(payment_method: str) -> None:
    """Refuse card or PayPal if its gateway is not set up. Raises GatewayNotConfigured."""
    if not is_available(payment_method):
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)


def require_payable(invoice: Invoice) -> None:
    """Refuse to pay an invoice that is not open, or that Stripe collects by itself. Raises InvoiceNotPayable."""
    if invoice.status != InvoiceStatus.PENDING:
        raise InvoiceNotPayable(
            _("Invoice %(invoice_number)s is %(status)s. An invoice can be paid while it is pending.")
            % {"invoice_number": invoice.invoice_number, "status": invoice.status}
        )
    if invoice.stripe_invoice_id:
        # Paying it here as well would pay it twice.
        raise InvoiceNotPayable(
            _("Invoice %(invoice_number)s is collected by Stripe. Pay it with the link in the mail from Stripe.")
            % {"invoice_number": invoice.invoice_number}
        )


def required_offer(
    account: Account, payment_method: str, price: Price | None = None, *, field: str = "payment_method"
) -> PaymentMethodConfig:
    """The offer of a method in the account's country, checked to be usable now, and for `price` if that is known.

    `field`: the input field that named the method, for the error. Raises PaymentMethodNotAvailable if the method is not
    offered or cannot take the price, GatewayNotConfigured if its gateway is not set up.
    """
    return _usable(offered_payment_methods(account.billing_country), payment_method, price, field)


def required_offer_of(invoice: Invoice, payment_method: str) -> PaymentMethodConfig:
    """The offer by which an invoice can be paid: the invoice's own, otherwise the current one of the account's country.

    Raises what required_offer raises.
    """
    return _usable(payable_offers_of(invoice), payment_method, (invoice.total, invoice.currency), "payment_method")


def chosen_method(invoice: Invoice, payment_method: str = "", saved_method_id: int | None = None) -> ChosenMethod:
    """What an invoice is paid with: `payment_method`, a saved method of its account, or else the usual method.

    Raises SavedMethodNotFound (also for another account's method), SavedMethodDisabled, and what required_offer raises.
    """
    if payment_method:
        return ChosenMethod(required_offer_of(invoice, payment_method))
    saved = saved_methods_of(invoice.account)
    if saved_method_id is None:
        default = saved.filter(is_default=True, is_enabled=True).first()
        wanted = default.type if default else invoice.account.payment_method
        usual = usual_method(payable_offers_of(invoice), wanted) or wanted
        card = _card(default) if default and default.type == usual else ""
        return ChosenMethod(required_offer_of(invoice, usual), card)
    method = saved.filter(pk=saved_method_id).first()
    if method is None:
        raise SavedMethodNotFound()
    if not method.is_enabled:
        raise SavedMethodDisabled()
    return ChosenMethod(required_offer_of(invoice, method.type), _card(method))


def _usable(
    offers: list[PaymentMethodConfig], payment_method: str, price: Price | None, field: str
) -> PaymentMethodConfig:
    offer = next((offer for offer in offers if offer.payment_method == payment_method), None)
    if price and not takes(payment_method, *price):
        text = _("%(value)s cannot take %(amount)s. Choose another method.") % {
            "value": PaymentMethodType(payment_method).label,
            "amount": amount_text(*price),
        }
        raise PaymentMethodNotAvailable(text, errors={field: [text]})
    if offer is None or is_hidden(offer):
        raise PaymentMethodNotAvailable(errors={field: [PaymentMethodNotAvailable.text]})
    require_gateway(payment_method)
    return offer


def _card(method: AccountPaymentMethod) -> str:
    return method.gateway_method_id if method.type == card_method() else ""
