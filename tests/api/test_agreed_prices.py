"""What a customer was shown before they agreed: nothing is ordered that costs more by now; both amounts are said."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Plan, User
from igny8_core.business.billing.models import CreditPackage, Invoice, Payment
from igny8_core.business.billing.services.subscriptions.plan_change import quote
from igny8_core.business.billing.services.subscriptions.quote_tokens import quote_token, quoted_at
from tests import make
from tests.api.plan_changes import HALF, ClientAt, current, post
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=1)
PURCHASE = "/api/v1/billing/credits/purchase/"


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(
    ("action", "plan", "shown"),
    [
        ("upgrade", "growth", {"expected_total": "1.00"}),
        ("upgrade", "growth", {"expected_renewal_amount": "138.99"}),
        ("upgrade", "growth", {"expected_total": "0.00"}),
        ("downgrade", "mini", {"expected_renewal_amount": "0.01"}),
    ],
)
def test_a_change_that_costs_more_than_was_shown_is_refused_with_both_amounts(
    client_at: ClientAt, action: str, plan: str, shown: dict[str, str]
) -> None:
    client, before = client_at(HALF), fingerprint()
    [(name, amount)] = shown.items()
    offer = post(client, "preview", plan_slug=plan).json()["data"]
    now = {"expected_total": offer["total"], "expected_renewal_amount": offer["renewal_amount"]}[name]

    answer = post(client, action, plan_slug=plan, **shown)

    said = refusal(answer)
    assert (answer.status_code, said["code"]) == (409, "price_moved")
    assert said["errors"] == {name: [f"You were shown {amount} USD; it is {now} USD now."]}
    assert said["errors"][name][0] in said["message"]
    assert fingerprint() == before


@pytest.mark.usefixtures("plans")
def test_a_change_that_costs_what_was_shown_or_less_is_made(client_at: ClientAt, owner: User) -> None:
    client = client_at(HALF)
    offer = post(client, "preview", plan_slug="growth").json()["data"]
    Plan.objects.filter(slug="mini").update(price=Decimal("1.00"))

    shown = {"expected_total": offer["total"], "expected_renewal_amount": offer["renewal_amount"]}
    upgraded = post(client, "upgrade", plan_slug="growth", **shown)
    downgraded = post(client, "downgrade", plan_slug="mini", expected_total="0.00", expected_renewal_amount="29.00")

    assert upgraded.json()["data"]["invoice"]["total"] == offer["total"]
    assert downgraded.status_code == 200, downgraded.content
    pending = current(owner).pending_plan
    assert pending
    assert pending.slug == "mini"


def dearer_moment(account: Account) -> datetime:
    """A moment at which a change to growth costs less than a minute later."""
    growth, moments = Plan.objects.get(slug="growth"), (HALF + timedelta(minutes=at) for at in range(60 * 24))
    return next(at for at in moments if quote(account, growth, at).total < quote(account, growth, at + LATER).total)


@pytest.mark.usefixtures("plans")
def test_what_a_preview_showed_holds_though_a_cent_was_added_meanwhile(client_at: ClientAt, owner: User) -> None:
    moment = dearer_moment(current(owner).account)
    client, later = client_at(moment), moment + LATER
    shown = post(client, "preview", moment, plan_slug="growth").json()["data"]
    of_another = post(client, "preview", moment, plan_slug="mini").json()["data"]["quote_token"]
    said = {"plan_slug": "growth", "expected_total": shown["total"]}

    tokens = [{}, {"quote_token": of_another}, {"quote_token": shown["quote_token"][:-1]}]
    refusals = [post(client, "upgrade", later, **said, **token) for token in tokens]
    made = post(client, "upgrade", later, **said, quote_token=shown["quote_token"])

    assert {refusal(answer)["code"] for answer in refusals} == {"price_moved"}
    assert made.json()["data"]["invoice"]["total"] == shown["total"]


@pytest.mark.usefixtures("plans")
def test_it_holds_for_ten_minutes_and_for_that_account_and_plan_alone(owner: User) -> None:
    account, growth, mini = current(owner).account, *Plan.objects.filter(slug__in=["growth", "mini"]).order_by("slug")
    with time_machine.travel(HALF, tick=False):
        token = quote_token(account, growth, HALF)

    def at(minutes: int, *theirs: Any) -> datetime | None:
        with time_machine.travel(HALF + timedelta(minutes=minutes), tick=False):
            return quoted_at(token, *theirs)

    assert (at(9, account, growth), at(10, account, growth)) == (HALF, None)
    assert at(1, account, mini) is None
    assert at(1, make.account(), growth) is None


@pytest.mark.usefixtures("plans")
def test_a_price_that_somebody_raised_does_not_hold(client_at: ClientAt) -> None:
    client = client_at(HALF)
    shown = post(client, "preview", plan_slug="growth").json()["data"]
    Plan.objects.filter(slug="growth").update(price=Decimal("500.00"))

    said = {"expected_total": shown["total"], "quote_token": shown["quote_token"]}
    answer = post(client, "upgrade", plan_slug="growth", **said)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "price_moved")


def test_credits_that_cost_more_than_was_shown_are_not_ordered(
    alice: User, as_user: Callable[[User], APIClient], account_a: Account
) -> None:
    make.payment_method()
    make.credit_package()
    client = as_user(alice)
    CreditPackage.objects.update(price=Decimal("40.00"))

    said = {"package": "pro", "payment_method": "bank_transfer"}
    answer = client.post(PURCHASE, {**said, "expected_price": "26.10"}, format="json")

    assert (answer.status_code, refusal(answer)["code"]) == (409, "price_moved")
    assert refusal(answer)["errors"] == {"expected_price": ["You were shown 26.10 USD; it is 36.00 USD now."]}
    assert not Invoice.objects.exists()
    assert client.post(PURCHASE, {**said, "expected_price": "36.00"}, format="json").status_code == 201


@pytest.mark.parametrize("amount", ["-1", "1e3", 5, "0.00\n", "٥", ""])
def test_an_amount_that_is_none_is_refused(alice: User, as_user: Callable[[User], APIClient], amount: object) -> None:
    make.credit_package()

    answer = as_user(alice).post(PURCHASE, {"package": "pro", "expected_price": amount}, format="json")

    assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["expected_price"])


def test_the_payments_of_one_invoice(alice: User, as_user: Callable[[User], APIClient], account_a: Account) -> None:
    of, _other = (make.submitted_payment(make.invoice(account_a)) for _ in range(2))

    answer = as_user(alice).get(f"/api/v1/billing/payments/?invoice={of.invoice_id}").json()

    assert [row["id"] for row in answer["data"]] == [of.pk]
    assert Payment.objects.count() == 2
