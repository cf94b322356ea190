"""The mail to operators about confirmations that wait for them."""

from django.conf import settings
from django.utils.translation import ngettext

from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.common import clock
from igny8_core.common.mail import Mail
from igny8_core.common.money import amount_text
from igny8_core.common.names import in_mail
from igny8_core.events.models import Event

MOST_LISTED = 50


def undecided_mail(event: Event) -> Mail | None:
    """The list of what the event names and is undecided still; None if all is decided. The caller adds recipients."""
    named = Payment.objects.filter(pk__in=event.data["payment_ids"], status=PaymentStatus.PENDING_APPROVAL)
    waiting = list(named.select_related("account", "invoice").order_by("created_at", "pk"))
    if not waiting:
        return None
    count = len(waiting)
    context = {
        "count": count,
        "more": max(0, count - MOST_LISTED),
        "payments": [
            {
                "account": in_mail(payment.account.name),
                "invoice": payment.invoice.invoice_number,
                "amount": amount_text(payment.amount, payment.currency),
                "days": (clock.now() - payment.created_at).days,
                "link": f"{settings.BASE_URL}/admin/billing/payment/{payment.pk}/change/",
            }
            for payment in waiting[:MOST_LISTED]
        ],
        "link": f"{settings.BASE_URL}/admin/billing/payment/?status__exact={PaymentStatus.PENDING_APPROVAL.value}",
    }
    subject = ngettext("%(count)s payment waits for your decision", "%(count)s payments wait for your decision", count)
    return Mail("payments_undecided", subject % {"count": count}, [], context)
