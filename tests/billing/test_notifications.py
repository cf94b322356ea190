"""The mails on billing: who gets which, what they say, and what they can never be made to say."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import override_settings
from django.utils import timezone

from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import Invoice, Payment, PaymentMethodConfig
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.invoices.corrections import credit_unpaid
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.notifications.gateway_mails import GATEWAY_NOTICES
from igny8_core.business.billing.services.payment_methods.configuration import (
    configure_payment_method,
    remove_payment_method,
    update_payment_method,
)
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make

BASE_URL = "https://app.example.com"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("base_url", "undrawn_pdfs")]


@pytest.fixture
def base_url() -> Iterator[None]:
    with override_settings(BASE_URL=BASE_URL):
        yield


@pytest.fixture
def bank() -> PaymentMethodConfig:
    return make.payment_method(bank_name="ABC Bank", account_number="1234567890", swift_code="ABCPKKA")


def the_mail(event_type: str) -> EmailMultiAlternatives:
    """Handle the newest event of a type as the delivery worker does; the one mail that this sent."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=event_type).latest("pk"))
    [sent] = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def html_of(sent: EmailMultiAlternatives) -> str:
    return str(sent.alternatives[0][0])


def parts_of(sent: EmailMultiAlternatives) -> tuple[str, str]:
    """The text and the HTML, each with runs of white space as one space."""
    return " ".join(str(sent.body).split()), " ".join(html_of(sent).split())


# --- Invoice ------------------------------------------------------------------------------------------------------


def test_new_invoice_goes_to_its_billing_address(bank: PaymentMethodConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # this one is drawn
    owner = make.owner({"billing_email": "accounts@acme.example"})
    invoice = make.subscription(owner.account).invoices.get()

    sent = the_mail("invoice.created")

    assert sent.to == ["accounts@acme.example"]
    assert not sent.cc
    assert not sent.bcc
    assert sent.subject == f"Invoice {invoice.invoice_number} from igny8"
    for part in parts_of(sent):
        for said in ("89.00 USD", f"{invoice.due_date:%-d %B %Y}", "ABC Bank", "1234567890", "ABCPKKA", BASE_URL):
            assert said in part
    if sent.attachments:
        name, content, mimetype = sent.attachments[0]
        assert (name, mimetype) == (f"{invoice.invoice_number}.pdf", "application/pdf")
        assert content.startswith(b"%PDF")


def test_invoice_mail_names_the_wallet_of_the_account_s_country_when_that_is_its_method(
    bank: PaymentMethodConfig,
) -> None:
    make.payment_method(
        country_code="PK",
        payment_method="local_wallet",
        display_name="JazzCash / Easypaisa",
        wallet_type="JazzCash",
        wallet_id="03001234567",
    )
    owner = make.owner({"billing_country": "PK", "payment_method": "local_wallet"})
    make.invoice(owner.account)

    text, html = parts_of(the_mail("invoice.created"))

    assert "JazzCash / Easypaisa" in text
    assert "03001234567" in text
    assert "03001234567" in html
    assert "ABC Bank" not in text


def test_invoice_mail_without_a_manual_method_leads_to_the_page_where_to_choose_one() -> None:
    make.invoice()

    for part in parts_of(the_mail("invoice.created")):
        assert f"{BASE_URL}/pay/" in part
        assert "How to pay:" not in part


def test_invoice_that_was_paid_before_its_mail_went_out_asks_for_nothing(olga: User, bank: PaymentMethodConfig) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)

    for part in parts_of(the_mail("invoice.created")):
        assert "You do not need to pay it" in part
        assert "ABC Bank" not in part


def test_invoice_goes_to_the_owner_where_there_is_no_billing_address() -> None:
    owner = make.owner(email="owner@acme.example")
    make.invoice(owner.account)

    assert the_mail("invoice.created").to == ["owner@acme.example"]


def test_invoice_that_nobody_can_get_is_an_error_that_says_what_to_do() -> None:
    invoice = make.invoice(make.account())

    with pytest.raises(InvalidInput, match=f"{invoice.invoice_number} has no e-mail address. Enter a billing e-mail"):
        mails.handle(Event.objects.get(type="invoice.created"))

    assert mail.outbox == []


def test_send_invoice_from_the_shell_mails_it_now_and_anew_each_time() -> None:
    invoice = make.invoice(make.owner(email="owner@acme.example").account)

    InvoiceService.send_invoice_email(invoice)
    InvoiceService.send_invoice_email(invoice)

    assert [sent.to for sent in mail.outbox] == [["owner@acme.example"]] * 2
    first, second = (sent.message()["Message-ID"] for sent in mail.outbox)
    assert first != second


