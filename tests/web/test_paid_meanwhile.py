"""The payment page, where an attempt that stood open turns out to be paid."""

import pytest
from igny8_core.business.billing.services.payment_service import PaymentService

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.models import Payment
from tests.web.conftest import Customer, text_of

pytestmark = pytest.mark.django_db


def test_who_pays_in_another_way_what_was_paid_meanwhile_is_told(
    customer: Customer, both: tuple[FakeStripe, FakePayPal]
) -> None:
    stripe, paypal = both
    payment = PaymentService.create_paypal_payment(customer.invoice).payment
    paypal.approve(payment.gateway_object_id)
    gateway_of("paypal").complete(payment.gateway_object_id, str(payment.uuid))

    answer = customer.clicks("card")

    assert answer.status_code == 409
    assert "We received 89.00 USD" in text_of(answer)
    assert (Payment.objects.get().status, stripe.all("charge")) == ("succeeded", [])
