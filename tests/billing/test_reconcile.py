"""What gateways hold and what stands here are compared; what a lost message left behind is healed."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.errors import PaymentDeclined
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, Payment, Refund
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.refunds.gateway_refunds import ask_about_refund
from igny8_core.business.billing.tasks import reconcile_gateways
from igny8_core.events.models import Event
from tests import make
from tests.billing.stripe_subscribers import mirrored, said, subscribed, subscriber
from tests.rows import now

pytestmark = pytest.mark.django_db


def paid(stripe: FakeStripe, invoice: Invoice, card: str = "pm_card_visa") -> Payment:
    saved = stripe.save_card(invoice.account.stripe_customer_id, card)
    return PaymentService.create_stripe_payment(invoice, saved).payment


def opened(invoice: Invoice) -> Payment:
    """The customer has still to enter a card."""
    return PaymentService.create_stripe_payment(invoice, "").payment


def secret(stripe: FakeStripe, payment: Payment) -> str:
    return str(stripe.one(payment.gateway_object_id)["client_secret"])


def found() -> list[tuple[str, bool]]:
    return [(difference.kind, difference.is_healed) for difference in reconcile()]


# --- Nothing to say -------------------------------------------------------------------------------------------------


def test_where_both_agree_nothing_is_found_and_nothing_changes(stripe: FakeStripe, invoice: Invoice) -> None:
    subscription_of_stripe = mirrored(stripe, subscriber(stripe))
    first = paid(stripe, invoice)
    PaymentService.process_refund(first, Decimal("9.00"), reason="Goodwill")
    opened(make.invoice(invoice.account))
    with pytest.raises(PaymentDeclined):
        paid(stripe, make.invoice(invoice.account), "pm_card_chargeCustomerFail")
    stranger = stripe.create_customer({})["id"]
    stripe.make_subscription(stranger, stripe.save_card(stranger), amount=500)
    before = list(Payment.objects.values()), Event.objects.count()

    assert found() == []

    assert (list(Payment.objects.values()), Event.objects.count()) == before
    assert subscription_of_stripe.status == "active"


def test_without_gateways_there_is_nothing_to_compare() -> None:
    assert found() == []


def test_gateways_are_never_asked_in_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        reconcile()


# --- Healed ---------------------------------------------------------------------------------------------------------


def test_money_whose_message_was_lost_is_settled(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    stripe.pay_in_browser(secret(stripe, payment))

    assert found() == [("state", True)]

    assert now(payment).status == "succeeded"
    assert Account.objects.get(pk=invoice.account_id).credits == 1000
    told = Event.objects.get(type="gateway.difference")
    assert (told.object_id, told.account_id) == (str(payment.pk), invoice.account_id)
    assert (told.data["kind"], told.data["healed"]) == ("state", True)
    assert found() == []
    assert broken_invariants() == []


def test_money_without_an_answer_is_settled_by_what_it_carries(stripe: FakeStripe, invoice: Invoice) -> None:
    stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")
    payment = paid(stripe, invoice)
    assert (payment.status, payment.gateway_object_id) == ("unknown", "")

    assert found() == [("state", True)]

    assert now(payment).status == "succeeded"


def test_an_attempt_that_was_ended_at_the_gateway_is_ended_here(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    stripe.cancel_payment_intent(payment.gateway_object_id, {})

    assert found() == [("state", True)]

    assert now(payment).status == "canceled"


def test_an_attempt_that_is_closed_here_is_closed_at_the_gateway(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    Payment.objects.filter(pk=payment.pk).update(status="failed", next_check_at=None)

    assert found() == [("state", True)]

    assert stripe.one(payment.gateway_object_id)["status"] == "canceled"


def test_money_for_a_closed_invoice_is_ordered_to_go_back(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    Payment.objects.filter(pk=payment.pk).update(status="canceled", next_check_at=None)
    InvoiceService.mark_void(invoice, "Mistake")
    stripe.pay_in_browser(secret(stripe, payment))

    assert found() == [("state", True)]

    refund = Refund.objects.get(payment=payment)
    assert (refund.is_return, refund.amount, refund.status) == (True, payment.amount, "pending")
    assert found() == []
    ask_about_refund(refund)
    assert found() == []


def test_a_refund_made_in_the_dashboard_is_booked(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = paid(stripe, invoice)
    stripe.refund_in_dashboard(payment.gateway_object_id, 900)

    assert found() == [("refunds", True)]

    assert now(payment).refunded_amount == Decimal("9.00")
    assert broken_invariants() == []


def test_a_lost_invoice_of_stripes_own_billing_is_recorded(stripe: FakeStripe) -> None:
    tenant = subscriber(stripe)
    subscribed(stripe, tenant)

    [difference] = reconcile()

    assert (difference.kind, difference.is_healed) == ("missing_here", True)
    assert difference.subject == Payment.objects.get(invoice__stripe_invoice_id__gt="")
    assert Account.objects.get(pk=tenant.pk).credits == 3000
    assert found() == []


def test_a_subscription_of_stripes_is_followed(stripe: FakeStripe) -> None:
    subscription = mirrored(stripe, subscriber(stripe))
    said(stripe, subscription.stripe_subscription_id, status="past_due")

    assert found() == [("subscription", True)]

    assert Subscription.objects.get().status == "past_due"
    assert found() == []


def approved_at_paypal(paypal: FakePayPal) -> Payment:
    make.payment_method(payment_method="paypal", display_name="PayPal")
    payment = PaymentService.create_paypal_payment(make.invoice(), return_url="https://app.example/back").payment
    paypal.approve(payment.gateway_object_id)
    return payment


def test_a_paypal_order_whose_message_was_lost_is_settled(paypal: FakePayPal) -> None:
    payment = approved_at_paypal(paypal)
    paypal.capture_order(payment.gateway_object_id, {}, "elsewhere")

    assert found() == [("state", True)]

    assert now(payment).status == "succeeded"
    assert found() == []


# --- For an operator ------------------------------------------------------------------------------------------------


def captured_here_only(stripe: FakeStripe, payment: Payment) -> None:
    said(stripe, payment.gateway_object_id, status="canceled")


def another_amount(stripe: FakeStripe, payment: Payment) -> None:
    said(stripe, payment.gateway_object_id, amount_received=100)


def another_currency(stripe: FakeStripe, payment: Payment) -> None:
    said(stripe, payment.gateway_object_id, currency="eur")


def more_went_back(stripe: FakeStripe, payment: Payment) -> None:
    said(stripe, stripe.one(payment.gateway_object_id)["latest_charge"], amount_refunded=500)


def gone(stripe: FakeStripe, payment: Payment) -> None:
    with stripe._changing():
        del stripe._objects[payment.gateway_object_id]


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (captured_here_only, "state"),
        (another_amount, "amount"),
        (another_currency, "currency"),
        (more_went_back, "refunds"),
        (gone, "missing_there"),
    ],
)
def test_what_cannot_be_healed_waits_for_an_operator(
    stripe: FakeStripe, invoice: Invoice, spoil: Callable[[FakeStripe, Payment], None], kind: str
) -> None:
    payment = paid(stripe, invoice)
    spoil(stripe, payment)

    for _ in range(2):
        assert found() == [(kind, False)]

    assert (now(payment).status, now(payment).needs_review) == ("succeeded", True)
    assert payment.gateway_object_id in now(payment).review_reason
    told = Event.objects.get(type="gateway.difference")
    assert (told.data["kind"], told.data["healed"]) == (kind, False)
    assert Event.objects.filter(type="payment.needs_review").count() == 1


def test_money_of_a_customer_that_is_no_payment_is_listed(stripe: FakeStripe, invoice: Invoice) -> None:
    account = invoice.account
    stripe.pay_in_browser(
        stripe.create_payment_intent({"amount": 700, "currency": "usd", "customer": account.stripe_customer_id})[
            "client_secret"
        ]
    )

    [difference] = reconcile()

    assert (difference.kind, difference.is_healed, difference.subject) == ("missing_here", False, account)
    assert Event.objects.get(type="gateway.difference").account_id == account.pk


def test_a_payment_that_is_named_and_not_here_is_listed(stripe: FakeStripe) -> None:
    reference = "0f8fad5b-d9cb-469f-a165-70867728950e"
    stripe.create_payment_intent({"amount": 700, "currency": "usd", "metadata": {"payment_id": reference}})

    [difference] = reconcile()

    assert (difference.kind, difference.is_healed, difference.subject) == ("missing_here", False, None)
    assert reference in difference.text


def test_a_subscription_that_stripe_does_not_have_is_listed(stripe: FakeStripe) -> None:
    subscription = mirrored(stripe, subscriber(stripe))
    with stripe._changing():
        del stripe._objects[subscription.stripe_subscription_id]

    assert found() == [("missing_there", False)]


def test_what_cannot_be_asked_now_does_not_keep_the_rest_from_being_compared(
    stripe: FakeStripe, invoice: Invoice
) -> None:
    payment = opened(invoice)
    stripe.pay_in_browser(secret(stripe, payment))
    stripe.answer_next(500, times=3, method="GET", path="/v1/payment_intents")

    kinds = found()

    assert kinds == [("not_checked", False), ("state", True)]
    assert not now(payment).needs_review


def test_what_is_old_and_decided_is_not_asked_for_again(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = paid(stripe, invoice)
    old = timezone.now() - timedelta(days=9)
    Payment.objects.filter(pk=payment.pk).update(created_at=old)
    said(stripe, payment.gateway_object_id, created=int(old.timestamp()), amount_received=100)

    assert reconcile(days=3) == []
    assert [difference.kind for difference in reconcile(days=30)] == ["amount"]


# --- Command and task -----------------------------------------------------------------------------------------------


def command(*options: str) -> tuple[int, list[str]]:
    """Exit code and lines of the command."""
    out = StringIO()
    try:
        call_command("reconcile_gateways", *options, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue().splitlines()
    return 0, out.getvalue().splitlines()


def test_the_command_lists_what_it_found_and_fails_for_what_is_left(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    stripe.pay_in_browser(secret(stripe, payment))

    healed, nothing = command(), command("--days", "1")
    another_amount(stripe, payment)
    left = command()

    assert healed[0] == 0
    assert healed[1][0].split()[:3] == ["healed", "state", "stripe"]
    assert healed[1][-1] == "1 difference(s), 0 to look at"
    assert nothing == (0, ["0 difference(s), 0 to look at"])
    assert left[0] == 1
    assert f"payment {payment.pk}" in left[1][0]
    assert left[1][-1] == "1 difference(s), 1 to look at"


def test_the_daily_task_heals_too(stripe: FakeStripe, invoice: Invoice) -> None:
    payment = opened(invoice)
    stripe.pay_in_browser(secret(stripe, payment))

    reconcile_gateways()

    assert now(payment).status == "succeeded"
