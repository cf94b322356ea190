"""Operators look after payments at gateways in the console: asking, giving back, refunding (WHK-10)."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Dispute, Payment, Refund
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(stripe: FakeStripe) -> Payment:
    """89.00 USD paid by card."""
    invoice = make.subscription().invoices.get()
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    return PaymentService.create_stripe_payment(invoice, saved).payment


@pytest.fixture
def flagged(stripe: FakeStripe) -> Payment:
    """A payment of which the gateway holds another amount than was due."""
    invoice = make.invoice()
    make.customer_at_stripe(stripe, invoice.account)
    attempt = PaymentService.create_stripe_payment(invoice)
    stripe.pay_in_browser(attempt.charge.client_secret)
    Payment.objects.filter(pk=attempt.payment.pk).update(amount=Decimal("90.00"))
    PaymentService.handle_stripe_success(attempt.charge.object_id)
    return Payment.objects.get(pk=attempt.payment.pk)


def press(browser: Client, payment: Payment, button: str, **inputs: str) -> list[tuple[str, str]]:
    """Send a dialog of the payment's page; returns kind and text of each line of the report."""
    address = reverse(f"admin:billing_payment_{button}", args=[payment.pk])
    response = browser.post(address, {"_form_submitted": "True", **inputs}, follow=True)
    return [(message.level_tag, message.message) for message in response.context["messages"]]


def test_a_card_payment_is_refunded_through_its_gateway(console: Client, stripe: FakeStripe, payment: Payment) -> None:
    report = press(console, payment, "refund", amount="9.00", reason="Ordered twice")

    assert report[0][0] == "success"
    assert [refund["amount"] for refund in stripe.all("refund")] == [900]
    assert Refund.objects.get().status == "succeeded"
    assert broken_invariants() == []


def test_what_needs_review_is_seen_in_the_list_and_on_the_first_page(console: Client, flagged: Payment) -> None:
    listed = console.get(reverse("admin:billing_payment_changelist"), {"needs_review__exact": "1"}).content.decode()
    first_page = console.get(reverse("admin:index")).content.decode()

    page = console.get(reverse("admin:billing_payment_change", args=[flagged.pk])).content.decode()

    assert "Needs review" in listed
    assert "The gateway took 89.00 USD; 90.00 USD was due." in page
    assert "Payments to review" in first_page


def test_the_page_of_a_payment_shows_its_disputes_and_leads_to_them(
    console: Client, stripe: FakeStripe, payment: Payment
) -> None:
    for cents in (1000, 2000):
        dispute = stripe.open_dispute(payment.gateway_object_id, cents)["id"]
        stripe.close_dispute(dispute, won=cents == 2000)
        sync_dispute("stripe", dispute)

    page = console.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()

    for dispute, amount, status in zip(
        Dispute.objects.order_by("pk"), ("10.00", "20.00"), ("Lost", "Won"), strict=True
    ):
        address = reverse("admin:billing_dispute_change", args=[dispute.pk])
        assert f'href="{address}">{dispute}</a>, {amount} USD' in page
        assert status in page
        assert dispute.gateway_dispute_id in console.get(address).content.decode()


def test_disputes_are_found_by_the_gateway_s_id(console: Client, stripe: FakeStripe, payment: Payment) -> None:
    ids = [stripe.open_dispute(payment.gateway_object_id, cents)["id"] for cents in (1000, 2000)]
    first, second = (sync_dispute("stripe", dispute) for dispute in ids)

    page = console.get(reverse("admin:billing_dispute_changelist"), {"q": ids[1]}).content.decode()

    assert first
    assert second
    assert reverse("admin:billing_dispute_change", args=[second.pk]) in page
    assert reverse("admin:billing_dispute_change", args=[first.pk]) not in page


def test_asking_again_settles_what_fits_now(console: Client, flagged: Payment) -> None:
    still = press(console, flagged, "ask")
    Payment.objects.filter(pk=flagged.pk).update(amount=Decimal("89.00"))
    settled = press(console, flagged, "ask")

    assert "still needs review" in still[0][1]
    assert settled == [("success", "The gateway was asked. The payment is succeeded.")]


def test_the_money_of_what_needs_review_can_be_given_back(
    console: Client, stripe: FakeStripe, flagged: Payment
) -> None:
    report = press(console, flagged, "giveback")

    flagged.refresh_from_db()
    assert report == [("success", f"89.00 USD goes back to the customer: {Refund.objects.get()} is succeeded.")]
    assert (flagged.status, flagged.needs_review) == ("failed", False)


def test_the_buttons_are_where_they_have_a_use(console: Client, payment: Payment, flagged: Payment) -> None:
    paid = console.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
    open_one = console.get(reverse("admin:billing_payment_change", args=[flagged.pk])).content.decode()

    assert ("Ask the gateway" in paid, "Return the money" in paid) == (True, False)
    assert ("Ask the gateway" in open_one, "Return the money" in open_one) == (True, True)


@pytest.mark.parametrize("button", ["ask", "giveback"])
def test_only_operators_with_the_permission_may(flagged: Payment, button: str) -> None:
    browser = Client()
    browser.force_login(operator_with("billing.view_payment"))

    answer = browser.post(reverse(f"admin:billing_payment_{button}", args=[flagged.pk]), {"_form_submitted": "True"})

    flagged.refresh_from_db()
    assert answer.status_code == 403
    assert (flagged.needs_review, Refund.objects.count()) == (True, 0)


# --- Charging a saved card ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "report", "status"),
    [
        ("pm_card_visa", "is succeeded", "paid"),
        ("pm_card_authenticationRequired", "The bank wants the cardholder", "pending"),
        ("", "The account has no saved card", "pending"),
    ],
)
def test_an_open_invoice_is_charged_to_the_saved_card_while_the_customer_is_away(
    console: Client, stripe: FakeStripe, card: str, report: str, status: str
) -> None:
    invoice = make.invoice()
    if card:
        make.saved_card(stripe, invoice.account, card)

    address = reverse("admin:billing_invoice_charge", args=[invoice.pk])
    response = console.post(address, {"_form_submitted": "True"}, follow=True)

    invoice.refresh_from_db()
    assert report in str(next(iter(response.context["messages"])))
    assert invoice.status == status
