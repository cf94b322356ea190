"""What one can pay with: the one place that refuses a method that is not offered or has no gateway."""

from dataclasses import dataclass

from igny8_core.auth.models import Account
from igny8_core.business.billing.errors import (
    ConfirmationAlreadyOpen,
    GatewayNotConfigured,
    InvoiceNotPayable,
    PaymentMethodNotAvailable,
    SavedMethodDisabled,
    SavedMethodNotFound,
)
from igny8_core.business.billing.models import Invoice, InvoiceStatus, PaymentMethodConfig
from igny8_core.business.billing.selectors import (
    has_payment_under_way,
    is_available,
    offered_payment_method,
    saved_methods_of,
    usual_payment_method_of,
)

GATEWAY_RETRY_SECONDS = 3600


@dataclass(frozen=True)
class HowToPay:
    """What a customer needs to pay an invoice by bank or wallet."""

    invoice: Invoice
    offer: PaymentMethodConfig


def require_gateway(payment_method: str) -> None:
    """Refuse card and PayPal where their gateway is not set up. Raises GatewayNotConfigured."""
    if not is_available(payment_method):
        raise GatewayNotConfigured(retry_after=GATEWAY_RETRY_SECONDS)


def required_offer(account: Account, payment_method: str, field: str = "payment_method") -> PaymentMethodConfig:
    """The offer of a method in the account's country, if one can pay with it now; `field` named it in the input.

    Raises PaymentMethodNotAvailable where it is not offered, GatewayNotConfigured where its gateway is not set up.
    """
    offer = offered_payment_method(account.billing_country, payment_method)
    if offer is None:
        raise PaymentMethodNotAvailable(errors={field: [PaymentMethodNotAvailable.text]})
    require_gateway(payment_method)
    return offer


def how_to_pay(invoice: Invoice, payment_method: str = "", saved_method_id: int | None = None) -> HowToPay:
    """How an open invoice is paid: by the method named, by a saved one of its account, else by the account's usual one.

    Changes nothing. Raises InvoiceNotPayable, ConfirmationAlreadyOpen, SavedMethodNotFound (another account's as none),
    SavedMethodDisabled, and what required_offer raises.
    """
    account = invoice.account
    if invoice.status != InvoiceStatus.PENDING:
        raise InvoiceNotPayable(f"Invoice {invoice.invoice_number} is {invoice.status}; only a pending one is paid.")
    if saved_method_id is not None:
        payment_method = _saved_type(account, saved_method_id)
    offer = required_offer(account, payment_method or usual_payment_method_of(account))
    if has_payment_under_way(invoice):
        raise ConfirmationAlreadyOpen()
    return HowToPay(invoice, offer)


def _saved_type(account: Account, method_id: int) -> str:
    saved = saved_methods_of(account).filter(pk=method_id).first()
    if saved is None:
        raise SavedMethodNotFound()
    if not saved.is_enabled:
        raise SavedMethodDisabled()
    return saved.type
