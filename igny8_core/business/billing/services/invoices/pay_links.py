"""Links to pay one invoice without logging in. They open that invoice and show what the invoice itself says.

A link holds the number of the invoice and, once links of it were withdrawn, the version that it belongs to.
"""

from datetime import timedelta

from django.conf import settings

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PayLinkExpired, PayLinkWithdrawn
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import GATEWAY_METHODS, Invoice, InvoiceStatus, Payment, PaymentMethodConfig
from igny8_core.business.billing.offers import is_usable, payable_offers_of
from igny8_core.business.billing.selectors import all_invoices
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import NotFound
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, opened, signed
from igny8_core.events import services as events

LIFETIME = timedelta(days=60)
SALT = "igny8_core.billing.pay_link"


def pay_link(invoice: Invoice) -> str:
    """The address of the page where the invoice can be paid. It is valid for 60 days from now."""
    version = f".{invoice.pay_link_version}" if invoice.pay_link_version else ""
    return f"{settings.BASE_URL}/pay/{signed(f'{invoice.pk}{version}', salt=SALT)}/"


def is_pay_link(address: str) -> bool:
    """Whether an address is that of a payment page."""
    return address.startswith(f"{settings.BASE_URL}/pay/")


def invoice_of_pay_link(token: str) -> Invoice:
    """The invoice that a link's token opens.

    Raises PayLinkExpired, PayLinkWithdrawn, NotFound for a token that we did not make.
    """
    try:
        invoice_id, _, version = opened(token, salt=SALT, lifetime=LIFETIME).partition(".")
    except SignatureExpired:
        raise PayLinkExpired() from None
    except BadSignature:
        raise NotFound() from None
    invoice = all_invoices().get(pk=int(invoice_id))
    if int(version or 0) != invoice.pay_link_version:
        raise PayLinkWithdrawn()
    return invoice


@service_transaction
def withdraw_pay_links(invoice: Invoice, by: User | None = None) -> Invoice:
    """Make every link to the invoice that was given out so far open nothing; those made from now on work."""
    account = lock_account(invoice.account_id)
    invoice = lock_invoice(account, invoice.pk)
    invoice.pay_link_version += 1
    invoice.save(update_fields=["pay_link_version"])
    facts = {"invoice_number": invoice.invoice_number, "version": invoice.pay_link_version}
    events.record(events.about("invoice.pay_links_withdrawn", invoice, by, facts))
    return invoice


def online_offers(invoice: Invoice) -> list[PaymentMethodConfig]:
    """Card and PayPal, if an open invoice can be paid by them now.

    Empty for an invoice that is not open, or that Stripe collects by itself.
    """
    if invoice.status != InvoiceStatus.PENDING or invoice.stripe_invoice_id:
        return []
    offers = payable_offers_of(invoice)
    return [offer for offer in offers if offer.payment_method in GATEWAY_METHODS and is_usable(offer)]


def last_online_attempt(invoice: Invoice) -> Payment | None:
    """The newest attempt to pay the invoice at a gateway, or None."""
    attempts = Payment.objects.filter(invoice=invoice, payment_method__in=GATEWAY_METHODS)
    return attempts.order_by("-pk").first()
