"""Links to pay one invoice without logging in. They open that invoice and show what the invoice itself says."""

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
    """The address of the page where the invoice can be paid. It is valid for 60 days from now."""
    return f"{settings.BASE_URL}/pay/{signed(str(invoice.pk), salt=SALT)}/"


def is_pay_link(address: str) -> bool:
    """Whether an address is that of a payment page."""
    return address.startswith(f"{settings.BASE_URL}/pay/")


def invoice_of_pay_link(token: str) -> Invoice:
    """The invoice that a link's token opens. Raises PayLinkExpired, NotFound for a token that we did not make."""
    try:
        invoice_id = int(opened(token, salt=SALT, lifetime=LIFETIME))
    except SignatureExpired:
        raise PayLinkExpired() from None
    except BadSignature:
        raise NotFound() from None
    return all_invoices().get(pk=invoice_id)


def online_offers(invoice: Invoice) -> list[PaymentMethodConfig]:
    """Card and PayPal, if an open invoice can be paid by them now.

    Empty for an invoice that is not open, or that Stripe collects by itself.
    """
    if invoice.status != InvoiceStatus.PENDING or invoice.stripe_invoice_id:
        return []
    offers = payable_offers_of(invoice)
    return [offer for offer in offers if offer.payment_method in GATEWAY_METHODS and is_usable(offer)]


def link_to_pay_online(invoice: Invoice) -> str:
    """pay_link(invoice) if its page can take the money now; empty if the page could only show bank details."""
    return pay_link(invoice) if online_offers(invoice) else ""


def last_online_attempt(invoice: Invoice) -> Payment | None:
    """The newest attempt to pay the invoice at a gateway, or None."""
    attempts = Payment.objects.filter(invoice=invoice, payment_method__in=GATEWAY_METHODS)
    return attempts.order_by("-pk").first()
