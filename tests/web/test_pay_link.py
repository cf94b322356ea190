"""What else a pay link opens: the state that an open page asks for, the document, and nothing once it was withdrawn."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import PdfUnavailable
from igny8_core.business.billing.models import Payment, PaymentMethodConfig
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices import pdf
from igny8_core.business.billing.services.invoices.pay_links import pay_link, withdraw_pay_links
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.web.conftest import Customer, customer_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bank")]


# --- The state -----------------------------------------------------------------------------------------------------


def version(customer: Customer) -> str:
    answer = customer.browser.get(f"{customer.page}state/")
    assert answer.status_code == 200
    assert answer["ETag"] == f'"{answer.json()["version"]}"'
    return str(answer.json()["version"])


def test_the_version_changes_with_every_state_of_the_page(customer: Customer, olga: User) -> None:
    seen = [version(customer)]
    for decide in (
        lambda: make.submitted_payment(customer.invoice),
        lambda: PaymentService.reject_manual_payment(Payment.objects.latest("pk"), "No.", olga),
        lambda: make.submitted_payment(customer.invoice),
        lambda: PaymentService.approve_manual_payment(Payment.objects.latest("pk"), olga),
        lambda: PaymentService.process_refund(Payment.objects.latest("pk"), "5.00", refunded_by=olga),
    ):
        decide()
        seen.append(version(customer))

    assert len(set(seen)) == len(seen)
    assert f'data-version="{seen[-1]}"' in text_of(customer.opens())


def test_who_knows_the_version_already_gets_nothing(customer: Customer) -> None:
    known = f'"{version(customer)}"'

    same = customer.browser.get(f"{customer.page}state/", headers={"If-None-Match": known})
    InvoiceService.mark_void(customer.invoice, "x")
    other = customer.browser.get(f"{customer.page}state/", headers={"If-None-Match": known})

    assert (same.status_code, same.content, other.status_code) == (304, b"", 200)
    assert same["Cache-Control"] == other["Cache-Control"] == "no-store"


def test_the_state_says_nothing_of_the_invoice(customer: Customer) -> None:
    assert customer.browser.get(f"{customer.page}state/").json().keys() == {"version"}
    assert customer.browser.get("/pay/forged/state/").status_code == 404


def test_asking_for_the_state_is_light(customer: Customer, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2):
        customer.browser.get(f"{customer.page}state/")


def test_waiting_pages_do_not_use_up_the_page_s_own_limit(customer: Customer, throttling: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pay_state": ["2/minute"], "pay_page": ["1/minute"]}

    answers = [customer.browser.get(f"{customer.page}state/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    assert customer.opens().status_code == 200


# --- The document --------------------------------------------------------------------------------------------------


def test_the_invoice_is_saved_by_its_link(customer: Customer) -> None:
    answer = customer.browser.get(f"{customer.page}invoice.pdf")

    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{customer.invoice.invoice_number}.pdf"'
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]
    assert answer.content.startswith(b"%PDF")


def test_a_server_that_draws_no_pdf_shows_the_page_and_says_so(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(*_: object) -> bytes:
        raise PdfUnavailable(retry_after=60)

    monkeypatch.setattr(pdf, "render_invoice", unavailable)

    answer = customer.browser.get(f"{customer.page}invoice.pdf")

    assert answer.status_code == 503
    assert "cannot be made at the moment" in text_of(answer)  # type: ignore[arg-type]
    assert "apt-get" not in text_of(answer)  # type: ignore[arg-type]


@pytest.mark.parametrize("stranger", [False, True])
def test_documents_are_drawn_a_few_times_a_minute_for_one_link(
    customer: Customer, throttling: None, settings: Any, stranger: bool
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "pay_pdf": ["1/minute"]}
    address = f"{customer.page}invoice.pdf"

    first = customer.browser.get(address)
    second = customer.browser.get(address, REMOTE_ADDR="203.0.113.9" if stranger else "127.0.0.1")

    assert (first.status_code, second.status_code) == (200, 429)


# --- Who bills -----------------------------------------------------------------------------------------------------


def test_the_page_says_who_bills_whom_and_whom_to_ask(customer: Customer, settings: Any) -> None:
    settings.COMPANY_NAME, settings.COMPANY_ADDRESS = "Seller Ltd", "1 High Street, London"
    settings.SUPPORT_EMAIL = "help@seller.example"

    page = text_of(customer.opens())

    for said in ("Seller Ltd", "1 High Street, London", "Acme Secrets Ltd", 'href="mailto:help@seller.example"'):
        assert said in page


def test_the_seller_s_logo_is_the_one_of_the_documents(customer: Customer, settings: Any, tmp_path: Path) -> None:
    assert customer.browser.get("/pay/logo")["Location"] == "/static/web/logo.svg"
    logo = tmp_path / "logo.png"
    logo.write_bytes(make.png())
    settings.COMPANY_LOGO = str(logo)

    answer = customer.browser.get("/pay/logo")

    assert 'src="/pay/logo"' in text_of(customer.opens())
    assert (answer.content, answer["Content-Type"]) == (make.png(), "image/png")
    assert "sandbox" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("usual", "first"),
    [("bank_transfer", "Pay by Bank Transfer"), ("stripe", "Pay by card"), ("paypal", "Pay with PayPal")],
)
def test_the_way_that_was_ordered_comes_first(
    customer: Customer, both: tuple[object, object], usual: str, first: str
) -> None:
    customer.invoice.account.payment_method = usual
    customer.invoice.account.save()

    page = text_of(customer.opens())

    assert page.index(first) < page.index("Other ways to pay")
    others = {"Pay by Bank Transfer", "Pay by card", "Pay with PayPal"} - {first}
    assert all(page.index(other) > page.index("Other ways to pay") for other in others)


def test_details_stand_once_with_amount_and_reference_to_copy(customer: Customer) -> None:
    PaymentMethodConfig.objects.update(iban="DE89370400440532013000", instructions="IBAN: DE89370400440532013000")
    invoice = make.invoice(customer.invoice.account)

    page = text_of(customer_of(invoice, "http://testserver").opens())

    assert page.count("DE89 3704 0044 0532 0130 00") == 1
    for copied in ("DE89370400440532013000", "89.00", invoice.invoice_number):
        assert page.count(f'data-copy="{copied}"') == 1


def test_a_transfer_in_euro_has_a_code_and_any_other_has_none(customer: Customer) -> None:
    PaymentMethodConfig.objects.update(iban="DE89370400440532013000", account_title="igny8 GmbH")
    account = customer.invoice.account
    lines = [{"description": "Plan", "quantity": 1, "amount": "89.00"}]
    pages = {
        currency: text_of(
            customer_of(InvoiceService.create_invoice(account, lines, currency=currency), "http://testserver").opens()
        )
        for currency in ("EUR", "USD")
    }

    assert "QR code of this transfer" in pages["EUR"]
    assert "QR code" not in pages["USD"]


# --- Withdrawn -----------------------------------------------------------------------------------------------------


def test_a_withdrawn_link_opens_nothing_and_a_new_one_works(customer: Customer, olga: User) -> None:
    other = customer_of(make.invoice(customer.invoice.account), "http://testserver")

    invoice = withdraw_pay_links(customer.invoice, olga)

    for address in ("", "invoice.pdf", "state/"):
        assert customer.browser.get(f"{customer.page}{address}").status_code == 410
    for button in ("card", "paypal", "complete", "confirm"):
        assert Client().post(f"{customer.page}{button}/").status_code == 410
    assert "was withdrawn" in text_of(customer.opens())
    assert Client().get(pay_link(invoice).removeprefix("http://testserver")).status_code == 200
    assert other.opens().status_code == 200
    event = Event.objects.get(type="invoice.pay_links_withdrawn")
    assert (event.actor, event.object_id) == (olga, str(invoice.pk))
    assert Payment.objects.count() == 0


def test_a_link_of_a_version_that_never_was_opens_nothing(customer: Customer) -> None:
    customer.invoice.pay_link_version = 7

    assert Client().get(pay_link(customer.invoice).removeprefix("http://testserver")).status_code == 410
