"""A customer at the payment page, and the stand-ins that the page leads to."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from fake_gateways import stripe_server
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.api.payment_methods import rendered_lists
from igny8_core.business.billing.gateways import stripe
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from tests import make


@dataclass
class Customer:
    """Somebody with a link and a browser, not logged in."""

    invoice: Invoice
    page: str
    browser: Client

    def opens(self, query: str = "") -> HttpResponse:
        """Load the page; with the query that a gateway adds, they are back from it."""
        return self.browser.get(f"{self.page}{query}")  # type: ignore[return-value]

    def clicks(self, button: str) -> HttpResponse:
        """Post what the button posts."""
        return self.browser.post(f"{self.page}{button}/")  # type: ignore[return-value]

    def comes_back(self) -> str:
        """What the page says after a return from the gateway, with all that the browser does by itself."""
        assert "Checking your payment" in text_of(self.opens("?payment_intent=pi_x&redirect_status=succeeded"))
        answer = self.clicks("complete")
        target, _, query = answer["Location"].partition("?")
        assert (answer.status_code, target) == (303, self.page)
        return text_of(self.opens(f"?{query}"))


@pytest.fixture(autouse=True)
def lists_of_an_earlier_test_are_forgotten() -> None:
    """They are kept as long as the table is the same; which gateways have keys, no list expects to change."""
    rendered_lists.bodies = {}


def text_of(response: HttpResponse) -> str:
    return " ".join(response.content.decode().split())


def customer_of(invoice: Invoice, base_url: str) -> Customer:
    return Customer(invoice, pay_link(invoice).removeprefix(base_url), Client())


@pytest.fixture
def customer(db: None, settings: Any) -> Customer:
    """With an open invoice of 89.00 USD; cards and PayPal are offered, and can be used where their stand-in is."""
    settings.BASE_URL = "http://testserver"
    make.payment_method(payment_method="stripe", display_name="Credit/Debit Card (Stripe)", sort_order=1)
    make.payment_method(payment_method="paypal", display_name="PayPal", sort_order=2)
    owner = make.owner({"name": "Acme Secrets Ltd", "billing_email": "accounts@acme.example"})
    return customer_of(make.invoice(owner.account), settings.BASE_URL)


@pytest.fixture
def bank(db: None) -> None:
    """A bank account in the world of `customer`, there before their invoice is made."""
    make.payment_method(bank_name="ABC Bank", account_number="1234567890")


@pytest.fixture
def stripe_page(settings: Any) -> Iterator[FakeStripe]:
    """The stand-in for Stripe on a port of this machine, with its page, as bin/run --with-fake-gateways has it."""
    fake = FakeStripe()
    server = stripe_server.serve(fake)
    settings.STRIPE = StripeSettings("sk_test_k", "pk_test_k", ("whsec_t",), live=False, api_base=server.address)
    yield fake
    server.stop()
    stripe.make.cache_clear()


@pytest.fixture
def both(stripe: FakeStripe, paypal: FakePayPal) -> tuple[FakeStripe, FakePayPal]:
    return stripe, paypal
