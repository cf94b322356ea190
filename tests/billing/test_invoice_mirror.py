"""What Stripe collected for a subscription that it bills is counted here once: invoice, payment, credits."""

from decimal import Decimal
from typing import Any

import pytest
from igny8_core.business.billing.services.payment_service import PaymentService

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.errors import InvoiceNotPayable, UnmatchedAtGateway
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, Invoice, Payment
from igny8_core.business.billing.services.invoices.pay_links import online_offers
from igny8_core.business.billing.services.payments.checkout import pay_invoice
from igny8_core.business.billing.services.stripe_billing.invoices import record_invoice
from igny8_core.business.billing.services.stripe_billing.subscriptions import sync_subscription
from tests import make
from tests.billing.stripe_subscribers import mirrored, said, states, subscribed, subscriber, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(stripe: FakeStripe) -> Account:
    return subscriber(stripe)


def test_a_paid_invoice_is_mirrored_and_settled_once(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant)
    bill = stripe.one(name)["latest_invoice"]

    invoices = [record_invoice(bill) for _ in range(3)]

    invoice, payment = Invoice.objects.get(), Payment.objects.get()
    assert invoices == [invoice] * 3
    assert (invoice.status, invoice.total, invoice.currency) == ("paid", Decimal("49.00"), "USD")
    assert (invoice.stripe_invoice_id, invoice.subscription) == (bill, Subscription.objects.get())
    assert invoice.invoice_number.startswith(f"INV-{tenant.pk}-")
    [line] = invoice.line_items
    assert (line["kind"], line["plan"], line["credits"]) == ("plan", "pro", 3000)
    assert line["period_end"] == invoice.subscription.current_period_end.isoformat()  # type: ignore[union-attr]
    assert (payment.status, payment.amount, payment.payment_method) == ("succeeded", Decimal("49.00"), "stripe")
    assert payment.gateway_object_id.startswith("pi_")
    grant = CreditGrant.objects.get()
    assert (grant.amount, grant.expires_at) == (3000, invoice.subscription.current_period_end)  # type: ignore[union-attr]
    assert Account.objects.get(pk=tenant.pk).credits == 3000
    assert [told(kind) for kind in ("invoice.created", "invoice.paid", "payment.succeeded")] == [1, 1, 1]
    assert broken_invariants() == []


