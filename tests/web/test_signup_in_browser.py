"""Signing up and the first steps in a real browser, against the real server: what people do, with its scripts."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Site, User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import CreditUsageLog
from tests import make
from tests.web.browser import browser_page, with_chromium
from tests.web.signup import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


@pytest.fixture
def site(live_server: LiveServer, settings: Any, defaults: None) -> str:
    """The address of the server, which offers what a new installation offers."""
    settings.BASE_URL = live_server.url
    return live_server.url


@pytest.fixture
def approving(db: None) -> str:
    """The token of an operator who approves."""
    return open_session(make.operator()).access


def fills_in(page: Page, site: str, plan: str, country: str = "") -> None:
    page.goto(f"{site}/signup?plan={plan}")
    page.get_by_label("First name").fill("Ada")
    page.get_by_label("Last name").fill("Lovelace")
    page.get_by_label("E-mail address", exact=True).fill("ada@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Company").fill("Analytical Engines")
    if country:
        page.get_by_label("Country").select_option(country)
        page.get_by_label("Street and number").fill("1 Mall Road")
        page.get_by_label("City").fill("Lahore")
    page.get_by_role("checkbox", name="I agree").check()


def test_from_a_trial_to_the_first_site_and_the_first_spend(site: str) -> None:
    with browser_page() as page:
        fills_in(page, site, "free")
        page.get_by_role("button", name="Start the free trial").click()
        expect(page.get_by_role("status")).to_have_text("Welcome, Ada! Your trial has begun.")
        page.get_by_label("Name of the site").fill("Engines")
        page.get_by_label("Industry").select_option(label="Technology")
        page.get_by_role("button", name="Add the site").click()
        expect(page.get_by_role("heading", name="Engines")).to_be_visible()
        page.get_by_role("link", name="See how credits are spent").click()
        page.get_by_label("Operation").select_option("image_generation")
        page.get_by_label("Quantity").fill("3")
        expect(page.locator("#cost")).to_have_text("This spends 15 of your 1,000 credits.")
        page.get_by_role("button", name="Spend the credits").click()
        expect(page.locator("#credits .big")).to_have_text("985")
        expect(page.get_by_role("row", name=re.compile("Image generation"))).to_contain_text("−15")

    assert Account.objects.get().credits == 985
    assert Site.objects.get().industry.name == "Technology"
    assert CreditUsageLog.objects.get().credits == 15


@pytest.mark.stress
def test_a_bank_transfer_ordered_on_a_phone_and_its_approval_seen_without_a_reload(site: str, approving: str) -> None:
    with browser_page() as page:
        page.set_viewport_size({"width": 390, "height": 844})
        fills_in(page, site, "starter", "PK")
        page.get_by_role("radio", name="Bank Transfer").check()
        page.get_by_role("button", name="Order and pay").click()
        page.wait_for_url("**/pay/**")
        expect(page.get_by_text("89.00 USD").first).to_be_visible()

        page.goto(f"{site}/home")
        page.evaluate("window.isTheSamePage = true")
        banner = page.locator("#standing")
        expect(banner).to_contain_text("Waiting for your payment")
        payment = confirms(page, site)
        expect(banner).to_contain_text("We are checking your payment")
        approves(page, site, payment, approving)
        expect(banner).to_contain_text("Your payment has arrived")
        expect(page.get_by_text("Active", exact=True)).to_be_visible()
        expect(page.locator("#credits .big")).to_have_text("1,000")
        expect(page.get_by_role("button", name="Spend the credits")).to_be_visible()
        assert page.evaluate("window.isTheSamePage") is True

    assert Account.objects.get().status == "active"


def confirms(page: Page, site: str) -> int:
    """Confirm the open invoice as a program of the customer would; gives the payment's id."""
    login = {"email": "ada@example.com", "password": PASSWORD}
    token = page.request.post(f"{site}/api/v1/auth/login/", data=login).json()["data"]["token"]
    own = {"Authorization": f"Bearer {token}"}
    [invoice] = page.request.get(f"{site}/api/v1/billing/invoices/", headers=own).json()["data"]
    said = {
        "invoice_id": invoice["id"],
        "payment_method": "bank_transfer",
        "amount": invoice["total"],
        "manual_reference": "BT-1",
    }
    answer = page.request.post(f"{site}/api/v1/billing/admin/payments/confirm/", headers=own, data=said)
    payment: int = answer.json()["data"]["payment_id"]
    return payment


def approves(page: Page, site: str, payment: int, token: str) -> None:
    address = f"{site}/api/v1/billing/admin/payments/{payment}/approve/"
    answer = page.request.post(address, headers={"Authorization": f"Bearer {token}"}, data={"admin_notes": "found"})
    assert answer.ok, answer.text()


