"""What tests of dunning share: a renewal that is due, and days that pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import time_machine
from django.core import mail

from igny8_core.auth.models import Subscription
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.invoices.lifecycle import create_subscription_invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Delivery
from tests import make
from tests.billing.renewing import is_anything_for_sale
from tests.snapshots import restored

# A Monday without a holiday near.
DUE = date(2027, 2, 1)


@contextmanager
def day(number: int, hour: int = 10, minute: int = 0) -> Iterator[None]:
    """So many days after DUE, at an hour in UTC."""
    then = datetime(DUE.year, DUE.month, DUE.day, hour, minute, tzinfo=UTC) + timedelta(days=number)
    with time_machine.travel(then, tick=False):
        yield


def due_renewal(**account: str) -> Invoice:
    """The open invoice of a renewal, due on DUE, of an account that has paid its first month."""
    if not (account or is_anything_for_sale()):
        return restored("a renewal due on DUE", _due_renewal)
    return _due_renewal(**account)


def _due_renewal(**account: str) -> Invoice:
    with day(-31):
        owner = make.owner({"status": "pending_payment", "billing_email": "billing@example.com", **account})
        first = make.subscription(owner.account).invoices.get()
        PaymentService.approve_manual_payment(make.submitted_payment(first), make.operator())
    with day(-8):
        subscription = Subscription.objects.select_related("account", "plan").get(account=owner.account)
        invoice = create_subscription_invoice(subscription)
        Invoice.objects.filter(pk=invoice.pk).update(due_date=DUE)
    settled_mails()
    return Invoice.objects.select_related("account", "subscription").get(pk=invoice.pk)


def settled_mails() -> None:
    """The mails so far count as sent: they are not what a test is about."""
    Delivery.objects.filter(status="waiting").update(status="done", next_attempt_at=None)


def dun(*numbers: int) -> None:
    """Let the schedule run once on each of these days after DUE, and deliver its mails."""
    for number in numbers:
        with day(number):
            take_due_steps()
            deliver_mails()


def deliver_mails() -> None:
    """Send what waits, and look at the form of each mail."""
    before = len(mail.outbox)
    deliver_due()
    for sent in mail.outbox[before:]:
        html, media_type = sent.alternatives[0]  # type: ignore[attr-defined]
        assert (sent.message()["Auto-Submitted"], media_type) == ("auto-generated", "text/html")
        assert "{{" not in sent.body + html
        assert "{%" not in sent.body + html
        assert "\n\n\n" not in sent.body
        assert sent.subject in html


def steps_of(invoice: Invoice) -> dict[int, str]:
    """The stages that were taken of an invoice, with their kinds; skipped ones say so."""
    rows = invoice.dunning_steps.order_by("stage")
    return {row.stage: "skipped" if row.is_skipped else row.kind for row in rows}


def told(since: int = 0) -> list[str]:
    """The subjects of the mails that customers got."""
    return [sent.subject for sent in mail.outbox[since:] if not sent.subject.startswith("Payment to review")]
