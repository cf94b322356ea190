"""A change of plan is sold for the time that it really runs: late money is held against today's price."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.errors import (
    NotAPlanChange,
    PaymentNotPending,
    PlanChangeOutdated,
    PlanChangePeriodOver,
    SubscriptionLapsed,
)
from igny8_core.business.billing.models import Invoice, InvoiceLine, Payment
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.decisions import order_again
from igny8_core.events.models import Event
from tests import make
from tests.api.plan_changes import END, HALF, START, ClientAt, current, post
from tests.api.world import fingerprint, refusal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plans")]

DAY = timedelta(days=1)
LATE = END - DAY


@pytest.fixture
def scale(plans: None) -> None:
    make.plan("scale", price=Decimal("229.00"), included_credits=4000)


def ordered(owner: User, plan: str = "scale", moment: datetime = START) -> Invoice:
    with time_machine.travel(moment, tick=False):
        subscription = current(owner)
        invoice = SubscriptionService.upgrade_subscription(subscription, make.plan(plan))
    assert invoice
    return invoice


def confirmed(invoice: Invoice, moment: datetime = START) -> Payment:
    with time_machine.travel(moment, tick=False):
        return make.submitted_payment(invoice)


def approve(operator: APIClient, payment: Payment, moment: datetime) -> Any:
    with time_machine.travel(moment, tick=False):
        return operator.post(f"/api/v1/admin/payments/{payment.pk}/approve/", {}, format="json")


def client(as_user: Callable[[User], APIClient], olga: User, moment: datetime) -> APIClient:
    with time_machine.travel(moment, tick=False):
        return as_user(olga)


# --- At approval --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "moment", "paid", "anew"),
    [
        ("scale", LATE, "140.00", "4.52"),
        ("scale", HALF, "140.00", "70.00"),
        ("scale", START + timedelta(hours=24, seconds=1), "140.00", "135.48"),
        ("scale", END - timedelta(seconds=1), "140.00", "0.00"),
        ("growth", START + 2 * DAY, "50.00", "46.77"),
        ("yearly", HALF, "1301.00", "1345.50"),
    ],
)
@pytest.mark.usefixtures("scale")
def test_money_that_came_late_is_held_against_the_price_of_the_time_that_is_left(
    owner: User, olga: User, as_user: Callable[[User], APIClient], plan: str, moment: datetime, paid: str, anew: str
) -> None:
    payment = confirmed(ordered(owner, plan))
    operator = client(as_user, olga, moment)
    before = fingerprint()

    response = approve(operator, payment, moment)

    assert (response.status_code, refusal(response)["code"]) == (409, "plan_change_outdated")
    for figure in (f"{paid} USD", f"{anew} USD", "again"):
        assert figure in refusal(response)["message"]
    assert fingerprint() == before


@pytest.mark.parametrize("later", [timedelta(0), timedelta(hours=1), timedelta(hours=24)])
@pytest.mark.parametrize("plan", ["scale", "growth", "yearly"])
@pytest.mark.usefixtures("scale")
def test_a_short_while_changes_nothing(
    owner: User, olga: User, as_user: Callable[[User], APIClient], later: timedelta, plan: str
) -> None:
    payment = confirmed(ordered(owner, plan, HALF), HALF)

    response = approve(client(as_user, olga, HALF + later), payment, HALF + later)

    name = plan.title()
    assert response.json()["message"] == f"Payment approved successfully. The plan is {name} from now on."
    assert current(owner).plan.slug == plan


@pytest.mark.parametrize(("hours", "is_taken"), [(0, False), (1, False), (48, True)])
@pytest.mark.usefixtures("scale")
def test_a_setting_says_how_long_a_price_holds(
    owner: User,
    olga: User,
    as_user: Callable[[User], APIClient],
    settings: Any,
    hours: int,
    is_taken: bool,
) -> None:
    settings.PLAN_CHANGE_PRICE_HOLDS_HOURS = hours
    payment, later = confirmed(ordered(owner)), START + timedelta(hours=30)

    assert approve(client(as_user, olga, later), payment, later).status_code == (200 if is_taken else 409)


@pytest.mark.parametrize("moment", [END, END + timedelta(seconds=1), END + 40 * DAY])
@pytest.mark.parametrize("order_at", [START, END - timedelta(hours=1)])
@pytest.mark.usefixtures("scale")
def test_after_the_period_it_is_not_sold_at_all(
    owner: User, olga: User, as_user: Callable[[User], APIClient], moment: datetime, order_at: datetime
) -> None:
    payment = confirmed(ordered(owner, moment=order_at), order_at)
    with time_machine.travel(moment, tick=False):
        SubscriptionService.end_due_periods()
    operator = client(as_user, olga, moment)
    before = fingerprint()

    response = approve(operator, payment, moment)

    assert (response.status_code, refusal(response)["code"]) == (409, "plan_change_period_over")
    assert "2026-04-01" in refusal(response)["message"]
    assert fingerprint() == before


@pytest.mark.parametrize(("back", "anew"), [("89.00", "229.00"), ("44.50", "184.50")])
@pytest.mark.usefixtures("scale")
def test_money_that_went_back_after_the_order_changes_its_price_at_once(
    owner: User, olga: User, as_user: Callable[[User], APIClient], back: str, anew: str
) -> None:
    payment = confirmed(ordered(owner))
    with time_machine.travel(START, tick=False):
        PaymentService.process_refund(Payment.objects.earliest("pk"), Decimal(back))

    response = approve(client(as_user, olga, START + timedelta(minutes=5)), payment, START + timedelta(minutes=5))

    assert refusal(response)["code"] == "plan_change_outdated"
    assert f"{anew} USD" in refusal(response)["message"]


@pytest.mark.usefixtures("scale")
def test_an_edit_of_the_plan_does_not_change_what_was_ordered(
    owner: User, olga: User, as_user: Callable[[User], APIClient]
) -> None:
    payment = confirmed(ordered(owner))
    scale = make.plan("scale")
    scale.price = Decimal("999.00")
    scale.save()

    assert (
        approve(client(as_user, olga, START + timedelta(hours=2)), payment, START + timedelta(hours=2)).status_code
        == 200
    )


@pytest.mark.parametrize(("moment", "code"), [(LATE, None), (END, "plan_change_period_over")])
def test_a_change_that_was_priced_by_hand_stands_until_the_period_is_over(
    owner: User, olga: User, as_user: Callable[[User], APIClient], moment: datetime, code: str | None
) -> None:
    line = {
        "description": "Growth, as agreed",
        "amount": "7.00",
        "quantity": 1,
        "kind": "plan_change",
        "plan": "growth",
    }
    with time_machine.travel(START, tick=False):
        subscription = current(owner)
        invoice = InvoiceService.create_invoice(subscription.account, [line], subscription)

    response = approve(client(as_user, olga, moment), confirmed(invoice), moment)

    assert response.status_code == (409 if code else 200)
    assert code is None or refusal(response)["code"] == code


@pytest.mark.parametrize(("moment", "is_taken"), [(START + timedelta(hours=23), True), (LATE, False)])
@pytest.mark.usefixtures("scale")
def test_an_order_of_an_earlier_release_is_priced_anew_once_it_is_old(
    owner: User, olga: User, as_user: Callable[[User], APIClient], moment: datetime, is_taken: bool
) -> None:
    with time_machine.travel(START, tick=False):
        subscription, growth = current(owner), make.plan("growth")
        lines = [
            {"description": "Old", "amount": Decimal("-89"), "quantity": 1, "kind": "unused_time", "plan": "starter"},
            {"description": "Growth", "amount": growth.price, "quantity": 1, "kind": "plan_change", "plan": growth,
             "period_price": growth.price},
        ]  # fmt: skip
        invoice = InvoiceService.create_invoice(subscription.account, lines, subscription)
    assert not InvoiceLine.objects.filter(invoice=invoice, period_start__isnull=False).exists()

    response = approve(client(as_user, olga, moment), confirmed(invoice), moment)

    assert response.status_code == (200 if is_taken else 409)


# --- Void and order again -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("scale")
def test_an_operator_voids_the_order_and_orders_it_again(owner: User, olga: User) -> None:
    old = ordered(owner)
    payment = confirmed(old)

    with time_machine.travel(HALF, tick=False):
        change = order_again(payment, olga, "Late transfer")

    old.refresh_from_db()
    payment.refresh_from_db()
    assert change.invoice
    assert (old.status, payment.status) == ("void", "failed")
    assert (change.invoice.total, change.invoice.status) == (Decimal("70.00"), "pending")
    assert "140.00 USD" in payment.failure_reason
    told = list(Event.objects.values_list("type", flat=True).order_by("pk"))[-5:]
    assert told == [
        *("subscription.change_decided", "payment.rejected", "invoice.voided"),
        *("subscription.upgrade_ordered", "invoice.created"),
    ]
    with time_machine.travel(HALF, tick=False):
        PaymentService.approve_manual_payment(make.submitted_payment(change.invoice), olga)
    assert current(owner).plan.slug == "scale"


@pytest.mark.usefixtures("scale")
def test_what_cannot_be_ordered_again_stays_as_it_is(owner: User, olga: User) -> None:
    first = Payment.objects.get()
    other = make.submitted_payment(make.invoice(owner.account))
    late = confirmed(ordered(owner))
    before = fingerprint()

    with pytest.raises(PaymentNotPending):
        order_again(first, olga)
    with pytest.raises(NotAPlanChange):
        order_again(other, olga)
    with time_machine.travel(END, tick=False), pytest.raises(SubscriptionLapsed):
        order_again(late, olga)

    assert fingerprint() == before


# --- Card and PayPal ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "refused_with"),
    [(LATE, PlanChangeOutdated), (END, PlanChangePeriodOver), (END + DAY, PlanChangePeriodOver)],
)
@pytest.mark.parametrize("way", ["card", "bank"])
@pytest.mark.usefixtures("scale")
def test_an_old_order_is_not_begun_to_be_paid(
    owner: User,
    stripe: FakeStripe,
    as_user: Callable[[User], APIClient],
    moment: datetime,
    refused_with: Any,
    way: str,
) -> None:
    card = make.saved_card(stripe, owner.account)
    invoice = ordered(owner)
    body = {"saved_method": card.pk} if way == "card" else {"payment_method": "bank_transfer"}

    with time_machine.travel(moment, tick=False):
        response = as_user(owner).post(f"/api/v1/billing/invoices/{invoice.pk}/pay/", body, format="json")

    assert (response.status_code, refusal(response)["code"]) == (409, refused_with.code)
    assert not invoice.payments.exists()
    assert stripe.all("payment_intent") == []


@pytest.mark.usefixtures("scale")
def test_within_minutes_a_card_pays_the_change_as_it_was_ordered(owner: User, stripe: FakeStripe) -> None:
    card = make.saved_card(stripe, owner.account)
    invoice = ordered(owner)

    with time_machine.travel(START + timedelta(minutes=9), tick=False):
        payment = PaymentService.create_stripe_payment(invoice, card.gateway_method_id).payment

    assert (payment.status, current(owner).plan.slug) == ("succeeded", "scale")


@pytest.mark.parametrize("moment", [LATE, END + DAY])
@pytest.mark.usefixtures("scale")
def test_money_that_was_captured_for_an_outdated_order_is_shown_to_operators(
    owner: User, stripe: FakeStripe, moment: datetime
) -> None:
    make.customer_at_stripe(stripe, Account.objects.get(pk=owner.account_id))
    invoice = ordered(owner)
    with time_machine.travel(START, tick=False):
        attempt = PaymentService.create_stripe_payment(invoice)
    assert attempt.charge
    stripe.pay_in_browser(attempt.charge.client_secret)

    with time_machine.travel(moment, tick=False):
        payment = PaymentService.handle_stripe_success(attempt.payment.gateway_object_id)

    assert payment
    assert (payment.status, payment.needs_review) == ("pending", True)
    assert "Order it again" in payment.review_reason or "cannot begin any more" in payment.review_reason
    assert current(owner).plan.slug == "starter"


@pytest.mark.usefixtures("scale")
def test_ordering_anew_is_what_the_customer_can_do(client_at: ClientAt, owner: User) -> None:
    old = ordered(owner)

    data = post(client_at(HALF), "upgrade", HALF, plan_slug="scale").json()["data"]

    old.refresh_from_db()
    assert (old.status, data["invoice"]["total"]) == ("void", "70.00")
