"""Ordering and upgrading a plan over HTTP (docs/domain.md section 4)."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.business.billing.models import Invoice
from igny8_core.events.models import Event
from tests import make
from tests.api.plan_changes import END, HALF, START, SUBSCRIPTIONS, ClientAt, current, pay, post, require_sound
from tests.api.world import fingerprint, refusal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plans")]

# --- Reading --------------------------------------------------------------------------------------------------------


def test_the_current_subscription_is_shown_with_its_period(client_at: ClientAt) -> None:
    with time_machine.travel(HALF, tick=False):
        answer = client_at(HALF).get(SUBSCRIPTIONS).json()["data"]

    assert answer == {
        "id": Subscription.objects.get().pk,
        "plan": "starter",
        "status": "active",
        "current_period_start": "2026-03-01T12:00:00Z",
        "current_period_end": "2026-04-01T12:00:00Z",
        "cancel_at_period_end": False,
        "canceled_at": None,
        "pending_plan": None,
        "terms": {
            "price": "89.00",
            "currency": "USD",
            "billing_cycle": "monthly",
            "included_credits": 1000,
            "credits_rollover": False,
            "max_sites": 2,
            "max_users": 5,
        },
    }


def test_without_a_subscription_there_is_null_and_nothing_to_change(
    alice: User, as_user: Callable[[User], APIClient]
) -> None:
    client = as_user(alice)
    before = fingerprint()

    assert client.get(SUBSCRIPTIONS).json()["data"] is None
    for action, body in [
        ("upgrade", {"plan_slug": "growth"}),
        ("downgrade", {"plan_slug": "mini"}),
        ("cancel", {}),
        ("reactivate", {}),
    ]:
        response = client.post(f"{SUBSCRIPTIONS}{action}/", body, format="json")
        assert (response.status_code, refusal(response)["code"]) == (409, "no_subscription"), action
    assert fingerprint() == before


# --- Ordering -------------------------------------------------------------------------------------------------------


def test_an_order_waits_for_its_invoice_and_a_trial_goes_on_meanwhile(
    olga: User, as_user: Callable[[User], APIClient]
) -> None:
    owner = make.owner({"status": "trial"})

    response = as_user(owner).post(f"{SUBSCRIPTIONS}create/", {"plan_slug": "starter"}, format="json")

    data = response.json()["data"]
    assert response.status_code == 201
    assert (data["subscription"]["status"], data["invoice"]["total"]) == ("pending_payment", "89.00")
    assert data["payment_instructions"]["payment_method"] == "bank_transfer"
    assert Account.objects.get(pk=owner.account_id).status == "trial"
    pay(Invoice.objects.get(pk=data["invoice"]["id"]), olga)
    assert Account.objects.get(pk=owner.account_id).status == "active"
    require_sound()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"plan_slug": "none"}, 400, "plan_not_offered"),
        ({"plan_slug": "free"}, 400, "plan_not_offered"),
        ({"plan_slug": "starter", "payment_method": "local_wallet"}, 400, "payment_method_not_available"),
        ({"plan_slug": "starter", "payment_method": "stripe"}, 503, "gateway_not_configured"),
        ({"plan_slug": "starter", "payment_method": "cash"}, 400, "invalid_input"),
        ({}, 400, "invalid_input"),
    ],
)
def test_an_order_that_cannot_be_is_refused(
    as_user: Callable[[User], APIClient], body: dict[str, str], status: int, code: str
) -> None:
    make.plan("free", price=0)
    make.payment_method(payment_method="stripe", display_name="Card")
    owner = make.owner({"status": "trial"})
    client, before = as_user(owner), fingerprint()

    response = client.post(f"{SUBSCRIPTIONS}create/", body, format="json")

    assert (response.status_code, refusal(response)["code"]) == (status, code)
    assert fingerprint() == before


def test_a_second_live_subscription_is_409(client_at: ClientAt) -> None:
    at = client_at(HALF)
    before = fingerprint()

    response = post(at, "create", plan_slug="growth")

    assert (response.status_code, refusal(response)["code"]) == (409, "subscription_already_live")
    assert fingerprint() == before


# --- Upgrading ------------------------------------------------------------------------------------------------------


def test_the_preview_says_line_by_line_what_the_upgrade_then_costs(client_at: ClientAt) -> None:
    at = client_at(HALF)
    before = fingerprint()

    preview = post(at, "preview", plan_slug="growth").json()["data"]
    assert fingerprint() == before
    invoice = post(at, "upgrade", plan_slug="growth").json()["data"]["invoice"]

    assert (preview["change"], preview["total"], preview["credits"]) == ("upgrade", "25.00", 500)
    assert [line["amount"] for line in preview["line_items"]] == ["-44.50", "69.50"]
    assert (preview["effective_at"], preview["renews_at"]) == (None, "2026-04-01T12:00:00Z")
    assert (preview["renewal_amount"], preview["over_limits"]) == ("139.00", [])
    assert invoice["total"] == preview["total"]
    assert invoice["line_items"] == preview["line_items"]


def test_an_upgrade_takes_effect_when_its_invoice_is_paid(client_at: ClientAt, owner: User, olga: User) -> None:
    answer = post(client_at(HALF), "upgrade", plan_slug="growth").json()["data"]
    assert answer["subscription"]["plan"] == "starter"

    with time_machine.travel(HALF + timedelta(hours=1), tick=False):
        pay(Invoice.objects.get(pk=answer["invoice"]["id"]), olga)

    subscription = current(owner)
    assert (subscription.plan.slug, subscription.account.plan.slug) == ("growth", "growth")
    assert (subscription.current_period_start, subscription.current_period_end) == (START, END)
    assert subscription.account.credits == 1500
    told = Event.objects.get(type="subscription.plan_changed").data
    assert (told["from"], told["from_name"], told["to"], told["to_name"]) == ("starter", "Starter", "growth", "Growth")
    with time_machine.travel(HALF + timedelta(hours=2), tick=False):
        require_sound()


def test_a_second_upgrade_counts_from_what_was_paid_not_from_todays_price_list(
    client_at: ClientAt, owner: User, olga: User
) -> None:
    make.plan("scale", price=Decimal("229.00"), included_credits=4000)
    first = post(client_at(HALF), "upgrade", plan_slug="growth").json()["data"]["invoice"]
    with time_machine.travel(HALF, tick=False):
        pay(Invoice.objects.get(pk=first["id"]), olga)
    Plan.objects.filter(slug="growth").update(price=Decimal("999.00"), included_credits=9)

    second = post(client_at(HALF), "upgrade", plan_slug="scale").json()["data"]["invoice"]

    assert [line["amount"] for line in second["line_items"]] == ["-69.50", "114.50"]
    assert second["line_items"][1]["credits"] == 1000


def test_a_new_order_of_a_change_voids_the_unpaid_one_before(client_at: ClientAt) -> None:
    make.plan("scale", price=Decimal("229.00"))
    at = client_at(HALF)
    first = post(at, "upgrade", plan_slug="growth").json()["data"]["invoice"]["id"]

    second = post(at, "upgrade", plan_slug="scale").json()["data"]["invoice"]["id"]

    assert Invoice.objects.get(pk=first).status == "void"
    assert Invoice.objects.get(pk=second).status == "pending"


@pytest.mark.parametrize(("action", "plan"), [("upgrade", "scale"), ("downgrade", "mini"), ("cancel", "")])
def test_while_an_upgrade_is_being_paid_nothing_else_is_changed(client_at: ClientAt, action: str, plan: str) -> None:
    make.plan("scale", price=Decimal("229.00"))
    at = client_at(HALF)
    invoice = post(at, "upgrade", plan_slug="growth").json()["data"]["invoice"]["id"]
    make.submitted_payment(Invoice.objects.get(pk=invoice))
    before = fingerprint()

    response = post(at, action, **({"plan_slug": plan} if plan else {}))

    assert (response.status_code, refusal(response)["code"]) == (409, "payment_under_way")
    assert fingerprint() == before


def test_an_upgrade_in_the_last_second_costs_nothing_and_is_there_at_once(client_at: ClientAt, owner: User) -> None:
    last = END - timedelta(seconds=1)

    data = post(client_at(last), "upgrade", last, plan_slug="growth").json()["data"]

    assert (data["invoice"], data["subscription"]["plan"]) == (None, "growth")
    assert current(owner).account.plan.slug == "growth"


def test_a_longer_cycle_begins_its_period_when_it_is_paid(client_at: ClientAt, owner: User, olga: User) -> None:
    invoice = post(client_at(HALF), "upgrade", plan_slug="yearly").json()["data"]["invoice"]
    assert [line["amount"] for line in invoice["line_items"]] == ["-44.50", "1390.00"]
    paid = HALF + timedelta(hours=20)

    with time_machine.travel(paid, tick=False):
        pay(Invoice.objects.get(pk=invoice["id"]), olga)

    subscription = current(owner)
    assert (subscription.current_period_start, subscription.billing_anchor) == (paid, paid)
    assert subscription.current_period_end == paid.replace(year=2027)


@pytest.mark.parametrize(
    ("action", "plan", "code"),
    [
        ("upgrade", "starter", "same_plan"),
        ("upgrade", "mini", "not_an_upgrade"),
        ("downgrade", "growth", "not_a_downgrade"),
        ("downgrade", "starter", "same_plan"),
        ("upgrade", "euro", "plan_not_offered"),
        ("upgrade", "cramped", "over_limits"),
    ],
)
def test_a_change_in_the_wrong_direction_is_refused(
    client_at: ClientAt, owner: User, action: str, plan: str, code: str
) -> None:
    make.plan("euro", price=Decimal("500.00"), currency="EUR")
    make.plan("cramped", price=Decimal("500.00"), max_sites=0)
    make.site(owner.account)
    at = client_at(HALF)
    before = fingerprint()

    response = post(at, action, plan_slug=plan)

    assert (response.status_code, refusal(response)["code"]) == (400 if code == "plan_not_offered" else 409, code)
    assert fingerprint() == before