def test_without_the_pdf_libraries_the_invoice_is_mailed_without_pdf(
    bank: PaymentMethodConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(invoice: Invoice) -> bytes:
        raise PdfUnavailable()

    # That missing libraries end in this error is shown with a real loader in test_pdf_service.py.
    monkeypatch.setattr(pdf, "render_invoice", unavailable)
    make.invoice()

    sent = the_mail("invoice.created")

    assert sent.attachments == []
    for part in parts_of(sent):
        assert "Its PDF cannot be made at the moment" in part
        assert "attached" not in part
        assert "89.00 USD" in part
        assert "ABC Bank" in part


# --- Payments -----------------------------------------------------------------------------------------------------


def test_submitted_payment_goes_once_to_each_operator_who_may_approve(bank: PaymentMethodConfig) -> None:
    approve = Permission.objects.get(codename="approve_payment")
    olga = make.operator(email="olga@example.com")
    olga.user_permissions.add(approve)
    approver = make.user(email="approver@example.com", is_staff=True)
    approver.user_permissions.add(approve)
    make.user(email="support@example.com", is_staff=True)
    make.user(email="former@example.com", is_staff=True, is_superuser=True, is_active=False)
    make.user(email="customer@example.com", account=make.account(), is_superuser=True)
    submitter = make.owner(email="alice@example.com")
    payment = make.submitted_payment(
        make.invoice(submitter.account), reference="BT-20251208-12345", submitted_by=submitter
    )

    sent = the_mail("payment.submitted")

    assert sent.to == ["approver@example.com", "olga@example.com"]
    assert sent.subject == f"Payment to review: 89.00 USD for {payment.invoice.invoice_number}"
    for part in parts_of(sent):
        for said in ("alice@example.com", "BT-20251208-12345", "89.00 USD", "Bank Transfer", str(submitter.account)):
            assert said in part
        assert f"{BASE_URL}/admin/billing/payment/{payment.pk}/change/" in part
        assert "used before" not in part


def test_submitted_payment_goes_to_our_own_address_where_no_operator_may_approve(bank: PaymentMethodConfig) -> None:
    make.submitted_payment()

    with override_settings(DEFAULT_FROM_EMAIL="Billing <billing@example.com>"):
        assert the_mail("payment.submitted").to == ["Billing <billing@example.com>"]


def test_operators_are_told_in_words_of_a_reference_that_was_used_before(bank: PaymentMethodConfig) -> None:
    first = make.submitted_payment(reference="BT 777")
    make.submitted_payment(reference="bt-777")

    for part in parts_of(the_mail("payment.submitted")):
        assert "reference was used before" in part
        assert re.search(rf"[Pp]ayment {first.pk} has the same one", part)


def test_approved_payment_tells_the_customer_what_it_brought(olga: User, bank: PaymentMethodConfig) -> None:
    owner = make.owner({"billing_email": "accounts@acme.example", "status": "pending_payment"})
    invoice = make.subscription(owner.account).invoices.get()
    PaymentService.approve_manual_payment(make.submitted_payment(invoice, reference="BT-1"), olga, admin_notes="secret")
    invoice.subscription.refresh_from_db()

    sent = the_mail("payment.approved")

    assert sent.to == ["accounts@acme.example"]
    for part in parts_of(sent):
        for said in ("89.00 USD", invoice.invoice_number, "BT-1", "1000 (new balance 1000)"):
            assert said in part
        assert f"Starter, active until {invoice.subscription.current_period_end:%-d %B %Y}" in part
        assert "secret" not in part


def test_approved_payment_that_brings_no_credits_and_no_plan_speaks_of_neither(
    olga: User, bank: PaymentMethodConfig
) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(make.invoice()), olga)

    for part in parts_of(the_mail("payment.approved")):
        assert "Credits" not in part
        assert "Plan" not in part


def test_rejected_payment_tells_the_customer_why_and_how_to_confirm_again(
    olga: User, bank: PaymentMethodConfig
) -> None:
    owner = make.owner(email="owner@acme.example")
    payment = make.submitted_payment(make.invoice(owner.account), reference="BT-9")
    PaymentService.reject_manual_payment(payment, "The transfer <b>never</b> arrived & expired", olga)

    sent = the_mail("payment.rejected")

    assert sent.to == ["owner@acme.example"]
    text, html = parts_of(sent)
    assert "Reason: The transfer <b>never</b> arrived & expired" in text
    assert "The transfer &lt;b&gt;never&lt;/b&gt; arrived &amp; expired" in html
    assert "<b>" not in html
    for part in (text, html):
        assert "you can tell us of your payment again" in part
        assert f"{BASE_URL}/pay/" in part
        assert "ABC Bank" in part
        assert "BT-9" in part
        assert "olga" not in part


def test_one_mail_tells_of_payment_and_activation(olga: User, bank: PaymentMethodConfig) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(), olga)

    told = Event.objects.filter(deliveries__consumer="email").values_list("type", flat=True)

    assert sorted(told) == ["invoice.created", "payment.approved", "payment.submitted"]


def test_low_balance_is_told_to_the_owner() -> None:
    owner = make.owner({"billing_email": "accounts@acme.example"}, email="owner@acme.example")
    make.credits(owner.account, 150)
    CreditService.spend(owner.account, 60, operation_type="writing")

    sent = the_mail("credits.low")

    assert sent.to == ["owner@acme.example"]
    text, html = parts_of(sent)
    assert "Credits left: 90" in text
    assert "<td>90</td>" in html
    assert "below 100" in text
    assert "below 100" in html


