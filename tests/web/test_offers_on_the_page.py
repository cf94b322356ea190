"""By what an invoice can be paid, on its page: what it offered, as it offered it."""

from typing import Any

import pytest

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import PaymentMethodConfig
from tests import make
from tests.web.conftest import Customer, customer_of, text_of

pytestmark = pytest.mark.django_db


def test_every_bank_and_wallet_that_the_invoice_offered_is_shown(bank: None, customer: Customer) -> None:
    make.payment_method(payment_method="local_wallet", display_name="JazzCash", wallet_id="03001234567")
    invoice = make.invoice(customer.invoice.account)
    make.payment_method(payment_method="manual", display_name="Cash", bank_name="Counter")

    page = text_of(customer_of(invoice, "http://testserver").opens())

    assert "Counter" not in page

    assert "ABC Bank" in page
    assert "03001234567" in page


def test_the_page_keeps_the_account_that_the_invoice_was_issued_with(bank: None, customer: Customer) -> None:
    PaymentMethodConfig.objects.filter(payment_method="bank_transfer").update(account_number="6666666666")

    page = text_of(customer.opens())

    assert "<bdi>1234567890</bdi>" in page
    assert "6666666666" not in page


def test_a_gateway_that_cannot_take_the_amount_has_no_button(
    customer: Customer, both: tuple[FakeStripe, FakePayPal]
) -> None:
    rest = [{"description": "Rest", "quantity": 1, "amount": "0.02"}]
    invoice = make.invoice(customer.invoice.account, line_items=rest)

    page = text_of(customer_of(invoice, "http://testserver").opens())

    assert "Pay by card" not in page
    assert "Pay with PayPal" in page


def test_samples_are_not_on_the_page_in_production(defaults: None, customer: Customer, settings: Any) -> None:
    settings.OFFER_SAMPLE_PAYEES = False
    issued = make.invoice(customer.invoice.account)

    for invoice in (customer.invoice, issued):
        assert "1234567890" not in text_of(customer_of(invoice, "http://testserver").opens())
