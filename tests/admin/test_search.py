"""The console's search over everything: one text finds what operators know of a thing, and shows what they may view."""

import re
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Dispute, Payment, Refund, WebhookEvent
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

SEARCH = "/admin/search/"


def found(browser: Client, text: str) -> dict[str, list[str]]:
    """The titles of what is shown, by group."""
    groups = browser.get(SEARCH, {"q": text}).context["groups"]
    return {group.title: [hit.title for hit in group.hits] for group in groups}


@pytest.fixture
def payment() -> Payment:
    """89.00 USD with the reference BT-2026/00451 O."""
    owner = make.owner(
        {"name": "Ångström & Söhne", "billing_email": "books@angstrom.example"}, email="lise@angstrom.example"
    )
    assert owner.account
    return make.submitted_payment(make.invoice(owner.account), "BT-2026/00451 O", payer_name="Lise Meitner")


@pytest.mark.parametrize(
    "text",
    [
        "bt 2026 00451 o",
        "BT-2026/00451 O",
        "BT２０２６００４５１0",
        "89",
        "89.00",
        "89,00",
        "USD 89",
        "89.00 usd",
        "٨٩",
        "LISE mei",
    ],
)
def test_a_payment_is_found_as_people_type_what_they_know(console: Client, payment: Payment, text: str) -> None:
    others = make.submitted_payment(make.invoice(line_items=[{"description": "x", "amount": "88.99"}]), "Other")

    titles = found(console, text)["Payments"]

    assert titles == [f"Payment {payment.pk} of {payment.invoice.invoice_number}"]
    assert others.pk not in titles


def test_an_amount_finds_the_newest_payments_of_each_currency_and_open_invoices(console: Client, olga: User) -> None:
    lines = [{"description": "Work", "amount": "1234.50"}]
    for currency, times in (("EUR", 1), ("USD", 10)):
        for _ in range(times):
            bill = make.invoice(line_items=lines, currency=currency)
            PaymentService.approve_manual_payment(make.submitted_payment(bill), olga)
    still_open = make.invoice(line_items=lines, currency="EUR")

    for text in ("1,234.50", "1.234,50", "1234.5"):
        assert len(found(console, text)["Payments"]) == 8
        assert found(console, text)["Invoices"] == [still_open.invoice_number]
    assert len(found(console, "EUR 1234.50")["Payments"]) == 1
    assert found(console, "GBP 1234.50") == {}


def test_invoices_accounts_and_people_are_found_by_how_they_begin(console: Client, payment: Payment) -> None:
    invoice = payment.invoice

    assert found(console, invoice.invoice_number.lower())["Invoices"] == [invoice.invoice_number]
    assert found(console, invoice.invoice_number.removeprefix("INV-"))["Invoices"] == [invoice.invoice_number]
    assert found(console, invoice.invoice_number)["Payments"][0].startswith(f"Payment {payment.pk} ")
    assert found(console, "ångs")["Accounts"] == ["Ångström & Söhne"]
    assert found(console, "BOOKS@angstrom.example")["Accounts"] == ["Ångström & Söhne"]
    assert found(console, "lise@ang") == {"Accounts": ["Ångström & Söhne"], "Users": ["lise@angstrom.example"]}


def test_people_are_found_by_name(console: Client) -> None:
    make.user(email="ada@example.com", first_name="Ada", last_name="Lovelace")

    for text in ("ada", "love", "Ada Love", "ADA LOVELACE"):
        assert found(console, text)["Users"] == ["ada@example.com"], text
    assert "Users" not in found(console, "Lovelace Ada")


def test_ids_of_gateways_find_what_they_belong_to(console: Client, payment: Payment) -> None:
    account = payment.account
    paid = Payment.objects.create(
        account=account, invoice=make.invoice(account), amount="5.00", currency="USD", payment_method="paypal",
        status="succeeded", gateway_object_id="5O190127TN364715T", gateway_capture_id="2GG279541U471931P",
    )  # fmt: skip
    refund = Refund.objects.create(
        account=account, payment=paid, amount="1.00", currency="USD", status="succeeded", reason="x",
        gateway_refund_id="re_3NqABC",
    )  # fmt: skip
    Dispute.objects.create(account=account, payment=paid, gateway="paypal", gateway_dispute_id="PP-D-4012")
    WebhookEvent.objects.create(provider="stripe", event_id="evt_1NqABC", type="charge.refunded", body="{}",
                                state="processed")  # fmt: skip
    type(account).objects.filter(pk=account.pk).update(stripe_customer_id="cus_9s6XKzkNRiz8i3")

    shown = f"Payment {paid.pk} of {paid.invoice.invoice_number}"
    assert found(console, "5O190127TN364715T") == {"Payments": [shown]}
    assert found(console, "2gg279541u471931p") == {"Payments": [shown]}
    assert found(console, str(paid.uuid)) == {"Payments": [shown]}
    assert found(console, "re_3NqABC") == {"Refunds": [str(refund)]}
    assert found(console, "PP-D-4012") == {"Disputes": ["PP-D-4012"]}
    assert found(console, "evt_1NqABC") == {"Webhook messages": ["evt_1NqABC"]}
    assert found(console, "cus_9s6XKzkNRiz8i3") == {"Accounts": [account.name]}


