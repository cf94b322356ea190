"""Downgrading, canceling and coming back over HTTP (docs/domain.md section 4)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, Subscription, User
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.events.models import Event
from tests import make
from tests.api.plan_changes import END, HALF, SUBSCRIPTIONS, ClientAt, current, pay, post, require_sound
from tests.api.world import fingerprint, refusal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plans")]

# --- Downgrading ----------------------------------------------------------------------------------------------------


def test_a_downgrade_waits_for_the_end_of_the_period_and_says_what_is_too_much(
    client_at: ClientAt, owner: User
) -> None:
    sites = [make.site(owner.account) for _ in range(2)]
    at = client_at(HALF)

    preview = post(at, "preview", plan_slug="mini").json()["data"]
    answer = post(at, "downgrade", plan_slug="mini").json()["data"]

    assert (preview["change"], preview["total"], preview["line_items"]) == ("downgrade", "0.00", [])
    assert preview["effective_at"] == "2026-04-01T12:00:00Z"
    assert preview["over_limits"] == [{"limit": "sites", "used": 2, "allowed": 1}]
    assert (answer["plan"], answer["pending_plan"]) == ("starter", "mini")
    sites[0].delete()
    with time_machine.travel(END, tick=False):
        assert SubscriptionService.end_due_periods() == 1
        assert SubscriptionService.end_due_periods() == 0
    assert (current(owner).plan.slug, current(owner).account.plan.slug) == ("mini", "mini")
    assert current(owner).pending_plan is None


def test_a_downgrade_that_would_be_over_its_limits_then_is_refused_then(client_at: ClientAt, owner: User) -> None:
    for _ in range(2):
        make.site(owner.account)
    post(client_at(HALF), "downgrade", plan_slug="mini")

    with time_machine.travel(END, tick=False):
        SubscriptionService.end_due_periods()

    assert (current(owner).plan.slug, current(owner).pending_plan) == ("starter", None)
    refused = Event.objects.get(type="subscription.downgrade_refused").data
    assert refused["reason"] == "The account has 2 sites where 1 is allowed. Remove what is too much first."


def test_nothing_happens_before_the_end_of_the_period(client_at: ClientAt, owner: User) -> None:
    post(client_at(HALF), "downgrade", plan_slug="mini")

    with time_machine.travel(END - timedelta(seconds=1), tick=False):
        assert SubscriptionService.end_due_periods() == 0
        SubscriptionService.end_period(current(owner))

    assert current(owner).plan.slug == "starter"


# --- Canceling and coming back --------------------------------------------------------------------------------------


def test_a_cancellation_waits_for_the_end_of_the_period_and_can_be_taken_back(client_at: ClientAt, owner: User) -> None:
    at = client_at(HALF)

    assert post(at, "cancel").json()["data"]["cancel_at_period_end"] is True
    assert refusal(post(at, "upgrade", plan_slug="growth"))["code"] == "subscription_ending"
    answer = post(at, "reactivate").json()["data"]

    assert (answer["subscription"]["cancel_at_period_end"], answer["invoice"]) == (False, None)
    assert refusal(post(at, "reactivate"))["code"] == "nothing_to_reactivate"
    with time_machine.travel(END, tick=False):
        assert SubscriptionService.end_due_periods() == 0
    assert current(owner).status == "active"


def test_at_the_end_of_the_period_subscription_and_account_are_canceled(client_at: ClientAt, owner: User) -> None:
    post(client_at(HALF), "cancel")

    with time_machine.travel(END, tick=False):
        SubscriptionService.end_due_periods()

        subscription = current(owner)
        assert (subscription.status, subscription.canceled_at, subscription.account.status) == (
            "canceled",
            END,
            "canceled",
        )
        require_sound()


def test_canceled_at_once_it_ends_and_can_be_ordered_anew(client_at: ClientAt, owner: User, olga: User) -> None:
    at = client_at(HALF)
    post(at, "upgrade", plan_slug="growth")

    ended = post(at, "cancel", at_period_end=False).json()["data"]
    assert (ended["status"], current(owner).account.status) == ("canceled", "canceled")
    assert Invoice.objects.filter(status="pending").count() == 0
    again = post(at, "reactivate").json()["data"]

    assert (again["subscription"]["status"], again["invoice"]["total"]) == ("pending_payment", "89.00")
    assert again["subscription"]["id"] != ended["id"]
    assert current(owner).account.status == "pending_payment"
    with time_machine.travel(HALF, tick=False):
        pay(Invoice.objects.get(pk=again["invoice"]["id"]), olga)
        require_sound()
    assert current(owner).account.status == "active"


def test_an_order_that_was_never_paid_is_withdrawn_with_its_invoice(as_user: Callable[[User], APIClient]) -> None:
    owner = make.owner({"status": "pending_payment"})
    make.subscription(owner.account)

    answer = as_user(owner).post(f"{SUBSCRIPTIONS}cancel/", {}, format="json").json()["data"]

    assert answer["status"] == "canceled"
    assert Invoice.objects.get().status == "void"
    assert Account.objects.get(pk=owner.account_id).status == "canceled"
    require_sound()


def test_canceling_does_not_lift_what_an_operator_suspended(client_at: ClientAt, owner: User) -> None:
    Account.objects.filter(pk=owner.account_id).update(status="suspended", suspended_reason="operator")

    assert post(client_at(HALF), "cancel", at_period_end=False).status_code == 200

    account = Account.objects.get(pk=owner.account_id)
    assert (account.status, account.suspended_reason) == ("suspended", "operator")


def test_a_canceled_subscription_is_never_paid_for(client_at: ClientAt, olga: User) -> None:
    invoice = post(client_at(HALF), "upgrade", plan_slug="growth").json()["data"]["invoice"]["id"]
    with time_machine.travel(HALF, tick=False):
        payment = make.submitted_payment(Invoice.objects.get(pk=invoice))
    Subscription.objects.update(cancel_at_period_end=True)
    with time_machine.travel(END, tick=False):
        SubscriptionService.end_due_periods()
    assert Invoice.objects.get(pk=invoice).status == "pending"
    client_of_olga = APIClient()
    client_of_olga.force_authenticate(olga)

    response = client_of_olga.post(f"/api/v1/billing/admin/payments/{payment.pk}/approve/", {}, format="json")

    assert refusal(response)["code"] == "subscription_not_payable"
    assert Payment.objects.get(pk=payment.pk).status == "pending_approval"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR])
def test_who_does_not_manage_billing_may_preview_only(
    owner: User, as_user: Callable[[User], APIClient], role: str
) -> None:
    member = make.user(account=owner.account, role=role)
    with time_machine.travel(HALF, tick=False):
        client = as_user(member)
        before = fingerprint()

        assert client.post(f"{SUBSCRIPTIONS}preview/", {"plan_slug": "growth"}, format="json").status_code == 200
        for action in ("create", "upgrade", "downgrade", "cancel", "reactivate"):
            assert client.post(f"{SUBSCRIPTIONS}{action}/", {}, format="json").status_code == 403, action
    assert fingerprint() == before
