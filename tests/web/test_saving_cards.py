"""A card that is entered on the payment page of a plan is saved for its renewals; the customer is told and asked."""

from typing import Any

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.models import AccountPaymentMethod
from igny8_core.business.billing.services.payment_methods.saved import use_method
from igny8_core.events.deliveries import deliver_others
from tests import make
from tests.web.conftest import customer_of, text_of
from tests.web.test_payment_page import secret_in

pytestmark = pytest.mark.django_db


def test_a_card_that_renewals_need_is_saved_and_the_customer_is_told_and_asked(
    settings: Any, bank: None, stripe: FakeStripe
) -> None:
    settings.BASE_URL = "http://testserver"
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    by_bank = customer_of(invoice, settings.BASE_URL)
    words = "saved with Stripe and charged for each renewal of your plan, until you cancel"

    # Who pays by bank as a rule is not asked for a card.
    assert words not in text_of(by_bank.opens())
    assert words not in text_of(by_bank.clicks("card"))
    use_method(invoice.account, "stripe", "Card")
    customer = customer_of(invoice, settings.BASE_URL)
    assert words in text_of(customer.opens())
    form = text_of(customer.clicks("card"))
    assert words in form
    assert "Pay without saving the card" in form
    once = text_of(customer.browser.post(f"{customer.page}card/", {"card": "once"}))
    assert words not in once
    again = text_of(customer.clicks("card"))
    stripe.pay_in_browser(secret_in(again))

    assert "Paid, thank you" in customer.comes_back()
    uses = [intent["setup_future_usage"] for intent in stripe.all("payment_intent")]
    assert uses == [None, "off_session", None, "off_session"]
    deliver_others()
    [card] = AccountPaymentMethod.objects.filter(account=invoice.account_id, type="stripe")
    assert (card.card_last4, card.is_default) == ("4242", True)
