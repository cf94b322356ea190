"""Plan and billing, invoices, usage and credits: what the server draws of them, and for whom."""

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from html import unescape
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Plan, Role, Subscription, User
from igny8_core.auth.selectors import terms_of
from igny8_core.business.billing.models import (
    CreditGrantKind,
    CreditTransactionType,
    Invoice,
    InvoiceStatus,
    PaymentMethodConfig,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.usage import projection_of
from igny8_core.common import clock
from igny8_core.web.usage.costs import Worth, worth_of
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db

BILLING, INVOICES = "/account/billing", "/account/invoices"
USAGE, PURCHASE = "/account/usage", "/account/credits/purchase"


def html_of(browser: Client, address: str) -> str:
    response = browser.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return " ".join(response.content.decode().split())


@pytest.fixture
def customer(db: None) -> User:
    """The owner of an account with a running plan, starter for 89.00; growth and mini are on offer too."""
    make.payment_method()
    make.plan("growth", price=Decimal("139.00"), included_credits=2000)
    make.plan("mini", price=Decimal("19.00"), included_credits=100)
    subscription = make.running_subscription()
    owner = make.user(account=subscription.account, role=Role.OWNER)
    subscription.account.owner = owner
    subscription.account.save()
    return owner


def tenant_of(person: User) -> Account:
    assert person.account
    return person.account


# --- Plan and billing -----------------------------------------------------------------------------------------------


def test_the_plan_is_shown_with_price_credits_and_next_date(customer: User) -> None:
    ends = Subscription.objects.get().current_period_end
    assert ends

    html = html_of(browser_of(customer), BILLING)

    assert "<bdi>89.00 USD</bdi>" in html
    assert "1,000 credits each period" in html
    assert f"<dt>Next period begins on</dt><dd>{ends.day} {ends:%B %Y}</dd>" in html
    assert re.findall(r'data-preview="(\w+)"', html) == ["growth", "mini"]


def test_what_happens_next_is_said(customer: User) -> None:
    browser = browser_of(customer)
    subscription = Subscription.objects.get()

    for change, text in (
        ({"cancel_at_period_end": True}, "You canceled this plan."),
        ({"cancel_at_period_end": False, "pending_plan": make.plan("mini")}, "your plan is Mini, for 19.00 USD"),
        ({"pending_plan": None, "current_period_end": timezone.now()}, "The paid period ended on"),
    ):
        for name, value in change.items():
            setattr(subscription, name, value)
        subscription.save()
        assert text in html_of(browser, BILLING), text


def test_monthly_bonus_and_purchased_credits_stand_apart(customer: User, olga: User) -> None:
    account = tenant_of(customer)
    make.credits(account, 1000, source="invoice:1")
    make.credits(
        account, 300, kind=CreditGrantKind.PURCHASE, transaction_type=CreditTransactionType.PURCHASE, source="invoice:2"
    )
    CreditService.adjust(account, 50, reason="Sorry for the outage", adjusted_by=olga)

    html = html_of(browser_of(customer), BILLING)

    assert 'class="big">1,350 <small>to spend</small>' in html
    for words, number in (("Monthly, with your plan", "1,000"), ("Bonus, given by us", "50"), ("Purchased", "300")):
        assert f"<dt>{words}</dt><dd>{number}</dd>" in html


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.ADMIN])
def test_what_a_role_may_not_is_not_shown_and_refused_all_the_same(customer: User, role: Role) -> None:
    account, may = tenant_of(customer), role == Role.ADMIN
    due = make.invoice(account)
    member = make.user(account=account, role=role)
    browser = browser_of(member)

    html = html_of(browser, BILLING)
    shown = {name: name in html for name in ("data-preview=", "data-cancel=", "data-add>", f"{INVOICES}/{due.pk}/pay")}
    assert shown == dict.fromkeys(shown, may)
    assert ("Pay this invoice" in html_of(browser, f"{INVOICES}/{due.pk}")) is may
    assert browser.get(PURCHASE).status_code == (200 if may else 403)
    assert browser.get(f"{PURCHASE}/{due.pk}").status_code == (200 if may else 403)
    checked = Client(enforce_csrf_checks=True)
    checked.cookies = browser.cookies
    token = checked.get(BILLING).context and checked.cookies["csrftoken"].value
    for verb, body in (("upgrade", {"plan_slug": "growth"}), ("cancel", {})):
        address = f"/api/v1/billing/subscriptions/{verb}/"
        assert checked.post(address, body, "application/json").status_code == 403
        answer = checked.post(address, body, "application/json", HTTP_X_CSRFTOKEN=token)
        assert answer.status_code == (200 if may else 403), (role, verb)


