"""The payment page in a real browser: what its scripts do, and that its Content-Security-Policy lets them."""

from typing import Any

import pytest
from playwright.sync_api import Route, expect
from pytest_django.live_server_helper import LiveServer

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from tests.web.browser import browser_page, with_chromium
from tests.web.conftest import Customer

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]

# As much of Stripe.js as card.js uses: it says what it was asked, and declines the first card.
STRIPE_JS = """
window.Stripe = (key) => ({
  elements: ({ clientSecret }) => ({
    create: () => ({
      on: (event, tell) => event === "ready" && setTimeout(tell, 10),
      mount: (place) => { document.querySelector(place).textContent = `${key} ${clientSecret}`; },
    }),
  }),
  confirmPayment: async ({ confirmParams }) => {
    if (!window.wasAsked) { window.wasAsked = true; return { error: { message: "The card was declined." } }; }
    location.href = `${confirmParams.return_url}?payment_intent=pi_1&redirect_status=succeeded`;
    return new Promise(() => {});
  },
});
"""


@pytest.fixture
def link(customer: Customer, live_server: LiveServer, settings: Any) -> str:
    settings.BASE_URL = live_server.url
    return pay_link(customer.invoice)


def test_a_card_that_is_declined_and_another_that_works(link: str, stripe_page: FakeStripe) -> None:
    with browser_page() as page:
        page.goto(link)
        page.get_by_role("button", name="Pay by card").click()
        page.get_by_label("Not enough money").check()
        page.get_by_role("button", name="Pay").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Asks for 3-D Secure").check()
        page.get_by_role("button", name="Pay").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("Paid, thank you")

    assert stripe_page.charges_count() == 1


def test_paypal_is_left_and_approved(link: str, paypal: FakePayPal) -> None:
    with browser_page() as page:
        page.goto(link)
        page.get_by_role("button", name="Pay with PayPal").click()
        page.get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Pay with PayPal").click()
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("Paid, thank you")

    assert len(paypal.captures) == 1


def test_stripe_s_form_gets_its_key_and_secret_and_tells_of_a_refusal(link: str, stripe: FakeStripe) -> None:
    def answer(route: Route) -> None:
        route.fulfill(body=STRIPE_JS, content_type="text/javascript")

    with browser_page() as page:
        page.route("https://js.stripe.com/**", answer)
        page.goto(link)
        page.get_by_role("button", name="Pay by card").click()
        [intent] = stripe.all("payment_intent")
        expect(page.locator("#card-fields")).to_have_text(f"pk_test_key {intent['client_secret']}")
        page.get_by_role("button", name="Pay 89.00 USD").click()
        expect(page.get_by_role("alert")).to_have_text("The card was declined.")
        stripe.pay_in_browser(intent["client_secret"])
        page.get_by_role("button", name="Pay 89.00 USD").click()
        expect(page.get_by_role("status")).to_contain_text("Paid, thank you")


def test_without_stripe_s_script_the_page_says_so(link: str, stripe: FakeStripe) -> None:
    with browser_page() as page:
        page.route("https://js.stripe.com/**", lambda route: route.fulfill(body="", content_type="text/javascript"))
        page.goto(link)
        page.get_by_role("button", name="Pay by card").click()
        expect(page.get_by_role("alert")).to_contain_text("Allow js.stripe.com")
        page.get_by_role("link", name="Back to the invoice").click()
        expect(page.get_by_role("button", name="Pay by card")).to_be_visible()
