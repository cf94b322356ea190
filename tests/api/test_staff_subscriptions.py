"""Operators look up, end and change customers' subscriptions; the rules are those of customers."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal
from tests.rows import now

pytestmark = pytest.mark.django_db

SUBSCRIPTIONS = "/api/v1/admin/subscriptions/"
WHY = "Asked for it by phone"


@pytest.fixture
def operator(olga: User, as_user: Callable[[User], APIClient]) -> APIClient:
    return as_user(olga)


@pytest.fixture
def running(olga: User) -> Subscription:
    """A paid subscription to Growth, and a smaller and a larger plan beside it."""
    make.plan("starter", max_users=5)
    make.plan("scale", price=Decimal("229.00"), included_credits=4000)
    subscription = make.subscription(plan_ordered=make.plan("growth", price=Decimal("139.00"), included_credits=2000))
    PaymentService.approve_manual_payment(make.submitted_payment(subscription.invoices.get()), olga)
    return Subscription.objects.get(pk=subscription.pk)


def decide(client: APIClient, subscription: Subscription, verb: str, **body: Any) -> Any:
    return client.post(f"{SUBSCRIPTIONS}{subscription.pk}/{verb}/", {"reason": WHY, **body}, format="json")


def told(subscription: Subscription, kind: str) -> Event:
    return Event.objects.get(type=kind, object_type="igny8_auth.subscription", object_id=str(subscription.pk))


# --- Looking up -----------------------------------------------------------------------------------------------------


def test_the_list_is_filtered_by_status_account_and_plan(operator: APIClient, running: Subscription) -> None:
    waiting = make.subscription()

    def found(**query: object) -> list[int]:
        return [row["id"] for row in operator.get(SUBSCRIPTIONS, query).json()["data"]]

    assert found() == [waiting.pk, running.pk]
    assert found(ordering="created_at") == [running.pk, waiting.pk]
    assert found(status="active") == [running.pk]
    assert found(plan="starter") == [waiting.pk]
    assert found(account=running.account_id) == [running.pk]
    for wrong in ("status=live", "plan=a b", "account=x"):
        assert operator.get(f"{SUBSCRIPTIONS}?{wrong}").status_code == 400, wrong


def test_one_subscription_with_whose_it_is(operator: APIClient, running: Subscription) -> None:
    data = operator.get(f"{SUBSCRIPTIONS}{running.pk}/").json()["data"]

    assert (data["id"], data["plan"], data["status"], data["billing_driver"]) == (
        running.pk,
        "growth",
        "active",
        "local",
    )
    assert (data["account_id"], data["account_name"]) == (running.account_id, running.account.name)
    assert operator.get(f"{SUBSCRIPTIONS}987654321/").status_code == 404


# --- Ending ---------------------------------------------------------------------------------------------------------


def test_it_ends_with_its_period_where_nothing_else_is_said(
    operator: APIClient, running: Subscription, olga: User
) -> None:
    answer = decide(operator, running, "end")

    assert answer.json()["message"] == "The subscription ends with its period."
    assert answer.json()["data"]["cancel_at_period_end"] is True
    assert (now(running).status, now(running).cancel_at_period_end) == ("active", True)
    for kind in ("subscription.end_decided", "subscription.cancel_scheduled"):
        assert told(running, kind).actor == olga
    facts = told(running, "subscription.end_decided").data
    assert (facts["plan"], facts["plan_id"]) == ("growth", running.plan_id)
    assert (facts["when"], facts["reason"]) == ("period end", WHY)
    assert broken_invariants() == []


def test_it_ends_at_once_with_its_account_and_unpaid_invoices(operator: APIClient, running: Subscription) -> None:
    decide(operator, running, "change", plan_slug="scale")

    answer = decide(operator, running, "end", at_period_end=False)

    assert answer.json()["message"] == "The subscription has ended."
    assert (now(running).status, Account.objects.get(pk=running.account_id).status) == ("canceled", "canceled")
    assert Invoice.objects.latest("pk").status == "void"
    again, before = decide(operator, running, "end"), fingerprint()
    assert (again.status_code, refusal(again)["code"]) == (409, "no_subscription")
    assert fingerprint() == before


def test_a_refunded_subscription_can_be_ended(operator: APIClient, running: Subscription, olga: User) -> None:
    PaymentService.process_refund(running.invoices.get().payments.get(), reason="Unhappy", refunded_by=olga)

    assert decide(operator, running, "end", at_period_end=False).status_code == 200
    assert now(running).status == "canceled"
    assert broken_invariants() == []


# --- Changing -------------------------------------------------------------------------------------------------------


def test_a_larger_plan_is_invoiced_and_starts_when_that_is_paid(
    operator: APIClient, running: Subscription, olga: User
) -> None:
    answer = decide(operator, running, "change", plan_slug="scale")

    invoice = Invoice.objects.latest("pk")
    assert answer.json()["data"]["invoice"]["id"] == invoice.pk
    assert (
        answer.json()["message"]
        == f"The larger plan starts when invoice {invoice.invoice_number} over 90.00 USD is paid."
    )
    assert (now(running).plan.slug, answer.json()["data"]["subscription"]["plan"]) == ("growth", "growth")
    facts = told(running, "subscription.change_decided").data
    assert (facts["from"], facts["from_id"], facts["to"]) == ("growth", running.plan_id, "scale")
    assert facts["reason"] == WHY
    for kind in ("subscription.change_decided", "subscription.upgrade_ordered"):
        assert told(running, kind).actor == olga
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)
    assert now(running).plan.slug == "scale"
    assert broken_invariants() == []


def test_a_smaller_plan_starts_with_the_next_period(operator: APIClient, running: Subscription, olga: User) -> None:
    answer = decide(operator, running, "change", plan_slug="starter")

    assert answer.json()["message"] == "The smaller plan starts with the next period."
    assert answer.json()["data"]["invoice"] is None
    assert answer.json()["data"]["subscription"]["pending_plan"] == "starter"
    assert told(running, "subscription.downgrade_scheduled").actor == olga
    assert Invoice.objects.count() == 1


@pytest.mark.parametrize(
    ("plan", "status", "code"),
    [("growth", 409, "same_plan"), ("nothing", 400, "plan_not_offered"), ("free", 400, "plan_not_offered")],
)
def test_what_customers_cannot_order_operators_cannot(
    operator: APIClient, running: Subscription, plan: str, status: int, code: str
) -> None:
    make.plan("free", price=0)
    before = fingerprint()

    answer = decide(operator, running, "change", plan_slug=plan)

    assert (answer.status_code, refusal(answer)["code"]) == (status, code)
    assert fingerprint() == before


@pytest.mark.parametrize(("verb", "body"), [("end", {}), ("change", {"plan_slug": "scale"})])
def test_what_stripe_bills_is_left_to_stripe(
    operator: APIClient, running: Subscription, verb: str, body: dict[str, str]
) -> None:
    Subscription.objects.filter(pk=running.pk).update(billing_driver="stripe", stripe_subscription_id="sub_1")
    before = fingerprint()

    answer = decide(operator, running, verb, **body)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "subscription_billed_by_stripe")
    assert fingerprint() == before


@pytest.mark.parametrize(("verb", "body"), [("end", {}), ("change", {"plan_slug": "scale"})])
def test_a_reason_is_needed(operator: APIClient, running: Subscription, verb: str, body: dict[str, str]) -> None:
    before = fingerprint()

    for reason in ("", " ", "x" * 501, "a\u202eb", None, 1):
        answer = decide(operator, running, verb, **body, reason=reason)

        assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["reason"]), ascii(reason)
    assert fingerprint() == before


def test_a_change_of_what_is_not_paid_or_is_ending_is_refused(operator: APIClient, running: Subscription) -> None:
    waiting = make.subscription()
    decide(operator, running, "end")
    before = fingerprint()

    answers = [decide(operator, one, "change", plan_slug="scale") for one in (waiting, running)]

    assert [refusal(answer)["code"] for answer in answers] == ["subscription_not_active", "subscription_ending"]
    assert fingerprint() == before


def test_the_customer_sees_that_support_did_it_but_not_why(
    operator: APIClient, running: Subscription, as_user: Callable[[User], APIClient]
) -> None:
    decide(operator, running, "end")
    owner = running.account.owner
    assert owner

    feed = as_user(owner).get("/api/v1/account/activity/").json()["data"]

    entry = next(row for row in feed if row["type"] == "subscription.end_decided")
    assert (entry["actor"], "reason" in entry["data"]) == ("support", False)
    assert clock.now() - running.created_at < timedelta(days=1)