def test_who_is_signed_out_is_led_to_the_login_and_back() -> None:
    for address in (BILLING, INVOICES, USAGE, PURCHASE, f"{INVOICES}/1", f"{PURCHASE}/1"):
        assert Client().get(address)["Location"] == f"/login?next={address.replace('/', '%2F')}"


# --- Invoices -------------------------------------------------------------------------------------------------------


def numbers(browser: Client, query: str = "") -> list[str]:
    return re.findall(r'data-opens="invoice"><bdi>(INV-[\d-]+)</bdi>', html_of(browser, f"{INVOICES}?{query}"))


@pytest.fixture
def three(customer: User) -> list[Invoice]:
    """Three invoices of three days: 89.00 and paid, 10.00 and open, 20.00 and void."""
    made = []
    for days, amount, status in ((2, "89.00", "paid"), (1, "10.00", "pending"), (0, "20.00", "void")):
        lines = [{"description": "Work", "quantity": 1, "amount": amount}]
        with time_machine.travel(timezone.now() - timedelta(days=days)):
            invoice = make.invoice(tenant_of(customer), line_items=lines)
        if status == "paid":
            PaymentService.approve_manual_payment(make.submitted_payment(invoice), make.operator())
        if status == "void":
            InvoiceService.mark_void(invoice, "Wrong")
        invoice.refresh_from_db()
        made.append(invoice)
    make.invoice(make.owner().account)
    return made


def test_invoices_are_found_by_number_status_and_day_in_any_order(customer: User, three: list[Invoice]) -> None:
    browser = browser_of(customer)
    old, middle, new = (each.invoice_number for each in three)
    first, last = three[0].invoice_date, three[2].invoice_date

    assert numbers(browser) == [new, middle, old]
    assert numbers(browser, "order=oldest") == [old, middle, new]
    assert numbers(browser, "order=highest") == [old, new, middle]
    assert numbers(browser, "order=lowest") == [middle, new, old]
    assert numbers(browser, "status=paid") == [old]
    assert numbers(browser, f"search={middle[-6:].lower()}") == [middle]
    assert numbers(browser, f"first={first + timedelta(days=1)}&last={last - timedelta(days=1)}") == [middle]
    assert numbers(browser, "search=nothing") == []
    assert "No invoice is like that." in html_of(browser, f"{INVOICES}?search=nothing")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("first=2026-02-30", "From: Enter a valid date."),
        ("first=2026-03-02&last=2026-03-01", "To: This day is before the first one."),
        ("status=lost", "Status: Select a valid choice."),
        ("page=0", "greater than or equal to 1"),
        ("page=401", "less than or equal to 400"),
    ],
)
def test_a_wrong_filter_is_said_and_narrows_nothing(
    customer: User, three: list[Invoice], query: str, text: str
) -> None:
    response: Any = browser_of(customer).get(f"{INVOICES}?{query}")

    assert response.status_code == 400
    assert says(response, text)
    assert says(response, three[0].invoice_number)


def test_a_long_list_is_turned_page_by_page(customer: User) -> None:
    for _ in range(27):
        make.invoice(tenant_of(customer))
    browser = browser_of(customer)

    first, second = numbers(browser, "status=pending"), numbers(browser, "status=pending&page=2")

    assert (len(first), len(second), len({*first, *second})) == (25, 2, 27)
    html = html_of(browser, f"{INVOICES}?status=pending")
    assert "?status=pending&amp;page=2" in html
    assert "Invoices 1 to 25" in html


