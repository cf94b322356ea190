"""What the customer gets with a refund: the credit note as a PDF, and the mail that brings it."""

import re
from decimal import Decimal
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import override_settings

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import CreditNote, Payment
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoices import pdf as drawing
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.billing.test_pdf_service import ADDRESS, HOSTILE, needs_pango, text_of
from tests.cases import some_of

BASE_URL = "https://app.example.com"
pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(olga: User) -> Payment:
    owner = make.owner({"name": "Acme Trading", "status": "pending_payment", **ADDRESS})
    submitted = make.submitted_payment(make.subscription(owner.account).invoices.get())
    return PaymentService.approve_manual_payment(submitted, olga).payment


def refunded(payment: Payment, amount: str | None = "44.50", reason: str = "Half used", **fields: str) -> CreditNote:
    note = PaymentService.process_refund(payment, Decimal(amount) if amount else None, reason=reason, **fields)
    return CreditNote.objects.select_related("invoice", "payment").get(pk=note.pk)


@override_settings(BASE_URL=BASE_URL)
def the_mail() -> EmailMultiAlternatives:
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type="payment.refunded").latest("pk"))
    [sent] = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


# --- The PDF --------------------------------------------------------------------------------------------------------


@needs_pango
def test_a_credit_note_states_what_was_given_back_to_whom_and_for_what(payment: Payment) -> None:
    CreditService.spend(payment.account, 600, operation_type="article")
    note = refunded(payment, reference="TR-20261208")

    text = text_of(drawing.render_credit_note(note))

    for stated in (
        "Credit note",
        note.credit_note_number,
        payment.invoice.invoice_number,
        "Acme Trading",
        "221B Baker Street",
        "GB123456789",
        "Total credited 44.50 USD",
        f"Payment 89.00 USD on {payment.processed_at:%-d %B %Y}, Bank Transfer",
        "Half used",
        "TR-20261208",
        "Credits taken back 400",
        "Credits already used 100",
        "Page 1 of 1",
    ):
        assert stated in text, stated


@needs_pango
def test_a_credit_note_is_the_same_after_the_account_was_edited(payment: Payment) -> None:
    note = refunded(payment)
    before = drawing.render_credit_note(note)
    account = payment.account
    account.name, account.billing_address_line1 = "Renamed", "Elsewhere 9"
    account.save()

    note = CreditNote.objects.select_related("invoice", "payment").get(pk=note.pk)
    assert drawing.render_credit_note(note) == before


@needs_pango
@pytest.mark.parametrize("text", some_of([*HOSTILE, "شكراً لكم", "株式会社", "x" * 500], each=4))
def test_text_of_people_is_printed_as_text(payment: Payment, text: str) -> None:
    note = refunded(payment, reason=text.format(port=1)[:500], reference=text.format(port=1)[:100])

    pdf = drawing.render_credit_note(note)

    assert b"EmbeddedFile" not in pdf
    shown = text_of(pdf)
    assert "root:" not in shown
    assert "\u202e" not in shown
    assert "Total credited 44.50 USD" in shown


# --- The mail -------------------------------------------------------------------------------------------------------


def test_the_customer_is_told_what_goes_back_and_gets_the_credit_note(payment: Payment) -> None:
    CreditService.spend(payment.account, 600, operation_type="article")
    note = refunded(payment, reference="TR-20261208")

    sent = the_mail()

    assert sent.to == ["billing@acme.example"]
    assert sent.subject == f"Refund of 44.50 USD for invoice {payment.invoice.invoice_number}"
    for part in (str(sent.body), str(sent.alternatives[0][0])):
        text = " ".join(part.split())
        for said in (note.credit_note_number, "44.50 USD", "Half used", "TR-20261208", "400", "100 (not"):
            assert said in text
    if sent.attachments:
        name, content, media_type = sent.attachments[0]
        assert (name, media_type) == (f"{note.credit_note_number}.pdf", "application/pdf")
        assert content.startswith(b"%PDF")


def test_where_no_pdf_can_be_made_the_mail_goes_without_it(payment: Payment, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(note: CreditNote) -> bytes:
        raise PdfUnavailable()

    monkeypatch.setattr(drawing, "render_credit_note", unavailable)
    refunded(payment)

    sent = the_mail()

    assert not sent.attachments
    assert "cannot be made" in " ".join(str(sent.body).split())


@pytest.mark.usefixtures("undrawn_pdfs")
def test_each_refund_of_a_payment_has_its_own_mail(payment: Payment) -> None:
    notes = [refunded(payment, amount) for amount in ("1.00", "2.00", None)]

    for event, note in zip(Event.objects.filter(type="payment.refunded").order_by("pk"), notes, strict=True):
        mail.outbox.clear()
        mails.handle(event)
        assert note.credit_note_number in str(mail.outbox[0].body)


@pytest.mark.usefixtures("undrawn_pdfs")
@pytest.mark.parametrize("text", ["<b>x</b>", "http://evil.example/pay", "www.evil.example", "=SUM(A1)"])
def test_a_reason_makes_no_link_and_no_markup(payment: Payment, text: str) -> None:
    refunded(payment, reason=text, reference=text)

    sent = the_mail()

    html = str(sent.alternatives[0][0])
    assert "evil.example" not in f"{sent.body}{html}"
    assert "<b>" not in html
    assert all(link.startswith(BASE_URL) for link in re.findall(r'href="([^"]*)"', html))
    assert message_from_bytes(sent.message().as_bytes(), policy=policy.default)["Subject"] == sent.subject
