"""Every link of a mail on billing leads to a page that does what the mail says, without a login if it is on money."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.corrections import credit_unpaid
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states.transitions import payment_event
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

LINK = re.compile(r"https?://[^\s\"<>]+")
SITE = "http://testserver"


@pytest.fixture(autouse=True)
def site(settings: Any, stripe: FakeStripe) -> None:
    settings.BASE_URL, settings.SUPPORT_EMAIL = SITE, "help@seller.example"
    make.payment_method(bank_name="ABC Bank", account_number="1234567890")
    make.payment_method(payment_method="stripe", display_name="Card")


def links_of_mail(event_type: str) -> set[str]:
    """The links of the newest mail, without the site's own address that stands below each; the same in both parts."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=event_type).latest("pk"))
    [sent] = mail.outbox
    text, html = str(sent.body), str(sent.alternatives[0][0])  # type: ignore[attr-defined]
    in_text, in_html = set(LINK.findall(text)), set(LINK.findall(html))
    assert in_text == in_html
    for part in (text, html):
        assert "sign in" not in part.lower()
        # No credential of a login: what opens a page is in the page's address.
        assert not re.search(r"\beyJ|[?&]token=", part)
        assert "help@seller.example" in part
    return in_text - {SITE}


def page_of(link: str) -> str:
    """What somebody without a login sees."""
    answer = Client().get(link.removeprefix(SITE), follow=True)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def confirmed(invoice: Invoice) -> Payment:
    return make.submitted_payment(invoice, "BT-1")


def record(event_type: str, invoice: Invoice, **facts: Any) -> None:
    """An event of a card payment of the invoice, as the gateways' modules record it."""
    payment = Payment.objects.filter(invoice=invoice).first() or confirmed(invoice)
    service_transaction(events.record)(payment_event(event_type, payment, **facts))


def happen(event_type: str, invoice: Invoice, olga: User) -> None:
    """Bring about what the mail tells of."""
    happenings: dict[str, Callable[[], object]] = {
        "invoice.created": lambda: None,
        "payment.rejected": lambda: PaymentService.reject_manual_payment(confirmed(invoice), "It was 8.90.", olga),
        "payment.approved": lambda: PaymentService.approve_manual_payment(confirmed(invoice), olga),
        "payment.refunded": lambda: PaymentService.process_refund(
            PaymentService.approve_manual_payment(confirmed(invoice), olga).payment, "5.00", refunded_by=olga
        ),
        "invoice.credited": lambda: credit_unpaid(invoice, "Ordered twice", olga),
        "payment.failed": lambda: record(event_type, invoice, off_session=True, code="declined", reason="Declined."),
        "payment.action_required": lambda: record(event_type, invoice),
        "payment.returned": lambda: record(event_type, invoice, returned="5.00"),
    }
    happenings[event_type]()
    if event_type in {"payment.failed", "payment.action_required", "payment.returned"}:
        Payment.objects.update(status="canceled")


@pytest.mark.parametrize(
    ("event_type", "said"),
    [
        ("invoice.created", ["Pay by Bank Transfer", "1234567890", "Pay by card", 'name="reference"']),
        ("payment.rejected", ["We could not confirm your payment", "It was 8.90.", 'name="reference"']),
        ("payment.approved", ["Paid, thank you.", "Save the receipt (PDF)"]),
        ("payment.refunded", ["Returned to you", "5.00 USD"]),
        ("invoice.credited", ["This invoice is void.", "Nothing is to be paid."]),
        ("payment.failed", ["Pay by card", "Pay by Bank Transfer"]),
        ("payment.action_required", ["Pay by card"]),
        ("payment.returned", ["Pay by card"]),
    ],
)
def test_a_mail_on_an_invoice_leads_to_its_page(event_type: str, said: list[str], olga: User) -> None:
    invoice = make.invoice()
    happen(event_type, invoice, olga)

    [link] = links_of_mail(event_type)

    page = page_of(link)
    assert link.startswith(f"{SITE}/pay/")
    for text in (invoice.invoice_number, *said):
        assert text in page


def test_mails_on_invoices_that_ask_for_nothing_lead_to_what_became_of_them(olga: User) -> None:
    paid, void = make.invoice(), make.invoice()
    PaymentService.approve_manual_payment(confirmed(paid), olga)
    InvoiceService.mark_void(void, "ordered twice")

    for invoice, said in ((paid, "Paid, thank you."), (void, "This invoice is void.")):
        mail.outbox.clear()
        InvoiceService.send_invoice_email(invoice)
        links = set(LINK.findall(str(mail.outbox[0].body))) - {SITE}
        assert [said in page_of(link) for link in links] == [True]


def test_an_invoice_that_stripe_collects_is_shown_and_asks_for_nothing() -> None:
    invoice = make.invoice()
    Invoice.objects.update(stripe_invoice_id="in_1")
    invoice.refresh_from_db()

    [link] = links_of_mail("invoice.created")

    assert "collected by itself" in page_of(link)
    assert "charged automatically" in str(mail.outbox[0].body)


def test_mails_on_the_account_lead_to_it() -> None:
    owner = make.owner(email="owner@acme.example")
    make.credits(owner.account, 150)
    CreditService.spend(owner.account, 60, operation_type="writing")
    subscription = make.running_subscription()
    subscription.account.billing_email = subscription.account.confirmed_billing_email = "a@acme.example"
    subscription.account.save()
    SubscriptionService.cancel_subscription(subscription)

    for event_type in ("credits.low", "subscription.cancel_scheduled"):
        [link] = links_of_mail(event_type)
        assert link == f"{SITE}/home"
        assert "Sign in" in page_of(link)