def test_an_invoice_has_its_lines_sums_payments_and_documents(customer: User, three: list[Invoice]) -> None:
    paid = three[0]
    note = PaymentService.process_refund(paid.payments.get(), Decimal("9.00"), reason="Goodwill")

    html = html_of(browser_of(customer), f"{INVOICES}/{paid.pk}")

    for text in ("<bdi>Work</bdi>", "Subtotal", "Tax", "89.00 USD", "Partially refunded", note.credit_note_number):
        assert text in html, text
    assert f'href="/api/v1/billing/invoices/{paid.pk}/pdf/"' in html
    assert f'href="/api/v1/billing/credit-notes/{note.pk}/pdf/"' in html


def test_another_account_s_invoice_is_not_there(customer: User) -> None:
    other = make.invoice(make.owner().account)
    browser = browser_of(customer)

    for address in (f"{INVOICES}/{other.pk}", f"{INVOICES}/{other.pk}/pay", f"{PURCHASE}/{other.pk}"):
        assert browser.get(address).status_code == 404, address


def test_paying_leads_to_the_page_of_the_invoice(customer: User) -> None:
    due = make.invoice(tenant_of(customer))
    browser = browser_of(customer)

    address = browser.get(f"{INVOICES}/{due.pk}/pay")["Location"]

    assert address.startswith("/pay/")
    assert due.invoice_number in html_of(browser, address)


# --- Usage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def spent(customer: User, as_user: Callable[[User], APIClient]) -> User:
    """75 credits through the API: 10 articles for 50, 5 images for 25."""
    make.credits(tenant_of(customer), 1000)
    make.credit_cost()
    make.credit_cost(operation_type="image", display_name="Image")
    client = as_user(customer)
    for operation, quantity in (("article", 4), ("article", 6), ("image", 5)):
        body = {"operation_type": operation, "quantity": quantity}
        key = {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
        assert client.post("/api/v1/billing/credits/usage/", body, format="json", **key).status_code == 201
    return customer


def test_the_charts_show_what_was_spent_through_the_api(spent: User) -> None:
    html = html_of(browser_of(spent), USAGE)

    # Four figures: this month, a day of thirty, the operation that was carried out most often, the projection.
    assert re.findall(r'class="big(?: words)?">([^<]+)<', html)[:3] == ["75", "2.5", "Article"]
    assert "2 times" in html
    # The line reaches 75 of 80 at its end, and is level before.
    assert 'd="M0.0 200.0L' in html
    assert html.count("<rect x=") == 30
    assert re.search(r"600\.0 (\d+\.\d)", html).group(1) == "12.5"  # type: ignore[union-attr]
    # The ring: two thirds and a third.
    assert re.findall(r'stroke-dasharray="([\d.]+) 100"', html) == ["66.67", "33.33"]
    assert '<bdi>Article</bdi> <strong dir="ltr">66.7 %</strong>' in html
    # The bars: the longest is whole.
    assert re.findall(r'class="length" width="([\d.]+)%"', html) == ["100.0", "50.0"]
    # A table beside every chart says the same.
    assert html.count("Show as a table") == 3
    assert '<th scope="row">Total</th><td class="number">3</td><td class="number">75</td>' in html


def test_the_projection_is_said_in_money_at_the_plans_price_of_a_credit(spent: User) -> None:
    Plan.objects.update(price=Decimal("89.00"), included_credits=1000)
    projected = projection_of(tenant_of(spent), clock.now()).projected_credits

    html = html_of(browser_of(spent), USAGE)

    worth = (Decimal("0.089") * projected).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert f"Worth {worth} USD at what a credit of your plan costs." in unescape(html)


def test_without_a_paid_plan_a_credit_costs_what_the_cheapest_package_says(spent: User) -> None:
    Plan.objects.update(price=Decimal(0))
    Subscription.objects.all().delete()
    tenant = Account.objects.select_related("plan").get(pk=spent.account_id)
    terms = terms_of(tenant)
    assert worth_of(tenant, terms, 100) is None
    make.credit_package(slug="small", credits=100, price=Decimal("5.00"), discount_percentage=0)
    make.credit_package(slug="large", credits=1000, price=Decimal("30.00"), discount_percentage=10)
    make.credit_package(slug="yen", credits=1000, price=Decimal(1), discount_percentage=0, currency="JPY")

    assert worth_of(tenant, terms, 100) == Worth(Decimal("2.70"), "USD", by_plan=False)
    assert "at what a credit costs in our cheapest package." in html_of(browser_of(spent), USAGE)


def test_a_time_without_use_says_so(spent: User) -> None:
    html = html_of(browser_of(spent), f"{USAGE}?first=2026-01-01&last=2026-01-31")

    assert "No credits were used in this time" in html
    assert "<svg" not in html[html.index('data-part="usage"') :]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("first=2026-02-01&last=2026-01-01", "This day is before the first one."),
        ("first=2020-01-01&last=2026-01-01", "At most a year at once."),
        ("first=x", "Enter a valid date."),
    ],
)
def test_a_wrong_time_is_said_and_the_usual_one_shown(spent: User, query: str, text: str) -> None:
    response: Any = browser_of(spent).get(f"{USAGE}?{query}")

    assert response.status_code == 400
    assert says(response, text)
    assert says(response, "Credits per day")


