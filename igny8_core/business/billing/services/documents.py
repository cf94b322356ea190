"""What the PDF of an invoice and the mails say in the same words: amounts, where to pay, text of people."""

from dataclasses import dataclass
from decimal import Decimal

from igny8_core.business.billing.models import MANUAL_METHODS, Invoice, InvoiceStatus, PaymentMethodConfig
from igny8_core.business.billing.selectors import offered_payment_methods
from igny8_core.common.money import format_amount

DETAIL_LABELS = {
    "bank_name": "Bank",
    "account_title": "Account holder",
    "account_number": "Account number",
    "routing_number": "Routing number",
    "iban": "IBAN",
    "swift_code": "SWIFT / BIC",
    "wallet_type": "Wallet",
    "wallet_id": "Wallet number",
}


@dataclass(frozen=True)
class PaymentInstructions:
    """How to pay an open invoice by bank or wallet: `details` are (label, value) pairs, the reference to quote last."""

    method: str
    text: str
    details: list[tuple[str, str]]


def payment_instructions(invoice: Invoice) -> PaymentInstructions | None:
    """Where to send the money for a pending invoice; None for any other, or when no manual method is offered.

    The account's default method where it is offered in the country of the invoice, else the first that is.
    """
    return next(iter(all_payment_instructions(invoice)), None)


def all_payment_instructions(invoice: Invoice) -> list[PaymentInstructions]:
    """Every bank and wallet to which the money for a pending invoice can be sent, the account's default first.

    None for an invoice that Stripe collects by itself.
    """
    if invoice.status != InvoiceStatus.PENDING or invoice.stripe_invoice_id:
        return []
    country: str = invoice.metadata.get("billing_snapshot", {}).get("country", "")
    offers = [offer for offer in offered_payment_methods(country) if offer.payment_method in MANUAL_METHODS]
    preferred = invoice.account.default_payment_method
    offers.sort(key=lambda offer: offer.payment_method != preferred)
    reference = ("Payment reference", invoice.invoice_number)
    return [
        PaymentInstructions(offer.display_name, offer.instructions, [*_details(offer), reference]) for offer in offers
    ]


def money(amount: Decimal | str, currency: str) -> str:
    """An amount with its currency: `money(Decimal("89"), "USD") == "89.00 USD"`."""
    return f"{format_amount(Decimal(amount), currency)} {currency}"


def _details(offer: PaymentMethodConfig) -> list[tuple[str, str]]:
    return [(label, value) for field, label in DETAIL_LABELS.items() if (value := getattr(offer, field))]
