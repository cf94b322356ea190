"""What a customer was shown before they agreed: nothing is ordered that costs more by now; both amounts are said."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Plan, User
from igny8_core.business.billing.models import CreditPackage, Invoice, Payment
from tests import make
from tests.api.plan_changes import HALF, ClientAt, current, post
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

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
