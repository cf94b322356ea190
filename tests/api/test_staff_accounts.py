"""Operators look accounts up, suspend them, lift that, and adjust their credits."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import ACCOUNT_TRANSITIONS, Account, AccountStatus, Role, Subscription, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditGrant, CreditTransaction
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

ACCOUNTS = "/api/v1/admin/accounts/"
Login = Callable[[User], APIClient]


@pytest.fixture
def operator(olga: User, as_user: Login) -> APIClient:
    return as_user(olga)


def found(operator: APIClient, **query: str) -> list[str]:
    response = operator.get(ACCOUNTS, query)
    assert response.status_code == 200, response.content
    return [row["name"] for row in response.json()["data"]]


# --- Looking up ---------------------------------------------------------------------------------------------------


def test_the_list_shows_every_account_newest_first(operator: APIClient, alice: User, bob: User, charlie: User) -> None:
    make.user(account=alice.account, is_active=False)
    make.credits(alice.account, 250)

    response = operator.get(ACCOUNTS)

    assert response.json()["count"] == 2
    newest, oldest = response.json()["data"]
    assert newest["id"] == charlie.account_id
    assert oldest == {
        "id": alice.account_id,
        "name": alice.account.name,
        "slug": alice.account.slug,
        "status": "active",
        "plan": "starter",
        "credits": 250,
        "owner_email": "alice@example.com",
        "members": 2,
        "created_at": oldest["created_at"],
    }
    assert oldest["created_at"].endswith("Z")


def test_search_finds_the_beginning_of_names_slugs_and_addresses(operator: APIClient) -> None:
    make.owner({"name": "Ünal Trading", "slug": "unal-1", "billing_email": "Books@unal.example"}, email="u@example.com")
    make.owner({"name": "Other", "slug": "zebra"}, email="someone@example.com")

    for text in ("Ünal", "ünal t", "UNAL-1", "books@", "U@EXAMPLE.com"):
        assert found(operator, search=text) == ["Ünal Trading"], text
    for text in ("rading", "%", "_", "example.com", "'", "\\"):
        assert found(operator, search=text) == [], text
    assert found(operator, search="zebra") == found(operator, search="someone@example.com") == ["Other"]


def test_filters_narrow_by_status_plan_and_day(operator: APIClient) -> None:
    make.owner({"name": "Old", "status": "canceled", "plan": make.plan("growth")})
    make.owner({"name": "New", "status": "trial"})
    Account.objects.filter(name="Old").update(created_at=timezone.now() - timedelta(days=40))
    today = timezone.now().date().isoformat()

    assert found(operator, status="canceled") == found(operator, plan="growth") == ["Old"]
    assert found(operator, created_from=today) == ["New"]
    assert found(operator, created_to=today) == ["New", "Old"]
    assert found(operator, created_to="2020-01-01") == []
    assert found(operator, status="trial", plan="growth") == []
    assert found(operator, ordering="created_at") == ["Old", "New"]


@pytest.mark.parametrize(
    "query", ["status=gone", "plan=a b", "plan=x'", "created_from=2026-02-30", "created_to=9999-99-99", "search="]
)
def test_a_wrong_filter_is_refused(operator: APIClient, query: str) -> None:
    response = operator.get(f"{ACCOUNTS}?{query}")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == [query.partition("=")[0]]


def test_the_last_day_of_the_calendar_is_a_day(operator: APIClient, alice: User) -> None:
    assert found(operator, created_to="9999-12-31") == [alice.account.name]


def test_one_account_is_shown_with_all_around_it(operator: APIClient, alice: User, bob: User, olga: User) -> None:
    account = alice.account
    Account.objects.filter(pk=account.pk).update(billing_email="books@example.com", tax_id="DE 1", billing_country="DE")
    PaymentService.approve_manual_payment(make.submitted_payment(make.subscription(account).invoices.get()), olga)
    open_invoice, decided = make.invoice(account), make.invoice(account)
    make.submitted_payment(decided)
    make.site(account)

    data = operator.get(f"{ACCOUNTS}{account.pk}/").json()["data"]

    assert (data["id"], data["billing_email"], data["tax_id"], data["billing_country"]) == (
        account.pk, "books@example.com", "DE 1", "DE",
    )  # fmt: skip
    assert data["suspended_reason"] == ""
    assert (data["subscription"]["plan"], data["subscription"]["status"]) == ("starter", "active")
    assert data["counts"] == {"sites": 1, "invoices": 3, "open_invoices": 2, "payments_to_decide": 1}
    assert [(person["email"], person["role"]) for person in data["people"]] == [
        ("alice@example.com", "owner"), ("bob@example.com", "viewer"),
    ]  # fmt: skip
    assert [invoice["id"] for invoice in data["open_invoices"]] == [decided.pk, open_invoice.pk]
    assert data["open_invoices"][0]["total"] == "89.00"
    assert len(data["events"]) == 10
    assert data["events"][0]["type"] == "payment.submitted"
    assert "password" not in str(data)


def test_an_account_without_anything_is_shown_too(operator: APIClient, alice: User) -> None:
    data = operator.get(f"{ACCOUNTS}{alice.account_id}/").json()["data"]

    assert data["subscription"] is None
    assert data["open_invoices"] == data["events"] == []


# --- Suspending ---------------------------------------------------------------------------------------------------


def post(operator: APIClient, account: Account, action: str, **data: Any) -> Any:
    return operator.post(f"{ACCOUNTS}{account.pk}/{action}/", {"reason": "Spam", **data}, format="json")


def test_a_suspended_account_cannot_use_the_product_and_still_reaches_billing(
    operator: APIClient, olga: User, alice: User, as_user: Login
) -> None:
    member, industry = as_user(alice), make.industry()

    response = post(operator, alice.account, "suspend")

    assert response.json()["data"] == {
        "account_id": alice.account_id, "status": "suspended", "suspended_reason": "operator",
    }  # fmt: skip
    refused = member.post("/api/v1/sites/", {"name": "Shop", "industry": industry.pk}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "account_suspended")
    assert member.get("/api/v1/billing/invoices/").status_code == 200
    event = Event.objects.get(type="account.suspended")
    assert (event.account_id, event.actor_id) == (alice.account_id, olga.pk)
    assert event.data == {"from": "active", "suspended_reason": "operator", "reason": "Spam"}

    assert post(operator, alice.account, "activate", reason="Cleared up").status_code == 200
    assert member.post("/api/v1/sites/", {"name": "Shop", "industry": industry.pk}, format="json").status_code == 201
    assert Event.objects.get(type="account.reinstated").data["reason"] == "Cleared up"


@pytest.mark.parametrize("status", AccountStatus.values)
def test_only_what_the_table_of_moves_allows_is_suspended(operator: APIClient, status: str) -> None:
    account = make.owner({"status": status, "suspended_reason": "operator" if status == "suspended" else ""}).account
    before = fingerprint()

    response = post(operator, account, "suspend")

    if AccountStatus.SUSPENDED in ACCOUNT_TRANSITIONS[status]:
        assert response.status_code == 200
    else:
        assert response.status_code == 409
        assert refusal(response)["code"] == "move_not_allowed"
        assert fingerprint() == before


@pytest.mark.parametrize("status", set(AccountStatus.values) - {"suspended"})
def test_activate_lifts_suspensions_and_nothing_else(operator: APIClient, status: str) -> None:
    account = make.owner({"status": status}).account
    before = fingerprint()

    response = post(operator, account, "activate")

    assert response.status_code == 409
    answer = refusal(response)
    assert answer["code"] == "not_suspended"
    assert status in answer["message"]
    if status in {"pending_payment", "past_due", "trial"}:
        assert "paid" in answer["message"] or "pays" in answer["message"]
    assert fingerprint() == before


def test_a_suspension_for_non_payment_is_lifted_by_payment_only(operator: APIClient) -> None:
    account = make.owner({"status": "suspended", "suspended_reason": "non_payment"}).account
    before = fingerprint()

    response = post(operator, account, "activate")

    assert (response.status_code, refusal(response)["code"]) == (409, "suspension_lifted_by_payment")
    assert fingerprint() == before


@pytest.mark.parametrize(
    ("subscription", "is_free", "expected"),
    [
        (None, True, "active"),
        (None, False, "active"),
        ("active", False, "active"),
        ("past_due", False, "past_due"),
        ("canceled", False, "canceled"),
        # Canceled with an order that can be paid would be neither (docs/domain.md section 7, invariant 8).
        ("pending_payment", False, "pending_payment"),
        ("pending_payment", True, "active"),
        ("canceled", True, "active"),
    ],
)
def test_the_account_becomes_what_its_subscription_says(
    operator: APIClient, subscription: str | None, is_free: bool, expected: str
) -> None:
    plan = make.plan("free", price=0) if is_free else make.plan()
    account = make.owner({"status": "active", "plan": plan}).account
    if subscription:
        begin = timezone.now() - timedelta(days=1)
        period = {"billing_anchor": begin, "current_period_start": begin, "current_period_end": begin + timedelta(30)}
        Subscription.objects.create(account=account, plan=make.plan(), status=subscription, **period, **make.in_force())
    Account.objects.filter(pk=account.pk).update(status="suspended", suspended_reason="operator")

    response = post(operator, account, "activate")

    assert response.status_code == 200
    assert response.json()["data"] == {"account_id": account.pk, "status": expected, "suspended_reason": ""}
    assert response.json()["message"] == f"Suspension lifted. The account is {expected}."
    assert [broken.name for broken in broken_invariants() if broken.number == 8] == []


@pytest.mark.parametrize("action", ["suspend", "activate", "adjust-credits"])
def test_a_decision_needs_a_reason(operator: APIClient, alice: User, action: str) -> None:
    before = fingerprint()
    rest = {"amount": 5} if action == "adjust-credits" else {}

    for reason in (None, "", " ", 1, ["x"], "x" * 501, "two\nlines", "\u202e"):
        response = post(operator, alice.account, action, reason=reason, **rest)

        assert response.status_code == 400, ascii(reason)
        assert "reason" in refusal(response)["errors"], ascii(reason)
    assert fingerprint() == before


# --- Adjusting credits --------------------------------------------------------------------------------------------


def test_credits_are_given_and_taken_through_the_ledger(operator: APIClient, olga: User, alice: User) -> None:
    given = post(operator, alice.account, "adjust-credits", amount=500, reason="Goodwill").json()["data"]
    taken = post(operator, alice.account, "adjust-credits", amount=-200, reason="Too many").json()["data"]

    alice.account.refresh_from_db()
    assert (given["amount"], given["credits"], taken["amount"], taken["credits"]) == (500, 500, -200, 300)
    assert alice.account.credits == 300
    assert sum(grant.remaining for grant in CreditGrant.objects.filter(account=alice.account)) == 300
    first, second = CreditTransaction.objects.filter(account=alice.account).order_by("pk")
    assert (first.pk, second.pk) == (given["transaction_id"], taken["transaction_id"])
    assert {first.transaction_type, second.transaction_type} == {"adjustment"}
    assert "Goodwill" in f"{first.description} {first.metadata}"
    events = Event.objects.filter(account=alice.account, object_type="billing.credittransaction")
    assert {event.actor_id for event in events} == {olga.pk}
    assert {event.object_id for event in events} == {str(first.pk), str(second.pk)}


def test_more_than_there_is_cannot_be_taken(operator: APIClient, alice: User) -> None:
    make.credits(alice.account, 100)
    before = fingerprint()

    response = post(operator, alice.account, "adjust-credits", amount=-101)

    assert response.status_code in {402, 409}
    assert refusal(response)["code"] == "insufficient_credits"
    assert fingerprint() == before


def test_an_adjustment_is_a_whole_number_and_not_nothing(operator: APIClient, alice: User) -> None:
    before = fingerprint()

    for amount in (0, None, True, "5", 1.0, 1.5, -1.0, 10**9 + 1, -(10**9) - 1, 2**63, [], {}, "NaN"):
        response = post(operator, alice.account, "adjust-credits", amount=amount)

        assert response.status_code == 400, amount
        assert list(refusal(response)["errors"]) == ["amount"], amount
    assert fingerprint() == before


def test_every_id_that_is_no_account_is_the_same_404(operator: APIClient) -> None:
    for action in ("", "suspend/", "activate/", "adjust-credits/"):
        method, data = ("GET", None) if not action else ("POST", {"reason": "x", "amount": 1})
        data = {"reason": "x"} if action in {"suspend/", "activate/"} else data
        answers = set()
        for account in (987_654_321, 999_999_999_999_999_999):
            path = f"{ACCOUNTS}{account}/{action}"
            response = operator.get(path) if method == "GET" else operator.post(path, data, format="json")
            assert response.status_code == 404
            answers.add(str(refusal(response)))
        assert len(answers) == 1


def test_members_are_the_accounts_own(operator: APIClient, alice: User, charlie: User) -> None:
    people = operator.get(f"{ACCOUNTS}{alice.account_id}/").json()["data"]["people"]

    assert [person["id"] for person in people] == [alice.pk]
    assert people[0]["role"] == Role.OWNER
