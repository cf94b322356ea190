"""Links with which an invoice is paid without logging in: they open this one invoice, and show no more than it says."""

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, SignatureExpired, TimestampSigner

from igny8_core.business.billing.errors import PayLinkExpired
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.selectors import all_invoices
from igny8_core.common.errors import NotFound

LIFETIME = timedelta(days=60)

_signer = TimestampSigner(salt="igny8_core.billing.pay_link")


def pay_link(invoice: Invoice) -> str:
    """The address of the page where the invoice can be paid, from now on for 60 days."""
    return f"{settings.BASE_URL}/pay/{_signer.sign(str(invoice.pk))}/"


def invoice_of_pay_link(token: str) -> Invoice:
    """The invoice that a link opens. Raises PayLinkExpired, NotFound for a token that we never made."""
    try:
        invoice_id = int(_signer.unsign(token, max_age=LIFETIME))
    except SignatureExpired:
        raise PayLinkExpired() from None
    except BadSignature:
        raise NotFound() from None
    return all_invoices().get(pk=invoice_id)