def test_every_result_leads_to_its_page(console: Client, payment: Payment) -> None:
    for text in ("89", "lise@ang", payment.invoice.invoice_number):
        for group in console.get(SEARCH, {"q": text}).context["groups"]:
            for hit in group.hits:
                assert console.get(hit.href).status_code == 200, hit


def test_more_than_are_shown_lead_to_the_list(console: Client) -> None:
    for _ in range(9):
        make.submitted_payment()

    [payments] = [group for group in console.get(SEARCH, {"q": "89"}).context["groups"] if group.title == "Payments"]

    assert len(payments.hits) == 8
    assert len(console.get(payments.href).context["cl"].result_list) == 9


def test_nothing_is_shown_that_the_operator_may_not_view(client: Client, payment: Payment) -> None:
    client.force_login(operator_with("billing.view_invoice"))
    assert set(found(client, "89")) == {"Invoices"}
    assert found(client, "lise@ang") == {}
    client.force_login(operator_with())
    page = client.get(SEARCH, {"q": "89"}).content.decode()
    assert "You may view nothing that can be searched" in page
    assert payment.invoice.invoice_number not in page


def test_strangers_and_customers_do_not_search(client: Client, alice: User) -> None:
    assert client.get(SEARCH, {"q": "89"}).status_code == 302
    client.force_login(alice)
    assert client.get(SEARCH, {"q": "89"}).status_code in {302, 403}


ODD_TEXTS = [
    *(
        "",
        "   ",
        "\0",
        "INV\0",
        "NaN",
        "1e999",
        "-1",
        "0",
        "9" * 40,
        "Infinity",
        "%",
        "_",
        "\\",
        "'",
        '"; DROP TABLE',
    ),
    *("٣٤٥", "八十九", "\u202e98", "\u200f89\u200e", "\ud800", "USD", "USD USD", "USD 89 EUR", "a", "é" * 200),
    *("<script>alert(1)</script>", "00000000-0000-0000-0000-00000000000g", "{" * 50, "INV-", "1" * 18 + "-1"),
]


def test_odd_texts_are_answered_with_a_clear_page(console: Client, payment: Payment) -> None:
    for text in ODD_TEXTS:
        answer = console.get(SEARCH, {"q": text.encode("utf-8", "surrogatepass")})

        assert answer.status_code in {200, 400}, ascii(text)
        assert "<script>alert(1)" not in answer.content.decode()


def test_what_is_too_long_is_refused_in_words(console: Client, payment: Payment) -> None:
    answer = console.get(SEARCH, {"q": "8" * 10_000})

    assert answer.status_code == 400
    assert "longer than 200 characters" in answer.content.decode()
    assert answer.context["groups"] == []


def test_signs_of_sql_stand_for_themselves(console: Client, payment: Payment) -> None:
    make.account(name="100% Wool_works")

    assert found(console, "100%")["Accounts"] == ["100% Wool_works"]
    assert "Accounts" not in found(console, "100_")
    assert "Accounts" not in found(console, "%wool")


def test_marks_of_direction_hide_nothing(console: Client, payment: Payment) -> None:
    assert "Payments" in found(console, "\u200f89\u200e")
    assert "Payments" in found(console, "\u202eBT-2026/00451 O")


def test_the_field_stands_on_every_page_and_the_menu_still_answers(console: Client) -> None:
    for page in (reverse("admin:index"), reverse("admin:billing_payment_changelist"), SEARCH):
        html = unescape(console.get(page).content.decode())
        assert re.search(r'<form class="console-search"[^>]*action="/admin/search/"', html), page
        assert "console/search.js" in html
    assert "Payments" in console.get(SEARCH, {"s": "payment"}).content.decode()
    assert console.post(SEARCH, {"q": "89"}).status_code == 405
