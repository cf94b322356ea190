"""What one can pay with: the one place that refuses a method that is not offered or has no gateway."""

from dataclasses import dataclass

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import (
    GatewayNotConfigured,
    InvoiceNotPayable,
    PaymentMethodNotAvailable,
    SavedMethodDisabled,
    SavedMethodNotFound,
)
from igny8_core.business.billing.gateways import RETRY_SECONDS
from igny8_core.business.billing.models import AccountPaymentMethod, Invoice, InvoiceStatus, PaymentMethodConfig
from igny8_core.business.billing.selectors import (
    is_available,
    offered_payment_method,
    saved_methods_of,
    usual_payment_method_of,
)


@dataclass(frozen=True)
class Chosen:
    """How a customer wants to pay: what is offered of it, and the saved card (Stripe's id) where it is one."""

    offer: PaymentMethodConfig
    card: str = ""


def require_gateway(payment_method: str) -> None:
    """Refuse card and PayPal where their gateway is not set up. Raises GatewayNotConfigured."""
    if not is_available(payment_method):
        raise GatewayNotConfigured(retry_after=RETRY_SECONDS)


def require_payable(invoice: Invoice) -> None:
    """Refuse to pay an invoice that is not open, or that Stripe collects by itself. Raises InvoiceNotPayable."""
    if invoice.status != InvoiceStatus.PENDING:
        raise InvoiceNotPayable(
            f"Invoice {invoice.invoice_number} is {invoice.status}; only a pending one can be paid."
        )
    if invoice.stripe_invoice_id:
        # Paid here as well, it would be paid twice.
        raise InvoiceNotPayable(
            f"Invoice {invoice.invoice_number} is collected by Stripe; pay it with the link that came from there."
        )


def required_offer(account: Account, payment_method: str, field: str = "payment_method") -> PaymentMethodConfig:
    """The offer of a method in the account's country, if one can pay with it now; `field` named it in the input.

    Raises PaymentMethodNotAvailable where it is not offered, GatewayNotConfigured where its gateway is not set up.
    """
    offer = offered_payment_method(account.billing_country, payment_method)
    if offer is None:
        raise PaymentMethodNotAvailable(errors={field: [PaymentMethodNotAvailable.text]})
    require_gateway(payment_method)
    return offer


def chosen_method(account: Account, payment_method: str = "", saved_method_id: int | None = None) -> Chosen:
    """What an account pays with: the method named, a saved one of its own, else its usual one.

    Raises SavedMethodNotFound (another account's as none), SavedMethodDisabled, and what required_offer raises.
    """
    if payment_method:
        return Chosen(required_offer(account, payment_method))
    saved = saved_methods_of(account)
    if saved_method_id is None:
        default = saved.filter(is_default=True, is_enabled=True).first()
        usual = usual_payment_method_of(account)
        return Chosen(required_offer(account, usual), _card(default) if default and default.type == usual else "")
    method = saved.filter(pk=saved_method_id).first()
    if method is None:
        raise SavedMethodNotFound()
    if not method.is_enabled:
        raise SavedMethodDisabled()
    return Chosen(required_offer(account, method.type), _card(method))


def _card(method: AccountPaymentMethod) -> str:
    return method.stripe_payment_method_id
