"""The banner of open invoices, on every page of who is signed in."""

from typing import Any

import pytest
from django.test import Client

from igny8_core.auth.models import Account, AccountStatus, LoginSession, Role, Subscription, User
from igny8_core.business.billing.models import Invoice, PaymentStatus
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(settings: Any) -> Subscription:
    """An account that waits for the payment of its first invoice."""
    settings.BASE_URL = "http://testserver"
    return make.subscription()


@pytest.fixture
def owner(order: Subscription) -> User:
    assert order.account.owner
    return order.account.owner


@pytest.fixture
def invoice(order: Subscription) -> Invoice:
    return order.invoices.get()


def banner(browser: Client, address: str = "/home") -> Any:
    return browser.get(address)


def test_an_open_invoice_stands_on_every_page_with_its_link(owner: User, invoice: Invoice) -> None:
    browser = browser_of(owner)

    for address in ("/home", "/sites", "/", "/terms"):
        page = banner(browser, address)
        assert says(page, "Waiting for your payment")
        assert says(page, invoice.invoice_number)
        assert says(page, "89.00 USD")
        assert 'href="/pay/' in page.content.decode()
    pay_page = banner(browser, pay_link(invoice).removeprefix("http://testserver"))
    assert 'data-address="/standing"' not in pay_page.content.decode()


def test_a_confirmation_is_being_checked_until_it_is_decided(owner: User, invoice: Invoice, olga: User) -> None:
    browser = browser_of(owner)
    payment = PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-1")
    assert says(banner(browser), "We are checking your payment")

    PaymentService.reject_manual_payment(payment, "No transfer with this reference", olga)
    page = banner(browser)
    assert says(page, "We could not confirm your payment")
    assert says(page, "No transfer with this reference")

    again = PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-2")
    PaymentService.approve_manual_payment(again, olga)
    assert not says(banner(browser), "/standing")


def test_an_open_card_form_waits_and_a_declined_card_says_why(owner: User, invoice: Invoice) -> None:
    browser = browser_of(owner)
    attempt = make.submitted_payment(invoice)
    attempt.payment_method, attempt.status, attempt.needs_review = "stripe", PaymentStatus.PENDING, False
    attempt.next_check_at = attempt.created_at
    attempt.save()
    assert says(banner(browser), "Waiting for your payment")

    attempt.status, attempt.failure_reason, attempt.next_check_at = PaymentStatus.FAILED, "Not enough money.", None
    attempt.save()
    page = banner(browser)
    assert says(page, "Your payment did not go through")
    assert says(page, "Not enough money.")


def test_each_of_several_invoices_has_its_link(owner: User, invoice: Invoice) -> None:
    other = make.invoice(invoice.account)

    page = banner(browser_of(owner))

    html = page.content.decode()
    assert html.count('href="/pay/') == 2
    assert invoice.invoice_number in html
    assert other.invoice_number in html


def test_who_may_not_pay_gets_no_link(owner: User, invoice: Invoice) -> None:
    viewer = make.user(account=invoice.account, role=Role.VIEWER)

    page = banner(browser_of(viewer))

    assert says(page, "Waiting for your payment")
    assert says(page, "Owners and admins of your account can pay it.")
    assert 'href="/pay/' not in page.content.decode()


def test_an_order_that_was_withdrawn_is_said(owner: User, invoice: Invoice, olga: User) -> None:
    InvoiceService.mark_void(invoice, "A mistake", olga)

    page = banner(browser_of(owner))

    assert Account.objects.get(pk=invoice.account_id).status == AccountStatus.PENDING_PAYMENT
    assert says(page, "There is no open invoice to pay")


def test_nobody_sees_another_account_s_invoices(owner: User, invoice: Invoice, charlie: User) -> None:
    page = banner(browser_of(charlie))

    assert not says(page, invoice.invoice_number)
    assert not says(page, "/standing")
    assert not says(Client().get("/"), "standing")  # type: ignore[arg-type]


def test_a_script_learns_in_one_small_answer_whether_something_changed(
    owner: User, invoice: Invoice, olga: User
) -> None:
    browser = browser_of(owner)
    first: Any = browser.get("/standing")
    unchanged = browser.get("/standing", headers={"If-None-Match": first["ETag"]})
    payment = PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-1")
    sent: Any = browser.get("/standing", headers={"If-None-Match": first["ETag"]})
    PaymentService.approve_manual_payment(payment, olga)
    settled: Any = browser.get("/standing", headers={"If-None-Match": sent["ETag"]})

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert len({first.json()["version"], sent.json()["version"], settled.json()["version"]}) == 3
    assert len(first.content) < 100
    assert first["Cache-Control"] == "no-store"


def test_asking_costs_three_queries(owner: User, invoice: Invoice, django_assert_num_queries: Any) -> None:
    make.submitted_payment(make.invoice(invoice.account))
    browser = browser_of(owner)

    with django_assert_num_queries(3):  # the session, the open invoices, their payments
        assert browser.get("/standing").status_code == 200


def test_who_is_signed_out_gets_401_and_asking_keeps_nobody_signed_in(owner: User, settings: Any) -> None:
    browser = browser_of(owner)
    soon = LoginSession.objects.get().created_at + settings.PAGE_SESSION_IDLE / 2
    LoginSession.objects.update(expires_at=soon)

    assert browser.get("/standing").status_code == 200
    assert LoginSession.objects.get().expires_at == soon
    browser.post("/logout")
    assert browser.get("/standing").status_code == 401