def test_an_order_by_card_opens_the_card_form_and_back_does_not_trap(site: str, stripe_page: FakeStripe) -> None:
    with browser_page() as page:
        fills_in(page, site, "starter", "US")
        page.get_by_role("radio", name="Credit/Debit Card").check()
        page.get_by_role("button", name="Order and pay").click()
        page.wait_for_url("**/fake/stripe/pay**")
        page.go_back()
        expect(page.locator("#standing")).to_contain_text("Waiting for your payment")
        page.goto(f"{site}/signup/card")
        page.wait_for_url("**/fake/stripe/pay**")
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_text("Paid, thank you")).to_be_visible()
        page.goto(f"{site}/home")
        expect(page.get_by_text("Active", exact=True)).to_be_visible()

    assert stripe_page.charges_count() == 1


def test_an_order_with_paypal_leads_to_its_button(site: str, paypal: FakePayPal) -> None:
    with browser_page() as page:
        fills_in(page, site, "starter", "US")
        page.get_by_role("radio", name="PayPal").check()
        page.get_by_role("button", name="Order and pay").click()
        page.wait_for_url("**/pay/**")
        expect(page.get_by_role("button", name="PayPal")).to_be_visible()


def test_the_ways_to_pay_follow_the_country_at_once(site: str) -> None:
    with browser_page() as page:
        page.goto(f"{site}/signup?plan=starter")
        ways = page.locator("#ways")
        expect(ways).to_contain_text("Choose your country above")
        expect(page.get_by_role("button", name="Show ways to pay")).to_be_hidden()
        for country, name in (("KE", "M-Pesa"), ("DE", "SEPA-Überweisung")):
            page.get_by_label("Country").select_option(country)
            expect(ways).to_contain_text(name)
        expect(ways).not_to_contain_text("M-Pesa")
        expect(ways.get_by_role("radio", checked=True)).to_have_count(1)
        page.get_by_role("radio", name="Free").check()
        expect(page.locator("#billing")).to_be_hidden()
        expect(page.get_by_role("button", name="Start the free trial")).to_be_visible()
        page.get_by_role("radio", name="Scale").check()
        expect(page.locator("#summary")).to_contain_text("229.00 USD")
        expect(page.get_by_label("Country")).to_have_value("DE")


def test_without_a_network_nothing_is_lost_and_the_page_says_so(site: str) -> None:
    with browser_page(refused="") as page:
        fills_in(page, site, "free")
        page.context.set_offline(True)
        page.get_by_role("button", name="Start the free trial").click()
        expect(page.locator("#trouble")).to_contain_text("You are offline. Nothing was sent")
        expect(page.get_by_label("First name")).to_have_value("Ada")
        page.context.set_offline(False)
        page.get_by_role("button", name="Start the free trial").click()
        page.wait_for_url("**/sites")

    assert User.objects.count() == 1


def test_when_the_list_cannot_be_loaded_the_button_does_the_same(site: str) -> None:
    with browser_page(answered=(503,)) as page:
        page.route("**/api/v1/billing/payment-methods/**", lambda route: route.fulfill(status=503))
        page.goto(f"{site}/signup?plan=starter")
        page.get_by_label("Country").select_option("KE")
        expect(page.locator("#ways")).to_contain_text("The ways to pay could not be loaded.")
        page.unroute("**/api/v1/billing/payment-methods/**")
        page.get_by_role("button", name="Show ways to pay").click()
        expect(page.locator("#ways")).to_contain_text("M-Pesa")


def test_a_refusal_puts_the_cursor_where_the_first_thing_is_to_be_done(site: str) -> None:
    with browser_page(answered=(400,)) as page:
        fills_in(page, site, "free")
        page.get_by_label("E-mail address", exact=True).fill("ada")
        page.get_by_role("button", name="Start the free trial").click()
        expect(page.get_by_label("E-mail address", exact=True)).to_be_focused()
        expect(page.get_by_label("Password", exact=True)).to_have_value("")
        expect(page.get_by_label("First name")).to_have_value("Ada")


def test_back_after_signing_up_leads_home(site: str) -> None:
    with browser_page() as page:
        fills_in(page, site, "free")
        page.get_by_role("button", name="Start the free trial").click()
        page.wait_for_url("**/sites")
        page.go_back()
        page.wait_for_url("**/home")
        expect(page.get_by_role("main")).to_contain_text("You are signed in as ada@example.com")

    assert Account.objects.count() == 1
