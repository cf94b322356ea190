"""A subscription whose paid period is over is no base for a change; a new order ends it (docs/domain.md section 4)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, AccountStatus, Subscription, SuspendedReason, User
from igny8_core.business.billing.errors import InvoiceNotPayable, SubscriptionLapsed
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.subscriptions.decisions import change_for_customer, end_for_customer
from tests import make
from tests.api.plan_changes import END, HALF, ClientAt, current, pay, post, require_sound
from tests.api.world import fingerprint, refusal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plans")]

AFTER = [END, END + timedelta(seconds=1), END + timedelta(days=90)]


@pytest.mark.parametrize("moment", AFTER)
def test_a_lapsed_subscription_renews_before_it_changes(client_at: ClientAt, owner: User, moment: datetime) -> None:
    at = client_at(moment)
    before = fingerprint()

    for action, plan in product(["preview", "upgrade", "downgrade"], ["growth", "mini", "yearly"]):
        response = post(at, action, moment, plan_slug=plan)

        assert (response.status_code, refusal(response)["code"]) == (409, "subscription_lapsed"), (action, plan)
        assert "2026-04-01" in refusal(response)["message"]
    assert fingerprint() == before


@pytest.mark.parametrize("plan", ["growth", "mini"])
def test_operators_are_refused_the_same(owner: User, olga: User, plan: str) -> None:
    with time_machine.travel(END, tick=False), pytest.raises(SubscriptionLapsed):
        change_for_customer(current(owner), plan, olga, "Asked by phone")


def test_in_the_last_second_it_has_not_lapsed(client_at: ClientAt, owner: User) -> None:
    last = END - timedelta(seconds=1)

    assert post(client_at(last), "preview", last, plan_slug="growth").status_code == 200
    assert post(client_at(last), "create", last, plan_slug="growth").status_code == 409


@pytest.mark.parametrize(
    ("moment", "action", "body", "plan"),
    [
        *((moment, "create", {"plan_slug": "growth"}, "growth") for moment in AFTER),
        (END, "create", {"plan_slug": "starter"}, "starter"),
        (END, "create", {"plan_slug": "mini"}, "mini"),
        *((moment, "reactivate", {}, "starter") for moment in (AFTER[0], AFTER[-1])),
    ],
)
def test_ordering_anew_ends_the_lapsed_one(
    client_at: ClientAt, owner: User, olga: User, moment: datetime, action: str, body: dict[str, str], plan: str
) -> None:
    lapsed = current(owner)

    response = post(client_at(moment), action, moment, **body)

    data = response.json()["data"]
    assert response.status_code == (201 if action == "create" else 200), response.json()
    assert (data["subscription"]["status"], data["subscription"]["plan"]) == ("pending_payment", plan)
    lapsed.refresh_from_db()
    assert (lapsed.status, lapsed.canceled_at) == ("canceled", moment)
    assert Account.objects.get(pk=owner.account_id).status == "pending_payment"
    with time_machine.travel(moment, tick=False):
        pay(Invoice.objects.get(pk=data["invoice"]["id"]), olga)
        require_sound()
    assert (current(owner).plan.slug, current(owner).current_period_start) == (plan, moment)
    assert Account.objects.get(pk=owner.account_id).status == "active"


@pytest.mark.parametrize("scheduled", [{"cancel_at_period_end": True}, {"pending_plan": "mini"}, {}])
def test_after_the_end_coming_back_is_an_order_whatever_was_scheduled(
    client_at: ClientAt, owner: User, scheduled: dict[str, Any]
) -> None:
    values = {name: make.plan(value) if name == "pending_plan" else value for name, value in scheduled.items()}
    Subscription.objects.update(**values)

    data = post(client_at(END), "reactivate", END).json()["data"]

    assert (data["subscription"]["status"], data["invoice"]["total"]) == ("pending_payment", "89.00")
    assert list(Subscription.objects.order_by("pk").values_list("status", flat=True)) == ["canceled", "pending_payment"]


def test_an_unpaid_change_is_voided_with_the_lapsed_one_and_a_package_is_not(client_at: ClientAt, owner: User) -> None:
    make.credit_package()
    change = post(client_at(HALF), "upgrade", plan_slug="growth").json()["data"]["invoice"]["id"]
    with time_machine.travel(HALF, tick=False):
        package = bought(client_at(HALF))

    post(client_at(END), "create", END, plan_slug="growth")

    assert Invoice.objects.get(pk=change).status == "void"
    assert Invoice.objects.get(pk=package).status == "pending"


def test_a_payment_that_is_decided_on_is_waited_for(client_at: ClientAt, owner: User) -> None:
    change = post(client_at(HALF), "upgrade", plan_slug="growth").json()["data"]["invoice"]["id"]
    with time_machine.travel(HALF, tick=False):
        make.submitted_payment(Invoice.objects.get(pk=change))
    at = client_at(END)
    before = fingerprint()

    response = post(at, "create", END, plan_slug="growth")

    assert (response.status_code, refusal(response)["code"]) == (409, "payment_under_way")
    assert fingerprint() == before


def test_what_cannot_be_ordered_leaves_the_lapsed_one(client_at: ClientAt, owner: User) -> None:
    make.plan("gone", price=Decimal("9.00"), is_active=False)
    at = client_at(END)
    before = fingerprint()

    assert post(at, "create", END, plan_slug="gone").status_code == 400
    assert post(at, "create", END, plan_slug="growth", payment_method="stripe").status_code == 400
    assert fingerprint() == before


def test_a_suspended_account_stays_suspended(owner: User) -> None:
    Account.objects.update(status=AccountStatus.SUSPENDED, suspended_reason=SuspendedReason.OPERATOR)

    with time_machine.travel(END, tick=False):
        SubscriptionService.create_subscription(current(owner).account, make.plan("growth"), "bank_transfer")

    assert Account.objects.get(pk=owner.account_id).status == "suspended"
    assert current(owner).status == "pending_payment"


def test_a_lapsed_one_ends_at_once_when_it_is_canceled(client_at: ClientAt, owner: User) -> None:
    assert post(client_at(END), "cancel", END).json()["data"]["status"] == "canceled"


# --- Credit packages of an account that is canceled ---------------------------------------------------------------


def bought(client: APIClient) -> int:
    answer = client.post("/api/v1/billing/credits/purchase/", {"package": "pro"}, format="json").json()
    number: int = answer["data"]["invoice"]["id"]
    return number


@pytest.mark.parametrize("by", ["customer", "operator", "period end"])
def test_ending_a_plan_voids_the_orders_that_its_account_could_not_use(
    client_at: ClientAt, owner: User, olga: User, by: str
) -> None:
    make.credit_package()
    with time_machine.travel(HALF, tick=False):
        package = Invoice.objects.get(pk=bought(client_at(HALF)))
        consulting = make.invoice(current(owner).account)

    with time_machine.travel(HALF, tick=False):
        if by == "operator":
            end_for_customer(current(owner), olga, "Asked for it", at_period_end=False)
        else:
            SubscriptionService.cancel_subscription(current(owner), cancel_at_period_end=by == "period end")
    package.refresh_from_db()
    assert package.status == ("pending" if by == "period end" else "void")
    with time_machine.travel(END, tick=False):
        SubscriptionService.end_due_periods()

    package.refresh_from_db()
    consulting.refresh_from_db()
    # What is owed for anything else is owed still.
    assert (package.status, consulting.status) == ("void", "pending")
    assert current(owner).account.status == "canceled"


def test_a_void_package_cannot_be_confirmed(client_at: ClientAt, owner: User) -> None:
    make.credit_package()
    with time_machine.travel(HALF, tick=False):
        package = bought(client_at(HALF))
    post(client_at(HALF), "cancel", at_period_end=False)

    with time_machine.travel(HALF, tick=False), pytest.raises(InvoiceNotPayable):
        make.submitted_payment(Invoice.objects.get(pk=package))
    assert not Invoice.objects.get(pk=package).payments.exists()


def test_while_a_package_is_being_paid_the_plan_does_not_end_at_once(client_at: ClientAt, owner: User) -> None:
    make.credit_package()
    with time_machine.travel(HALF, tick=False):
        make.submitted_payment(Invoice.objects.get(pk=bought(client_at(HALF))))
    at = client_at(HALF)
    before = fingerprint()

    response = post(at, "cancel", at_period_end=False)

    assert (response.status_code, refusal(response)["code"]) == (409, "payment_under_way")
    assert fingerprint() == before


def test_a_trial_that_takes_back_its_order_keeps_its_packages(olga: User, as_user: Callable[[User], APIClient]) -> None:
    make.credit_package()
    owner = make.owner({"status": "trial"})
    subscription = make.subscription(owner.account)
    package = bought(as_user(owner))

    SubscriptionService.cancel_subscription(subscription)

    assert Invoice.objects.get(pk=package).status == "pending"


# --- What operators read ------------------------------------------------------------------------------------------


def approved(client: APIClient, invoice: Invoice) -> str:
    payment = make.submitted_payment(invoice)
    message: str = client.post(f"/api/v1/admin/payments/{payment.pk}/approve/", {}, format="json").json()["message"]
    return message


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("active", "2000 credits were added."),
        ("trial", "2000 credits were added."),
        ("canceled", "2000 credits were added. The account is canceled. It can be used again once a plan"),
        ("suspended", "2000 credits were added. The account stays suspended until an operator lifts the suspension."),
        ("pending_payment", "2000 credits were added. The account still waits for the payment of its plan."),
    ],
)
def test_the_sentence_of_an_approval_says_what_has_happened(
    olga: User, as_user: Callable[[User], APIClient], status: str, outcome: str
) -> None:
    make.credit_package()
    owner = make.owner({"status": "active"})
    package = Invoice.objects.get(pk=bought(as_user(owner)))
    Account.objects.filter(pk=owner.account_id).update(
        status=status, suspended_reason="operator" if status == "suspended" else ""
    )

    assert approved(as_user(olga), package).startswith(f"Payment approved successfully. {outcome}")


def test_the_sentence_for_a_plan(olga: User, as_user: Callable[[User], APIClient]) -> None:
    operator = as_user(olga)
    new, held = make.subscription().invoices.get(), make.subscription().invoices.get()
    Account.objects.filter(pk=held.account_id).update(status="suspended", suspended_reason="operator")

    assert approved(operator, new) == "Payment approved successfully. Account activated."
    assert approved(operator, held) == (
        "Payment approved successfully. The plan Starter is paid. "
        "The account stays suspended until an operator lifts the suspension."
    )
    other = make.invoice()
    assert approved(operator, other) == f"Payment approved successfully. Invoice {other.invoice_number} is paid."
