"""The ways to pay an invoice as its page shows them: the one that was ordered first, the others after it."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from igny8_core.business.billing.gateways import card_method
from igny8_core.business.billing.models import MANUAL_METHODS, Invoice, PaymentMethodConfig
from igny8_core.business.billing.offers import offers_of
from igny8_core.business.billing.payees import details_of, is_hidden
from igny8_core.business.billing.services.invoices.epc_code import epc_path
from igny8_core.business.billing.services.invoices.instructions import text_for
from igny8_core.business.billing.services.invoices.pay_links import online_offers
from igny8_core.common.languages import translated
from igny8_core.common.money import amount_text, format_amount


@dataclass(frozen=True)
class Detail:
    """One thing that a payer types into their bank's form: as it is read, and as it is copied."""

    label: str
    shown: str
    copied: str


@dataclass(frozen=True)
class Code:
    """A QR code: the path of its dark modules, and the modules of a side."""

    path: str
    size: int


@dataclass(frozen=True)
class Way:
    """One way to pay. `details` and `code` are those of a bank or wallet."""

    payment_method: str
    name: str
    is_manual: bool
    is_card: bool = False
    text: str = ""
    details: tuple[Detail, ...] = ()
    code: Code | None = None


def ways_to_pay(invoice: Invoice) -> list[Way]:
    """How an open invoice can be paid on its page now; the account's usual method comes first."""
    online = {offer.payment_method for offer in online_offers(invoice)}
    ways = [_online(offer) for offer in online_offers(invoice)]
    ways += [manual_way(invoice, offer) for offer in manual_offers(invoice)]
    usual = invoice.account.default_payment_method
    return sorted(ways, key=lambda way: (way.payment_method != usual, way.payment_method not in online))


def manual_offers(invoice: Invoice) -> list[PaymentMethodConfig]:
    """The banks and wallets that the invoice offers, as it offered them."""
    return [offer for offer in offers_of(invoice) if offer.payment_method in MANUAL_METHODS and not is_hidden(offer)]


def _online(offer: PaymentMethodConfig) -> Way:
    is_card = offer.payment_method == card_method()
    name = _("card") if is_card else offer.get_payment_method_display()
    return Way(offer.payment_method, name, is_manual=False, is_card=is_card)


def manual_way(invoice: Invoice, offer: PaymentMethodConfig) -> Way:
    """How the invoice is paid with one bank or wallet, with what a payer copies."""
    amount = format_amount(invoice.total, invoice.currency)
    details = [
        Detail(_("Amount"), amount_text(invoice.total, invoice.currency), amount),
        *(_detail(offer, label, value) for label, value in details_of(offer)),
        Detail(_("Payment reference"), invoice.invoice_number, invoice.invoice_number),
    ]
    drawn = epc_path(offer, invoice)
    return Way(
        offer.payment_method,
        translated(offer.display_name),
        is_manual=True,
        text=text_for(invoice, offer),
        details=tuple(details),
        code=Code(*drawn) if drawn else None,
    )


def _detail(offer: PaymentMethodConfig, label: str, value: str) -> Detail:
    # People compare an IBAN in groups of four; forms of banks want it without the gaps.
    groups = [value[start : start + 4] for start in range(0, len(value), 4)]
    return Detail(label, " ".join(groups) if value == offer.iban else value, value)
