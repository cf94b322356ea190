"""Links with which an invoice is paid without logging in: they open this one invoice, and show no more than it says."""

from datetime import timedelta

from django.conf import settings

from igny8_core.business.billing.errors import PayLinkExpired
from igny8_core.business.billing.models import GATEWAY_METHODS, Invoice, InvoiceStatus, Payment, PaymentMethodConfig
from igny8_core.business.billing.offers import is_usable, payable_offers_of
from igny8_core.business.billing.selectors import all_invoices
from igny8_core.common.errors import NotFound
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, opened, signed

LIFETIME = timedelta(days=60)
SALT = "igny8_core.billing.pay_link"


def pay_link(invoice: Invoice) -> str:
    """The address of the page where the invoice can be paid, from now on for 60 days."""
    return f"{settings.BASE_URL}/pay/{signed(str(invoice.pk), salt=SALT)}/"


def is_pay_link(address: str) -> bool:
    """Whether an address is that of a payment page."""
    return address.startswith(f"{settings.BASE_URL}/pay/")


def invoice_of_pay_link(token: str) -> Invoice:
    """The invoice that a link opens. Raises PayLinkExpired, NotFound for a token that we never made."""
    try:
        invoice_id = int(opened(token, salt=SALT, lifetime=LIFETIME))
    except SignatureExpired:
        raise PayLinkExpired() from None
    except BadSignature:
        raise NotFound() from None
    return all_invoices().get(pk=invoice_id)


def online_offers(invoice: Invoice) -> list[PaymentMethodConfig]:
    """Card and PayPal, where an open invoice can be paid by them now; none for any other invoice.

    None either for one that Stripe collects by itself.
    """
    if invoice.status != InvoiceStatus.PENDING or invoice.stripe_invoice_id:
        return []
    offers = payable_offers_of(invoice)
    return [offer for offer in offers if offer.payment_method in GATEWAY_METHODS and is_usable(offer)]


def link_to_pay_online(invoice: Invoice) -> str:
    """pay_link(invoice) where its page can take the money now; empty where it could only tell how to pay."""
    return pay_link(invoice) if online_offers(invoice) else ""


def last_online_attempt(invoice: Invoice) -> Payment | None:
    """The newest attempt to pay the invoice at a gateway; None where there was none."""
    attempts = Payment.objects.filter(invoice=invoice, payment_method__in=GATEWAY_METHODS)
    return attempts.order_by("-pk").first()
