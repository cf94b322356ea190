"""Card payments as people start and follow them in a shell: test cards, and a payment named by its id or object."""

from types import SimpleNamespace
from typing import Any

import pytest

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing import errors, gateways
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput

pytestmark = pytest.mark.django_db


def status(invoice: Invoice) -> str:
    return Invoice.objects.get(pk=invoice.pk).status


def test_a_test_card_of_stripe_pays_with_test_keys(stripe: FakeStripe, invoice: Invoice) -> None:
    attempt = PaymentService.create_stripe_payment(invoice, "pm_card_visa")

    assert (attempt.payment.status, status(invoice)) == ("succeeded", "paid")
    assert broken_invariants() == []


def test_a_test_card_that_declines_is_refused_in_words(stripe: FakeStripe, invoice: Invoice) -> None:
    with pytest.raises(errors.PaymentDeclined):
        PaymentService.create_stripe_payment(invoice, "pm_card_chargeDeclined")

    assert status(invoice) == "pending"


def test_with_live_keys_a_test_card_is_no_card_of_the_customer(
    stripe: FakeStripe, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways.configured_stripe()._gateway, "live", True)  # type: ignore[attr-defined]

    with pytest.raises(errors.SavedMethodNotFound):
        PaymentService.create_stripe_payment(invoice, "pm_card_visa")
    assert not Payment.objects.exists()


@pytest.mark.parametrize("passed", ["id", "dict", "object"])
def test_what_stripe_says_of_a_payment_is_asked_for_with_its_id_or_its_object(
    stripe: FakeStripe, invoice: Invoice, passed: str
) -> None:
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    name = attempt.charge.object_id
    forms: dict[str, Any] = {"id": name, "dict": {"id": name, "amount": 1}, "object": SimpleNamespace(id=name)}

    PaymentService.handle_stripe_failure(forms[passed])
    payment = PaymentService.handle_stripe_success(forms[passed])

    assert payment
    assert (payment.pk, payment.status, status(invoice)) == (attempt.payment.pk, "succeeded", "paid")


@pytest.mark.parametrize("wrong", [None, "", 7, {}, {"id": None}, SimpleNamespace(id=7)], ids=repr)
def test_without_an_id_no_gateway_is_asked(wrong: Any) -> None:
    for handle in (
        PaymentService.handle_stripe_success,
        PaymentService.handle_stripe_failure,
        PaymentService.handle_paypal_success,
        PaymentService.handle_paypal_failure,
    ):
        with pytest.raises(InvalidInput, match="Pass the gateway's id"):
            handle(wrong)