# --- What no mail can be made to do -------------------------------------------------------------------------------


def test_repeated_delivery_carries_the_same_message_id_and_another_event_another(bank: PaymentMethodConfig) -> None:
    make.submitted_payment()

    first, again, other = (
        the_mail(kind).message()["Message-ID"] for kind in ("payment.submitted", "payment.submitted", "invoice.created")
    )

    assert first == again != other
    assert first.endswith("@app.example.com>")


def test_mail_is_refused_inside_a_transaction() -> None:
    invoice = make.invoice()
    event = Event.objects.get(type="invoice.created")
    for send in (lambda: mails.handle(event), lambda: mails.send_invoice(invoice)):
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            send()

    assert mail.outbox == []


PHISHING = [
    "<a href=https://evil.example/login>Sign in</a>",
    "Click https://evil.example/login now",
    "www.evil.example",
    "evil.example/login",
    'Acme"><img src=https://evil.example/x.png>',
    "Line one\nBcc: victim@evil.invalid\r\nSubject: spoofed",
]


@pytest.mark.parametrize("text", PHISHING)
def test_text_of_people_brings_no_link_no_markup_and_no_header(
    text: str, olga: User, bank: PaymentMethodConfig
) -> None:
    owner = make.owner({"name": text})
    payment = make.submitted_payment(make.invoice(owner.account), submitted_by=owner)
    Payment.objects.filter(pk=payment.pk).update(manual_reference=text[:100])
    PaymentService.reject_manual_payment(payment, text, olga)

    for kind in ("invoice.created", "payment.submitted", "payment.rejected"):
        sent = the_mail(kind)
        raw = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
        assert raw["Bcc"] is None
        assert raw["Subject"] == sent.subject
        assert raw["To"] == sent.to[0]
        assert "evil.example" not in f"{sent.body}{html_of(sent)}"
        html = html_of(sent)
        assert all(link.startswith(BASE_URL) for link in re.findall(r'href="([^"]*)"', html))
        assert not re.search("<img|<a href=h", html)


def test_address_with_a_line_break_is_refused_and_sends_nothing() -> None:
    invoice = make.invoice()
    invoice.account.billing_email = invoice.account.confirmed_billing_email = "a@example.com\nBcc: b@example.com"

    with pytest.raises(ValueError, match="newlines"):
        InvoiceService.send_invoice_email(invoice)

    assert mail.outbox == []


def test_every_mail_has_text_html_and_says_it_is_automatic(olga: User, bank: PaymentMethodConfig) -> None:
    owner = make.owner({"status": "pending_payment"})
    ordered = make.subscription(owner.account).invoices.get()
    PaymentService.reject_manual_payment(make.submitted_payment(ordered), "No", olga)
    PaymentService.approve_manual_payment(make.submitted_payment(ordered), olga)
    owner.account.refresh_from_db()
    CreditService.spend(owner.account, 950, operation_type="writing")
    PaymentService.process_refund(Payment.objects.get(status="succeeded"), reason="Goodwill")
    InvoiceService.send_again(ordered, olga)
    credit_unpaid(make.invoice(owner.account), "Ordered twice", olga)
    _change_plan(Subscription.objects.get())
    _change_payee(olga)
    # Those of gateways are in test_gateway_mails.py, of renewals in test_renewal_mails.py, of dunning in dunning.py.
    of_gateways = {*GATEWAY_NOTICES, "payment.succeeded", "webhook.dead", "webhook.needs_review", "books.broken"}
    of_others = ("account.", "invoice.o", "invoice.r", "renewal.", "payment_method.e", "payment.l", "subscription.pr")
    for kind in (each for each in mails.HANDLERS.keys() - of_gateways if not each.startswith(of_others)):
        sent = the_mail(kind)
        assert sent.message()["Auto-Submitted"] == "auto-generated"
        assert sent.alternatives[0][1] == "text/html"
        assert not re.search(r"\{[{%]", sent.body + html_of(sent))
        assert "\n\n\n" not in sent.body
        assert "\n" not in sent.subject


def _change_payee(operator: User) -> None:
    """Everything that payee_mails.py tells of, once."""
    wallet = {"payment_method": "local_wallet", "display_name": "JazzCash"}
    config = configure_payment_method(operator, country_code="PK", wallet_id="03001234567", **wallet)
    update_payment_method(config, operator, wallet_id="03007654321")
    remove_payment_method(config, operator)


def _change_plan(subscription: Subscription) -> None:
    """Everything that subscription_mails.py tells of, once."""
    service, mini = SubscriptionService, make.plan("mini", price=1, max_sites=0)
    service.cancel_subscription(subscription)
    service.reactivate_subscription(subscription)
    for sites in (0, 1):
        for _ in range(sites):
            make.site(subscription.account)
        service.downgrade_subscription(subscription, mini)
        Subscription.objects.update(current_period_end=timezone.now())
        service.end_due_periods()
        Subscription.objects.update(plan=make.plan(), current_period_end=timezone.now() + timedelta(days=9))
    service.cancel_subscription(subscription, cancel_at_period_end=False)
