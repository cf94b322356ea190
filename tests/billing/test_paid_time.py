"""What counts as paid in a change of plan is money that is still here (docs/domain.md section 4, Change of plan)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.business.billing.errors import ChangeBelowZero
from igny8_core.business.billing.models import Dispute, Invoice, Payment, Refund
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer
from igny8_core.business.billing.services.subscriptions.plan_change import Quote, quote
from tests import make

pytestmark = pytest.mark.django_db

START = datetime(2026, 4, 1, 12, tzinfo=UTC)
HALF = START + timedelta(days=15)
END = datetime(2026, 5, 1, 12, tzinfo=UTC)
LAST = END - timedelta(seconds=1)
PRICES = {"starter": ("89.00", 1000), "growth": ("139.00", 2000), "scale": ("229.00", 4000)}

at = time_machine.travel


@pytest.fixture
def plans(db: None) -> dict[str, Plan]:
    """Monthly plans, and one each year."""
    made = {slug: make.plan(slug, price=Decimal(price), included_credits=own) for slug, (price, own) in PRICES.items()}
    made["yearly"] = make.plan("yearly", price=Decimal("890.00"), included_credits=12000, billing_cycle="annual")
    return made


def subscribed(plan: Plan, olga: User, moment: datetime = START) -> Subscription:
    with at(moment, tick=False):
        ordered = make.subscription(plan_ordered=plan)
        paid(ordered.invoices.get(), olga)
    return Subscription.objects.get(pk=ordered.pk)


def paid(invoice: Invoice | None, olga: User) -> Payment:
    assert invoice
    return PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga).payment


def upgraded(subscription: Subscription, plan: Plan, olga: User, moment: datetime) -> Payment:
    with at(moment, tick=False):
        subscription.refresh_from_db()
        return paid(SubscriptionService.upgrade_subscription(subscription, plan), olga)


def payment_of(subscription: Subscription) -> Payment:
    return Payment.objects.filter(invoice__subscription=subscription).earliest("pk")


def refunded(payment: Payment, amount: str | None = None, moment: datetime = START) -> None:
    with at(moment, tick=False):
        PaymentService.process_refund(payment, Decimal(amount) if amount else None)


def quoted(subscription: Subscription, plan: Plan, moment: datetime = START) -> Quote:
    with at(moment, tick=False):
        return quote(Account.objects.get(pk=subscription.account_id), plan)


def amounts(change: Quote) -> list[Decimal]:
    return [abs(Decimal(line["amount"])) for line in change.lines]


def disputed(payment: Payment, amount: str | None, status: str = "open", currency: str = "USD") -> Dispute:
    over = Decimal(amount) if amount else None
    return Dispute.objects.create(
        account_id=payment.account_id,
        payment=payment,
        gateway="stripe",
        gateway_dispute_id=f"dp_{Dispute.objects.count()}",
        status=status,
        amount=over,
        currency=currency if over else "",
    )


# --- Refunds ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("back", "moment", "unused", "charge", "credits"),
    [
        (None, START, "89.00", "139.00", 1000),
        (None, HALF, "44.50", "69.50", 500),
        (None, LAST, "0.00", "0.00", 0),
        ("89.00", START, "0.00", "139.00", 2000),
        ("89.00", HALF, "0.00", "69.50", 1000),
        ("44.50", START, "44.50", "139.00", 1500),
        ("44.50", HALF, "22.25", "69.50", 750),
        ("0.01", START, "88.99", "139.00", 1000),
    ],
)
def test_what_was_refunded_is_not_unused_time(
    plans: dict[str, Plan], olga: User, back: str | None, moment: datetime, unused: str, charge: str, credits: int
) -> None:
    subscription = subscribed(plans["starter"], olga)
    if back:
        refunded(payment_of(subscription), back)

    change = quoted(subscription, plans["growth"], moment)

    assert amounts(change) == [Decimal(unused), Decimal(charge)]
    assert (change.total, change.credits) == (Decimal(charge) - Decimal(unused), credits)


def test_credits_that_were_spent_before_the_refund_were_had(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    make.credit_cost(operation_type="article", credits_per_unit=600)
    with at(START, tick=False):
        CreditService.use(subscription.account, "article", 1, user=make.user(account=subscription.account))
    refunded(payment_of(subscription))

    change = quoted(subscription, plans["growth"])

    assert (change.total, change.credits) == (Decimal("139.00"), 1400)


def test_an_upgrade_that_was_refunded_leaves_the_money_of_the_first_invoice(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    upgrade = upgraded(subscription, plans["growth"], olga, START)
    assert upgrade.amount == Decimal("50.00")
    refunded(upgrade)

    assert quoted(subscription, plans["yearly"]).total == Decimal("801.00")
    assert amounts(quoted(subscription, plans["scale"], HALF)) == [Decimal("44.50"), Decimal("114.50")]


def test_of_an_upgrade_on_an_upgrade_each_part_counts_from_when_it_was_priced(
    plans: dict[str, Plan], olga: User
) -> None:
    subscription = subscribed(plans["starter"], olga)
    upgrade = upgraded(subscription, plans["growth"], olga, HALF)
    assert upgrade.amount == Decimal("25.00")

    later = HALF + timedelta(days=10)
    assert amounts(quoted(subscription, plans["scale"], HALF)) == [Decimal("69.50"), Decimal("114.50")]
    assert amounts(quoted(subscription, plans["scale"], later)) == [Decimal("23.17"), Decimal("38.17")]
    refunded(upgrade, "12.50", later)
    # A sixth of 89.00, and a third of the 12.50 that are left: 14.8333 and 4.1667.
    assert amounts(quoted(subscription, plans["scale"], later)) == [Decimal("19.00"), Decimal("38.17")]


@pytest.mark.parametrize(
    ("back", "unused"),
    [
        ([], "890.00"),
        (["89.00", ""], "845.50"),
        (["44.50", ""], "867.75"),
        (["", "845.50"], "44.50"),
        (["89.00", "845.50"], "0.00"),
        (["", "400.00"], "490.00"),
    ],
)
def test_what_a_new_period_took_over_from_the_one_before_is_in_it_as_long_as_it_is_here(
    plans: dict[str, Plan], olga: User, back: list[str], unused: str
) -> None:
    subscription = subscribed(plans["starter"], olga)
    yearly = upgraded(subscription, plans["yearly"], olga, HALF)
    assert yearly.amount == Decimal("845.50")
    for payment, amount in zip([payment_of(subscription), yearly], back, strict=False):
        if amount:
            refunded(payment, amount, HALF)
    larger = make.plan("larger", price=Decimal("1390.00"), included_credits=24000, billing_cycle="annual")

    assert amounts(quoted(subscription, larger, HALF)) == [Decimal(unused), Decimal("1390.00")]


@pytest.mark.parametrize(
    ("price", "back", "wanted", "moment", "expected"),
    [
        ("8901", None, "13900", START, ["8901", "13900"]),
        ("8901", None, "13900", HALF, ["4451", "6950"]),
        ("8901", "4451", "13900", START, ["4450", "13900"]),
        ("8901", "1", "13900", HALF, ["4450", "6950"]),
        ("8901", None, "13900", LAST, ["0", "0"]),
    ],
)
def test_the_same_in_whole_yen(
    olga: User, price: str, back: str | None, wanted: str, moment: datetime, expected: list[str]
) -> None:
    subscription = subscribed(make.plan("yen", price=Decimal(price), currency="JPY"), olga)
    if back:
        refunded(payment_of(subscription), back)
    larger = make.plan("larger", price=Decimal(wanted), currency="JPY")

    assert amounts(quoted(subscription, larger, moment)) == [Decimal(amount) for amount in expected]


# --- Disputes, refunds on their way -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dispute", "unused"),
    [
        (("89.00", "open"), "0.00"),
        (("40.00", "open"), "49.00"),
        (("89.00", "won"), "89.00"),
        (("89.00", "closed"), "89.00"),
        (("89.00", "lost"), "0.00"),
        (("29.00", "lost"), "60.00"),
        ((None, "open"), "0.00"),
        (("80.00", "open", "EUR"), "0.00"),
        (("80.00", "won", "EUR"), "89.00"),
        (("200.00", "open"), "0.00"),
    ],
)
def test_disputed_money_is_gone_until_the_dispute_is_won(
    plans: dict[str, Plan], olga: User, dispute: tuple[Any, ...], unused: str
) -> None:
    subscription = subscribed(plans["starter"], olga)
    disputed(payment_of(subscription), *dispute)

    assert amounts(quoted(subscription, plans["growth"])) == [Decimal(unused), Decimal("139.00")]


def test_a_lost_dispute_that_was_booked_as_a_refund_counts_once(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    refunded(payment_of(subscription), "40.00")
    disputed(payment_of(subscription), "40.00", "lost")

    assert amounts(quoted(subscription, plans["growth"]))[0] == Decimal("49.00")


@pytest.mark.parametrize(
    ("status", "unused"), [("pending", "59.00"), ("processing", "59.00"), ("unknown", "59.00"), ("failed", "89.00")]
)
def test_a_refund_on_its_way_is_gone_already(plans: dict[str, Plan], olga: User, status: str, unused: str) -> None:
    subscription = subscribed(plans["starter"], olga)
    payment = payment_of(subscription)
    Refund.objects.create(
        account=payment.account,
        payment=payment,
        amount=Decimal("30.00"),
        currency="USD",
        status=status,
        reason="Goodwill",
        next_check_at=START,
    )

    assert amounts(quoted(subscription, plans["growth"]))[0] == Decimal(unused)


# --- What is not of this period, or no plan -----------------------------------------------------------------------


def test_what_else_stood_on_the_invoice_is_not_unused_time(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    with at(START, tick=False):
        lines = [
            {"description": "Growth by hand", "amount": "30.00", "kind": "plan_change", "plan": plans["growth"],
             "period_price": Decimal("139.00"), "credits": 0, "quantity": 1},
            {"description": "Training", "amount": "60.00", "quantity": 1},
        ]  # fmt: skip
        by_hand = paid(InvoiceService.create_invoice(subscription.account, lines, subscription), olga)
    assert amounts(quoted(subscription, plans["scale"]))[0] == Decimal("119.00")

    refunded(by_hand, "45.00")

    assert amounts(quoted(subscription, plans["scale"]))[0] == Decimal("104.00")


def test_unused_time_is_never_worth_more_than_the_plan_costs(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    with at(START, tick=False):
        paid(InvoiceService.create_subscription_invoice(Subscription.objects.get(pk=subscription.pk)), olga)

    assert amounts(quoted(subscription, plans["growth"]))[0] == Decimal("89.00")


def test_money_of_another_period_counts_no_more(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["starter"], olga)
    Subscription.objects.update(current_period_start=END, current_period_end=END + timedelta(days=30))

    change = quoted(subscription, plans["growth"], END)

    assert (change.total, change.credits) == (Decimal("139.00"), 2000)


def test_a_subscription_without_payments_has_no_unused_time(plans: dict[str, Plan]) -> None:
    assert quote(make.running_subscription().account, plans["growth"]).total > Decimal("138.99")


# --- Never below zero ---------------------------------------------------------------------------------------------


def _preview(subscription: Subscription, plan: Plan, olga: User) -> object:
    return quote(subscription.account, plan)


def _upgrade(subscription: Subscription, plan: Plan, olga: User) -> object:
    return SubscriptionService.upgrade_subscription(subscription, plan)


def _decide(subscription: Subscription, plan: Plan, olga: User) -> object:
    return change_for_customer(subscription, plan.slug, olga, "Asked by phone")


@pytest.mark.parametrize("order", [_preview, _upgrade, _decide])
@pytest.mark.parametrize(
    ("price", "moment", "figures"),
    [("100.00", START, ("229.00", "100.00")), ("229.00", START, ("229.00", "229.00")), ("0.01", LAST, None)],
)
def test_a_change_never_totals_below_zero(
    plans: dict[str, Plan],
    olga: User,
    order: Callable[..., object],
    price: str,
    moment: datetime,
    figures: tuple[str, str] | None,
) -> None:
    subscription = subscribed(plans["scale"], olga)
    cheap = make.plan("cheap", price=Decimal(price), included_credits=12000, billing_cycle="annual")
    invoices = Invoice.objects.count()

    with at(moment, tick=False):
        subscription = Subscription.objects.select_related("account", "plan").get(pk=subscription.pk)
        if figures is None:
            # What is left rounds to nothing: the cent is due.
            order(subscription, cheap, olga)
            return
        with pytest.raises(ChangeBelowZero) as refusal:
            order(subscription, cheap, olga)

    for figure in (*figures, "2026-05-01", "another plan"):
        assert figure in refusal.value.text
    assert Invoice.objects.count() == invoices
    assert Subscription.objects.get(pk=subscription.pk).plan == plans["scale"]


def test_once_enough_time_has_passed_the_change_can_be_ordered(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["scale"], olga)
    cheap = make.plan("cheap", price=Decimal("100.00"), billing_cycle="annual")

    # A third of 229.00 is left.
    assert quoted(subscription, cheap, START + timedelta(days=20)).total == Decimal("23.67")


def test_with_the_money_refunded_the_same_change_costs_its_full_price(plans: dict[str, Plan], olga: User) -> None:
    subscription = subscribed(plans["scale"], olga)
    refunded(payment_of(subscription))
    cheap = make.plan("cheap", price=Decimal("100.00"), billing_cycle="annual")

    assert quoted(subscription, cheap).total == Decimal("100.00")
