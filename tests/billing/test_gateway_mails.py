"""The mails on payments at gateways: who is told what, and what is not told twice."""

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import AuthenticationRequired, PaymentDeclined, RefundRefused
from igny8_core.business.billing.models import Invoice, Payment, WebhookEvent
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.pay_links import invoice_of_pay_link
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.notifications.gateway_mails import FOR_OPERATORS, GATEWAY_NOTICES
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.business.billing.services.refunds.gateway_refunds import ask_about_refund
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make

BASE_URL = "https://app.example.com"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]


@pytest.fixture(autouse=True)
def base_url(settings: Any) -> None:
    settings.BASE_URL = BASE_URL


@pytest.fixture
def owner() -> User:
    return make.owner({"billing_email": "accounts@acme.example", "name": "Acme"})


def told(event_type: str) -> EmailMultiAlternatives | None:
    """Handle the newest event of a type as the delivery worker does; the mail that this sent, if any."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=event_type).latest("pk"))
    assert len(mail.outbox) <= 1
    sent = mail.outbox[0] if mail.outbox else None
    assert sent is None or isinstance(sent, EmailMultiAlternatives)
    return sent


def the_mail(event_type: str) -> EmailMultiAlternatives:
    sent = told(event_type)
    assert sent is not None
    return sent


def parts_of(sent: EmailMultiAlternatives) -> tuple[str, str]:
    """The text and the HTML, each with runs of white space as one space."""
    return " ".join(str(sent.body).split()), " ".join(str(sent.alternatives[0][0]).split())


def pay_link_in(sent: EmailMultiAlternatives) -> Invoice:
    """The invoice that the one pay link of a mail opens; it is in the text and in the HTML."""
    text, html = parts_of(sent)
    [token] = set(re.findall(rf"{BASE_URL}/pay/([^/\s\"]+)/", text))
    assert f'href="{BASE_URL}/pay/{token}/"' in html
    return invoice_of_pay_link(token)


def charge_later(invoice: Invoice, card: str) -> None:
    """Charge a saved card while the customer is not there."""
    PaymentService.create_stripe_payment(invoice, card, off_session=True)


@service_transaction
def record(payment: Payment, event_type: str, **data: str) -> None:
    events.record(transitions.payment_event(event_type, payment, **data))


# --- To customers -------------------------------------------------------------------------------------------------


def test_a_card_payment_is_receipted_like_any_other(stripe: FakeStripe, owner: User) -> None:
    make.customer_at_stripe(stripe, owner.account)
    invoice = make.subscription(owner.account).invoices.get()
    card = make.saved_card(stripe, owner.account)
    charge_later(invoice, card.gateway_method_id)

    sent = the_mail("payment.succeeded")

    assert sent.to == ["accounts@acme.example"]
    assert sent.subject == f"Payment received for invoice {invoice.invoice_number}"
    for part in parts_of(sent):
        for said in ("89.00 USD", invoice.invoice_number, "Starter", "1000 (new balance 1000)"):
            assert said in part
        assert "Your reference" not in part


def test_a_renewal_that_was_declined_tells_why_and_where_to_pay(stripe: FakeStripe, owner: User) -> None:
    invoice = make.invoice(owner.account)
    card = make.saved_card(stripe, owner.account, "pm_card_chargeCustomerFail")

    with pytest.raises(PaymentDeclined):
        charge_later(invoice, card.gateway_method_id)
    sent = the_mail("payment.failed")

    reason = Payment.objects.get().failure_reason
    assert sent.to == ["accounts@acme.example"]
    assert pay_link_in(sent) == invoice
    for part in parts_of(sent):
        assert "Nothing was charged" in part
        assert "89.00 USD" in part
    assert reason
    assert f"Reason: {reason}" in parts_of(sent)[0]


def test_a_declined_renewal_of_an_invoice_that_was_paid_meanwhile_is_not_told(
    stripe: FakeStripe, owner: User, olga: User
) -> None:
    invoice = make.invoice(owner.account)
    card = make.saved_card(stripe, owner.account, "pm_card_chargeCustomerFail")
    with pytest.raises(PaymentDeclined):
        charge_later(invoice, card.gateway_method_id)
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)

    assert told("payment.failed") is None


def test_a_customer_who_saw_the_refusal_on_the_page_gets_no_mail_of_it(stripe: FakeStripe, owner: User) -> None:
    card = make.saved_card(stripe, owner.account, "pm_card_chargeCustomerFail")
    with pytest.raises(PaymentDeclined):
        PaymentService.create_stripe_payment(make.invoice(owner.account), card.gateway_method_id)

    assert told("payment.failed") is None


def test_a_bank_that_wants_the_customer_gets_them_by_one_mail_with_a_link(stripe: FakeStripe, owner: User) -> None:
    invoice = make.invoice(owner.account)
    card = make.saved_card(stripe, owner.account, "pm_card_authenticationRequired")

    with pytest.raises(AuthenticationRequired):
        charge_later(invoice, card.gateway_method_id)
    sent = the_mail("payment.action_required")

    assert sent.to == ["accounts@acme.example"]
    assert sent.subject == "Please confirm your payment"
    assert pay_link_in(sent) == invoice
    assert told("payment.failed") is None


def test_money_that_went_back_is_told_with_its_amount_and_reason(stripe: FakeStripe, owner: User) -> None:
    invoice = make.invoice(owner.account)
    payment = a_late_payment(stripe, invoice)
    ask_about_refund(payment.refunds.get())

    sent = the_mail("payment.returned")

    assert sent.to == ["accounts@acme.example"]
    assert sent.subject == "We returned 89.00 USD"
    for part in parts_of(sent):
        assert "the invoice was already closed" in part
        assert invoice.invoice_number in part


def a_late_payment(stripe: FakeStripe, invoice: Invoice) -> Payment:
    """Money that came after the invoice was voided; its return is ordered."""
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    Payment.objects.update(status="canceled")
    InvoiceService.mark_void(invoice, "A mistake")
    stripe.pay_in_browser(attempt.charge.client_secret)
    PaymentService.handle_stripe_success(attempt.charge.object_id)
    return Payment.objects.get()


def test_a_new_invoice_has_a_link_to_pay_where_a_gateway_can_take_the_money(stripe: FakeStripe, owner: User) -> None:
    make.payment_method(payment_method="stripe", display_name="Card")
    invoice = make.invoice(owner.account)

    sent = the_mail("invoice.created")

    assert pay_link_in(sent) == invoice
    assert "choose how to pay" not in parts_of(sent)[0]


def test_an_invoice_that_no_gateway_can_collect_has_its_link_all_the_same(owner: User) -> None:
    make.payment_method(payment_method="stripe", display_name="Card")
    invoice = make.invoice(owner.account)

    assert pay_link_in(the_mail("invoice.created")) == invoice


def test_a_rejected_transfer_can_be_paid_by_card_instead(stripe: FakeStripe, owner: User, olga: User) -> None:
    make.payment_method(payment_method="stripe", display_name="Card")
    invoice = make.invoice(owner.account)
    PaymentService.reject_manual_payment(make.submitted_payment(invoice), "No such transfer", olga)

    assert pay_link_in(the_mail("payment.rejected")) == invoice


# --- To operators -------------------------------------------------------------------------------------------------


def test_operators_who_may_check_payments_are_told_what_to_review(stripe: FakeStripe, owner: User) -> None:
    checker = make.user(email="checker@example.com", is_staff=True)
    checker.user_permissions.add(Permission.objects.get(codename="check_payment"))
    make.user(email="support@example.com", is_staff=True)
    payment = a_late_payment(stripe, make.invoice(owner.account))
    service_transaction(transitions.flag_for_review)(payment, "The gateway took 5.00 USD; see evil.example")

    sent = the_mail("payment.needs_review")

    assert sent.to == ["checker@example.com"]
    for part in parts_of(sent):
        assert "The gateway took 5.00 USD" in part
        assert "evil.example" not in part
        assert f"{BASE_URL}/admin/billing/payment/{payment.pk}/change/" in part
        assert "Acme" in part


def test_operators_are_told_of_disputes_and_of_returns(stripe: FakeStripe, owner: User, olga: User) -> None:
    payment = a_late_payment(stripe, make.invoice(owner.account))
    record(payment, "payment.disputed", reason="fraudulent")

    for kind, said in (
        ("payment.disputed", "Answer in the gateway's dashboard"),
        ("payment.return_ordered", "You do not need to do anything"),
    ):
        sent = the_mail(kind)
        assert sent.to == [olga.email]
        assert said.replace("'", "&#x27;") in parts_of(sent)[1]


def test_operators_are_told_of_a_refund_that_the_gateway_refused(stripe: FakeStripe, owner: User, olga: User) -> None:
    card = make.saved_card(stripe, owner.account)
    charge_later(make.invoice(owner.account), card.gateway_method_id)
    payment = Payment.objects.get()
    stripe.refund_in_dashboard(payment.gateway_object_id, 8000)
    with pytest.raises(RefundRefused):
        PaymentService.process_refund(payment, Decimal(20))

    sent = the_mail("refund.failed")

    assert sent.to == [olga.email]
    text, html = parts_of(sent)
    assert f"A refund of payment {payment.pk} failed".upper() in text
    assert "Amount: 20.00 USD" in text
    assert f"/admin/billing/payment/{payment.pk}/change/" in html


@pytest.mark.usefixtures("olga")
def test_operators_who_may_process_messages_are_told_of_one_that_was_given_up() -> None:
    message = WebhookEvent.objects.create(
        provider="paypal", event_id="WH-1", type="PAYMENT.CAPTURE.DENIED", body="{}", state="dead"
    )
    facts = {"provider": "paypal", "type": message.type, "error": "GatewayUnavailable: no answer"}
    service_transaction(events.record)(events.NewEvent("webhook.dead", message, None, None, facts))

    sent = the_mail("webhook.dead")

    assert sent.to == ["olga@example.com"]
    assert sent.subject == "A webhook message from PayPal was given up"
    for part in parts_of(sent):
        assert "GatewayUnavailable: no answer" in part
        assert f"{BASE_URL}/admin/billing/webhookevent/{message.pk}/change/" in part
        assert "Invoice" not in part


# --- All ----------------------------------------------------------------------------------------------------------


def test_nothing_is_told_of_an_answer_that_is_still_awaited() -> None:
    assert "payment.unknown" not in mails.HANDLERS
    assert "payment.processing" not in mails.HANDLERS


def test_every_gateway_mail_has_text_html_and_one_subject_line(stripe: FakeStripe, owner: User, olga: User) -> None:
    make.customer_at_stripe(stripe, owner.account)
    payment = PaymentService.create_stripe_payment(make.invoice(owner.account)).payment
    for kind in GATEWAY_NOTICES.keys() - {"refund.failed"}:
        record(payment, kind, reason="Because", code="card_declined", returned="89.00", off_session="yes")

    for kind in GATEWAY_NOTICES.keys() - {"refund.failed"}:
        sent = the_mail(kind)
        assert sent.to == ([olga.email] if kind in FOR_OPERATORS else ["accounts@acme.example"])
        assert sent.alternatives[0][1] == "text/html"
        everything = f"{sent.body}{sent.alternatives[0][0]}"
        assert "{{" not in everything
        assert "{%" not in everything
        assert "\n\n\n" not in sent.body
        assert "\n" not in sent.subject