def test_everybody_of_the_account_sees_the_usage(spent: User) -> None:
    viewer = make.user(account=spent.account, role=Role.VIEWER)

    assert "Buy credits" not in html_of(browser_of(viewer), USAGE)


# --- Credits --------------------------------------------------------------------------------------------------------


def test_four_packages_with_discount_and_recommendation(customer: User) -> None:
    for number, (slug, off) in enumerate((("starter", 0), ("pro", 10), ("business", 15), ("enterprise", 20))):
        make.credit_package(slug=slug, discount_percentage=off, is_featured=slug == "pro", sort_order=number)

    html = html_of(browser_of(customer), PURCHASE)

    chosen = re.findall(r'name="package" value="(\w+)" data-price="([\d.]+)"[^>]*?( checked)?>', html)
    assert chosen == [
        ("starter", "29.00", ""),
        ("pro", "26.10", " checked"),
        ("business", "24.65", ""),
        ("enterprise", "23.20", ""),
    ]
    assert html.count("Recommended") == 1
    assert "10 % off" in html
    assert re.findall(r'name="way" value="(\w+)"', html) == ["bank_transfer"]


def test_a_saved_card_is_offered_first_and_what_cannot_be_used_is_not(customer: User, stripe: Any) -> None:
    make.saved_card(stripe, tenant_of(customer))
    PaymentMethodConfig.objects.filter(payment_method="bank_transfer").update(is_enabled=False)
    make.credit_package()

    html = html_of(browser_of(customer), PURCHASE)

    ways = re.findall(r'name="way" value="(\w+)"( data-saved="\d+")?( checked)?>', html)
    assert [(method, bool(saved), bool(chosen)) for method, saved, chosen in ways] == [
        ("stripe", True, True),
        ("stripe", False, False),
    ]


def test_an_account_that_may_not_use_the_product_is_told_why(customer: User) -> None:
    make.credit_package()
    Account.objects.filter(pk=customer.account_id).update(status="canceled")

    html = html_of(browser_of(customer), PURCHASE)

    assert 'name="package"' not in html
    assert "canceled" in html


def test_an_order_says_how_far_it_is(customer: User, as_user: Callable[[User], APIClient], olga: User) -> None:
    make.credit_package()
    client, browser = as_user(customer), browser_of(customer)
    body = {"package": "pro", "payment_method": "bank_transfer"}
    made = client.post("/api/v1/billing/credits/purchase/", body, format="json").json()["data"]["invoice"]
    invoice = Invoice.objects.get(pk=made["id"])
    address = f"{PURCHASE}/{invoice.pk}"

    assert "Pay for your credits" in html_of(browser, address)
    assert "You came back without paying" in html_of(browser, f"{address}?token=EC-1")
    payment = make.submitted_payment(invoice)
    assert "Your payment is being checked" in html_of(browser, address)
    PaymentService.approve_manual_payment(payment, olga)
    html = html_of(browser, address)
    assert "2,000 credits were added" in html
    assert f'href="{INVOICES}/{invoice.pk}"' in html
    assert Invoice.objects.get(pk=invoice.pk).status == InvoiceStatus.PAID
