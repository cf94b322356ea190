"""Operators see which renewals are ahead and behind, and have one tried again."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.models import Renewal
from igny8_core.business.billing.services.payment_methods.saved import make_default
from tests import make
from tests.api.world import fingerprint, refusal
from tests.billing.renewing import END, at, renewal_of, running, work_at
from tests.rows import now

pytestmark = pytest.mark.django_db
RENEWALS = "/api/v1/admin/renewals/"


@pytest.fixture
def renewals() -> dict[str, Renewal]:
    """One that is due later, one that is due, one that is paid ahead."""
    rows = {name: make.renewal() for name in ("ahead", "behind", "paid")}
    past = timezone.now() - timedelta(days=1)
    Renewal.objects.filter(pk=rows["behind"].pk).update(period_start=past, declines=1, last_decline="expired_card")
    Renewal.objects.filter(pk=rows["paid"].pk).update(status="paid")
    return rows


def test_they_are_listed_and_counted_by_what_they_wait_for(
    renewals: dict[str, Renewal], as_user: Any, olga: User
) -> None:
    client = as_user(olga)

    def listed(**query: str) -> set[int]:
        return {row["id"] for row in client.get(RENEWALS, query).json()["data"]}

    ids = {name: row.pk for name, row in renewals.items()}
    assert listed() == set(ids.values())
    assert listed(timing="ahead") == {ids["ahead"]}
    assert listed(timing="behind") == {ids["behind"]}
    assert listed(status="paid") == {ids["paid"]}
    assert client.get(f"{RENEWALS}counts/").json()["data"] == {
        "ahead": 1,
        "behind": 1,
        "paid_ahead": 1,
        "declined": 1,
        "charged_within_a_day": 0,
    }
    response = client.get(RENEWALS, {"timing": "never"})
    assert (response.status_code, list(refusal(response)["errors"])) == (400, ["timing"])


def test_one_says_what_it_costs_and_what_came_of_its_charges(
    renewals: dict[str, Renewal], as_user: Any, olga: User
) -> None:
    told = as_user(olga).get(f"{RENEWALS}{renewals['behind'].pk}/").json()["data"]

    assert (told["status"], told["total"], told["currency"], told["invoice_status"]) == (
        "open",
        "89.00",
        "USD",
        "pending",
    )
    assert (told["declines"], told["last_decline"], told["next_charge_at"]) == (1, "expired_card", None)
    assert told["plan"] == "starter"


def test_a_retry_charges_the_saved_card(stripe: FakeStripe, as_user: Any, olga: User) -> None:
    subscription = running()
    account = Account.objects.get(pk=subscription.account_id)
    make_default(account, make.saved_card(stripe, account).pk, account.owner)
    work_at(END - timedelta(days=7))
    Renewal.objects.update(next_charge_at=None)

    response = at(END, lambda: as_user(olga).post(f"{RENEWALS}{renewal_of(subscription).pk}/retry/"))

    assert (response.status_code, response.json()["data"]["status"]) == (200, "begun")
    assert response.json()["message"] == "The renewal is period begun."
    assert now(subscription).current_period_start == END


@pytest.mark.parametrize("change", [{"status": "begun", "begun_at": timezone.now()}, {}])
def test_what_is_over_cannot_be_tried_again(as_user: Any, olga: User, change: dict[str, Any]) -> None:
    renewal = make.renewal()
    Renewal.objects.filter(pk=renewal.pk).update(**change)
    if not change:
        Subscription.objects.update(status="canceled")
    client, before = as_user(olga), fingerprint()

    response = client.post(f"{RENEWALS}{renewal.pk}/retry/")

    assert (response.status_code, refusal(response)["code"]) == (409, "renewal_not_retryable")
    assert fingerprint() == before


def test_nobody_retries_for_an_account_that_they_belong_to(as_user: Any) -> None:
    renewal = make.renewal()
    member = make.operator(account=renewal.account, role="admin")

    response = as_user(member).post(f"{RENEWALS}{renewal.pk}/retry/")

    assert (response.status_code, refusal(response)["code"]) == (403, "own_account")


def test_a_page_costs_the_same_however_many_there_are(as_user: Any, olga: User, statements: list[str]) -> None:
    client = as_user(olga)
    counts = []
    for _ in range(2):
        for _ in range(3):
            make.renewal()
        statements.clear()
        client.get(RENEWALS)
        counts.append(len(statements))

    assert counts[0] == counts[1]
