"""Where to send the money for an invoice, as its PDF, its mails and its page say it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from igny8_core.business.billing.models import (
    MANUAL_METHODS,
    Invoice,
    InvoiceStatus,
    Payee,
    Payment,
    PaymentMethodConfig,
    RejectionCode,
)
from igny8_core.business.billing.offers import offers_of
from igny8_core.business.billing.payees import details_of, filled, is_hidden, text_without_details
from igny8_core.common.languages import translated
from igny8_core.common.money import amount_text
from igny8_core.common.written import day_text


@dataclass(frozen=True)
class PaymentInstructions:
    """How to pay an invoice by bank or wallet. `details`: (label, value) pairs; the last is the reference to quote."""

    method: str
    text: str
    details: list[tuple[str, str]]


def payment_instructions(invoice: Invoice) -> PaymentInstructions | None:
    """Where to send the money for a pending invoice; None if it is not pending or offers no bank or wallet.

    The account's default method if the invoice offers it, otherwise the first one it offers.
    """
    return next(iter(all_payment_instructions(invoice)), None)


def all_payment_instructions(invoice: Invoice) -> list[PaymentInstructions]:
    """All banks and wallets that a pending invoice offers, with their details at issue, the account's default first.

    Empty for an invoice that Stripe collects by itself.
    """
    if invoice.status != InvoiceStatus.PENDING or invoice.stripe_invoice_id:
        return []
    offers = [offer for offer in offers_of(invoice) if offer.payment_method in MANUAL_METHODS and not is_hidden(offer)]
    preferred = invoice.account.default_payment_method
    offers.sort(key=lambda offer: offer.payment_method != preferred)
    return [instructions_with(invoice, offer) for offer in offers]


def instructions_with(invoice: Invoice, offer: PaymentMethodConfig) -> PaymentInstructions:
    """How the invoice is paid with one bank or wallet."""
    details = [*details_of(offer), (_("Payment reference"), invoice.invoice_number)]
    return PaymentInstructions(translated(offer.display_name), text_for(invoice, offer), details)


def text_for(invoice: Invoice, payee: Payee) -> str:
    """The operator's text to who pays the invoice: its placeholders are the invoice's amount, number and due date."""
    return filled(
        text_without_details(payee),
        amount=amount_text(invoice.total, invoice.currency),
        invoice_number=invoice.invoice_number,
        due_date=day_text(invoice.due_date),
    )


def why_rejected(payment: Payment) -> str:
    """Why a confirmation was rejected, in the words and the language that its customer reads."""
    told = payment.failure_reason or RejectionCode.NOT_FOUND.sentence
    sentence = next((code.sentence for code in RejectionCode if code.sentence and told.startswith(code.sentence)), "")
    return _(sentence) + told.removeprefix(sentence) if sentence else told