def test_each_period_brings_its_own_invoice_and_credits(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    before = subscription.current_period_end

    renewed = stripe.renew(subscription.stripe_subscription_id)
    record_invoice(renewed["latest_invoice"])

    subscription.refresh_from_db()
    assert subscription.current_period_start == before
    assert (Invoice.objects.filter(status="paid").count(), Account.objects.get(pk=tenant.pk).credits) == (2, 6000)
    assert broken_invariants() == []


def test_a_second_invoice_for_a_period_brings_no_second_lot(stripe: FakeStripe, tenant: Account) -> None:
    name = mirrored(stripe, tenant).stripe_subscription_id
    with stripe._changing():
        stripe._bill(stripe._objects[name])

    record_invoice(stripe.one(name)["latest_invoice"])

    assert Invoice.objects.filter(status="paid").count() == 2
    assert Account.objects.get(pk=tenant.pk).credits == 3000
    assert broken_invariants() == []


def test_what_stripe_collects_is_not_paid_here_as_well(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    make.payment_method()
    stripe.decline_next()
    invoice = record_invoice(stripe.renew(subscription.stripe_subscription_id)["latest_invoice"])
    assert invoice is not None

    for pay in (
        lambda: pay_invoice(invoice, "bank_transfer"),
        lambda: PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-1"),
        lambda: PaymentService.create_stripe_payment(invoice, stripe.save_card(tenant.stripe_customer_id)),
    ):
        with pytest.raises(InvoiceNotPayable, match="collected by Stripe"):
            pay()

    assert online_offers(invoice) == []
    assert Payment.objects.filter(invoice=invoice).count() == 0


def test_a_failed_payment_leaves_the_invoice_open_until_stripe_has_collected(
    stripe: FakeStripe, tenant: Account
) -> None:
    subscription = mirrored(stripe, tenant)
    stripe.decline_next()
    bill = stripe.renew(subscription.stripe_subscription_id)["latest_invoice"]

    open_invoice = record_invoice(bill)
    again = record_invoice(bill)

    assert open_invoice is not None
    assert again == open_invoice
    assert (open_invoice.status, states(tenant)) == ("pending", ("past_due", "past_due"))
    assert Account.objects.get(pk=tenant.pk).credits == 3000
    stripe.pay_invoice(bill)
    paid = record_invoice(bill)
    assert paid is not None
    assert (paid.pk, paid.status, states(tenant)) == (open_invoice.pk, "paid", ("active", "active"))
    assert Account.objects.get(pk=tenant.pk).credits == 6000
    assert broken_invariants() == []


def test_an_invoice_that_stripe_voids_is_void_here(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    stripe.decline_next()
    bill = stripe.renew(subscription.stripe_subscription_id)["latest_invoice"]
    record_invoice(bill)

    said(stripe, bill, status="void")
    for _ in range(2):
        record_invoice(bill)

    assert Invoice.objects.get(stripe_invoice_id=bill).status == "void"


@pytest.mark.parametrize("values", [{"amount_paid": 0, "amount_due": 0}, {"status": "draft"}])
def test_an_invoice_over_nothing_only_moves_the_period(
    stripe: FakeStripe, tenant: Account, values: dict[str, Any]
) -> None:
    name = subscribed(stripe, tenant)
    bill = stripe.one(name)["latest_invoice"]
    said(stripe, bill, **values)

    assert record_invoice(bill) is None

    assert states(tenant) == ("active", "active")
    assert not Invoice.objects.exists()


def test_money_that_another_payment_has_is_not_counted_twice(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant)
    intent = stripe.all("payment_intent")[0]["id"]
    other = make.submitted_payment(make.invoice(tenant))
    Payment.objects.filter(pk=other.pk).update(payment_method="stripe", status="failed", gateway_object_id=intent)

    with pytest.raises(UnmatchedAtGateway, match=f"payment {other.pk} of invoice"):
        record_invoice(stripe.one(name)["latest_invoice"])

    assert Payment.objects.count() == 1
    assert not CreditGrant.objects.exists()


def test_an_amount_that_changed_meanwhile_is_left_to_an_operator(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    stripe.decline_next()
    bill = stripe.renew(subscription.stripe_subscription_id)["latest_invoice"]
    record_invoice(bill)
    stripe.pay_invoice(bill)
    said(stripe, bill, amount_paid=100)

    with pytest.raises(UnmatchedAtGateway, match=r"Stripe collected 1\.00 USD for .* is pending over 49\.00 USD"):
        record_invoice(bill)

    assert Invoice.objects.get(stripe_invoice_id=bill).status == "pending"
    assert Payment.objects.count() == 1


def test_a_last_payment_is_counted_after_the_end(stripe: FakeStripe, tenant: Account) -> None:
    subscription = mirrored(stripe, tenant)
    bill = stripe.renew(subscription.stripe_subscription_id)["latest_invoice"]
    stripe.cancel_subscription(subscription.stripe_subscription_id)

    record_invoice(bill)

    assert states(tenant) == ("canceled", "canceled")
    assert Invoice.objects.get(stripe_invoice_id=bill).status == "paid"
    assert broken_invariants() == []


def test_what_was_paid_is_counted_also_where_the_subscription_had_ended_before_we_heard_of_it(
    stripe: FakeStripe, tenant: Account
) -> None:
    name = subscribed(stripe, tenant)
    bill = stripe.one(name)["latest_invoice"]
    stripe.cancel_subscription(name)

    for _ in range(2):
        sync_subscription(name)
        record_invoice(bill)

    assert (Subscription.objects.get().status, Invoice.objects.get().status) == ("canceled", "paid")
    assert Payment.objects.get().amount == Decimal("49.00")
    assert broken_invariants() == []


def test_a_refund_that_was_told_of_before_its_invoice_is_booked_with_it(stripe: FakeStripe, tenant: Account) -> None:
    name = subscribed(stripe, tenant)
    bill = stripe.one(name)["latest_invoice"]
    [intent] = stripe.all("payment_intent")
    stripe.refund_in_dashboard(intent["id"], 900)

    record_invoice(bill)

    assert (Payment.objects.get().status, Payment.objects.get().refunded_amount) == (
        "partially_refunded",
        Decimal("9.00"),
    )
    assert broken_invariants() == []
