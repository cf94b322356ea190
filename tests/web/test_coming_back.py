"""Who comes back from a gateway without having paid reads that no money was taken, and what to do."""

import pytest

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment, PaymentStatus
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.web.conftest import Customer, text_of
from tests.web.test_payment_page import LEFT, UNPAID, secret_in

pytestmark = pytest.mark.django_db


def test_who_comes_back_after_the_attempt_has_ended_reads_that_nothing_was_paid(
    customer: Customer, paypal: FakePayPal
) -> None:
    customer.clicks("paypal")
    Payment.objects.update(status=PaymentStatus.CANCELED, failure_reason="The order has expired.")

    page = text_of(customer.opens("?token=EC-1"))

    assert LEFT in page
    assert UNPAID in page
    assert "Pay with PayPal" in page


def test_who_leaves_the_bank_s_question_reads_that_nothing_was_paid(customer: Customer, stripe: FakeStripe) -> None:
    stripe.pay_in_browser(secret_in(text_of(customer.clicks("card"))), "pm_card_authenticationRequired")

    page = customer.comes_back()

    assert UNPAID in page
    assert "Pay by card" in page


def test_who_comes_back_to_an_invoice_that_was_paid_meanwhile_reads_so(
    customer: Customer, paypal: FakePayPal, olga: User
) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(customer.invoice), olga)

    page = text_of(customer.opens("?token=EC-1"))

    assert "Paid, thank you" in page
    assert UNPAID not in page
