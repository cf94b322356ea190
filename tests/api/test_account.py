"""One's own account: its settings, its limits, and what happened in it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, Subscription, User
from igny8_core.business.billing.models import CreditUsageLog
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.credits.rollup import sum_up_usage
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

SETTINGS = "/api/v1/account/settings/"
LIMITS = "/api/v1/account/limits/"
ACTIVITY = "/api/v1/account/activity/"
Login = Callable[[User], APIClient]

DETAILS = {
    "name": "Acme & Söhne",
    "timezone": "Asia/Karachi",
    "billing_email": "accounts@acme.example",
    "billing_address_line1": "1 High Street",
    "billing_address_line2": "Floor 2",
    "billing_city": "Karachi",
    "billing_state": "Sindh",
    "billing_postal_code": "75500",
    "billing_country": "PK",
    "tax_id": "PK-123",
}


# --- Settings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_owner_and_admin_change_the_settings(alice: User, as_user: Login, role: str) -> None:
    member = make.user(account=alice.account, role=role)

    answer = as_user(member).patch(SETTINGS, DETAILS, format="json")

    assert answer.status_code == 200
    shown = as_user(alice).get(SETTINGS).json()["data"]
    assert {name: shown[name] for name in DETAILS} == DETAILS
    assert answer.json()["data"] == shown


def test_the_event_says_what_changed_and_not_to_what(alice: User, as_user: Login) -> None:
    as_user(alice).patch(SETTINGS, {**DETAILS, "name": alice.account.name}, format="json")

    event = Event.objects.get(type="account.updated")
    assert event.data == {"changed": sorted(set(DETAILS) - {"name"})}
    assert event.actor_id == alice.pk


def test_no_change_leaves_no_event(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    assert client.patch(SETTINGS, {}, format="json").status_code == 200
    assert client.patch(SETTINGS, {"name": alice.account.name}, format="json").status_code == 200
    assert fingerprint() == before


def test_a_wrong_vat_number_is_refused_by_the_country_that_will_hold(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    assert client.patch(SETTINGS, {"billing_country": "PK", "tax_id": "DE136695978"}, format="json").status_code == 200
    before = fingerprint()

    both = client.patch(SETTINGS, {"billing_country": "DE", "tax_id": "DE 136695 978"}, format="json")
    country = client.patch(SETTINGS, {"billing_country": "DE"}, format="json")

    for answer in (both, country):
        assert answer.status_code == 400
        assert list(refusal(answer)["errors"]) == ["tax_id"]
        assert "VAT number of Germany" in refusal(answer)["errors"]["tax_id"][0]
    assert fingerprint() == before
    # As it was written: separators are for people.
    good = client.patch(SETTINGS, {"billing_country": "DE", "tax_id": "DE 136 695 976"}, format="json")
    assert good.json()["data"]["tax_id"] == "DE 136 695 976"


def test_a_tax_number_that_was_taken_once_never_stands_in_the_way(alice: User, as_user: Login) -> None:
    Account.objects.filter(pk=alice.account_id).update(billing_country="DE", tax_id="DE1")

    same = {"billing_city": "Kiel", "billing_country": "DE", "tax_id": "DE1"}
    assert as_user(alice).patch(SETTINGS, same, format="json").status_code == 200


def test_billing_details_can_be_emptied_and_the_name_cannot(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    client.patch(SETTINGS, DETAILS, format="json")

    emptied = client.patch(SETTINGS, dict.fromkeys(set(DETAILS) - {"name", "timezone"}, ""), format="json")
    nameless = client.patch(SETTINGS, {"name": " "}, format="json")

    assert emptied.status_code == 200
    assert emptied.json()["data"]["billing_country"] == ""
    assert (nameless.status_code, list(refusal(nameless)["errors"])) == (400, ["name"])


def test_a_later_edit_never_reaches_an_invoice(alice: User, as_user: Login) -> None:
    as_user(alice).patch(SETTINGS, DETAILS, format="json")
    invoice = make.invoice(Account.objects.get(pk=alice.account_id))
    snapshot = dict(invoice.metadata["billing_snapshot"])

    as_user(alice).patch(SETTINGS, {"billing_city": "Lahore", "name": "Other", "tax_id": ""}, format="json")

    invoice.refresh_from_db()
    assert invoice.metadata["billing_snapshot"] == snapshot
    assert (snapshot["city"], snapshot["name"], snapshot["tax_id"]) == ("Karachi", "Acme & Söhne", "PK-123")


WRONG_ZONES = [
    "", "Karachi", "asia/karachi", "ASIA/KARACHI", "Asia/Karachi ", "Asia", "UTC+5", "+05:00", "localtime", "Factory",
    "posixrules", "posix/UTC", "right/UTC", "../etc/passwd", "/etc/localtime", "Asia/../UTC", None, 5, True, [], {},
    "U\u200bTC", "x" * 10_000,
]  # fmt: skip


def test_what_is_no_time_zone_is_400(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    for zone in WRONG_ZONES:
        answer = client.patch(SETTINGS, {"timezone": zone}, format="json")

        assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["timezone"]), ascii(zone)[:200]
    assert fingerprint() == before


@pytest.mark.parametrize("zone", ["UTC", "Asia/Karachi", "America/Argentina/Buenos_Aires", "Etc/GMT+12", "Europe/Kyiv"])
def test_every_iana_name_is_taken(alice: User, as_user: Login, zone: str) -> None:
    assert zone in available_timezones()
    assert as_user(alice).patch(SETTINGS, {"timezone": zone}, format="json").status_code == 200


# --- Limits -------------------------------------------------------------------------------------------------------


def limits(client: APIClient) -> Any:
    return client.get(LIMITS).json()["data"]


def test_limits_count_what_is_used_of_the_plan(alice: User, bob: User, charlie: User, as_user: Login) -> None:
    make.site(alice.account)
    make.site(charlie.account)
    make.user(account=alice.account, is_active=False)
    make.credits(alice.account, 1200)
    CreditService.spend(alice.account, 125, operation_type="article")

    assert limits(as_user(bob)) == {
        "sites": {"used": 1, "max": 2, "percent": 50},
        "users": {"used": 2, "max": 5, "percent": 40},
        "credits": {"used": 125, "max": 1000, "percent": 12, "balance": 1075},
    }


def test_a_limit_of_zero_and_one_that_is_passed_are_told(alice: User, as_user: Login) -> None:
    for _ in range(3):
        make.site(alice.account)
    Account.objects.filter(pk=alice.account_id).update(
        plan=make.plan("tiny", max_sites=2, max_users=1, included_credits=0)
    )
    client = as_user(alice)
    assert limits(client)["credits"] == {"used": 0, "max": 0, "percent": 0, "balance": 0}
    make.credits(alice.account, 10)
    CreditService.spend(alice.account, 1, operation_type="article")

    assert limits(client)["sites"] == {"used": 3, "max": 2, "percent": 150}
    assert limits(client)["credits"] == {"used": 1, "max": 0, "percent": 100, "balance": 9}


@pytest.mark.parametrize("is_summed", [False, True])
def test_credits_count_from_the_start_of_the_paid_period(olga: User, as_user: Login, is_summed: bool) -> None:
    subscription = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(subscription.invoices.get()), olga)
    start = datetime(2026, 1, 10, 8, 7, 3, tzinfo=UTC)
    end = timezone.now() + timedelta(days=1)
    Subscription.objects.update(current_period_start=start, current_period_end=end, billing_anchor=start)
    account = subscription.account
    for offset, credits in [(-1, 1000), (0, 1), (8 * 60 - 4, 10), (8 * 60, 100), (86_400, 200)]:
        at = start + timedelta(seconds=offset)
        CreditUsageLog.objects.create(account=account, operation_type="article", credits=credits, created_at=at)
    if is_summed:
        sum_up_usage()

    assert account.owner
    assert limits(as_user(account.owner))["credits"]["used"] == 311


# --- Activity -----------------------------------------------------------------------------------------------------


def record(account: Account, kind: str, actor: User | None = None, **data: Any) -> None:
    """An event of any type, declared or not."""
    told = {"object_type": "igny8_auth.account", "object_id": str(account.pk), "created_at": timezone.now()}
    Event.objects.create(type=kind, account=account, actor=actor, data=data, **told)


def activity(client: APIClient, **query: str) -> list[dict[str, Any]]:
    answer = client.get(ACTIVITY, query)
    assert answer.status_code == 200, answer.content
    rows: list[dict[str, Any]] = answer.json()["data"]
    return rows


def test_activity_is_newest_first_and_says_who_did_what(alice: User, bob: User, as_user: Login) -> None:
    as_user(alice).patch(SETTINGS, {"name": "Acme"}, format="json")
    as_user(alice).patch(f"/api/v1/account/team/{bob.pk}/role/", {"role": "editor"}, format="json")

    rows = activity(as_user(bob))

    assert [(row["type"], row["actor"], row["object_type"], row["object_id"], row["data"]) for row in rows] == [
        ("member.role_changed", alice.email, "igny8_auth.user", str(bob.pk), {"from": "viewer", "to": "editor"}),
        ("account.updated", alice.email, "igny8_auth.account", str(alice.account_id), {"changed": ["name"]}),
    ]
    assert set(rows[0]) == {"id", "type", "actor", "object_type", "object_id", "data", "created_at"}


def test_operators_appear_as_support_and_the_system_as_nobody(
    alice: User, olga: User, account_a: Account, charlie: User, as_user: Login
) -> None:
    former = make.user(account=account_a)
    for actor in (None, olga, alice, former):
        record(account_a, "thing.done", actor)
    User.objects.filter(pk=former.pk).update(account=charlie.account)

    assert [row["actor"] for row in activity(as_user(alice))] == [
        "former member", "alice@example.com", "support", None,
    ]  # fmt: skip
    assert "olga" not in str(activity(as_user(alice)))


def test_what_operators_note_for_themselves_is_not_shown(alice: User, olga: User, as_user: Login) -> None:
    make.payment_method()
    approved = make.submitted_payment(make.invoice(alice.account), reference="BT-1")
    rejected = make.submitted_payment(make.invoice(alice.account), reference="BT-2")
    PaymentService.approve_manual_payment(approved, olga, admin_notes="secret of the operators")
    PaymentService.reject_manual_payment(rejected, "Not on the statement", olga)
    for kind in ("account.suspended", "account.changed", "invoice.voided", "credits.adjusted"):
        record(alice.account, kind, olga, reason="secret", edit=["secret"], admin_notes="secret", note="secret")

    rows = activity(as_user(alice))

    assert "secret" not in str(rows)
    by_type = {row["type"]: row["data"] for row in rows}
    assert by_type["payment.approved"]["amount"] == "89.00"
    assert by_type["payment.rejected"]["reason"] == "Not on the statement"
    assert by_type["account.suspended"] == {}


def test_activity_is_filtered_by_type_and_day(alice: User, as_user: Login) -> None:
    for kind in ("site.created", "site.deleted", "payment.approved"):
        record(alice.account, kind)
    client, today = as_user(alice), timezone.now().astimezone(UTC).date()
    yesterday, tomorrow = (str(today + timedelta(days=days)) for days in (-1, 1))

    assert [row["type"] for row in activity(client, type="site.deleted")] == ["site.deleted"]
    assert activity(client, type="site.crea") == activity(client, type="nothing.known") == []
    assert len(activity(client, date_from=yesterday, date_to=tomorrow)) == 3
    assert activity(client, date_from=tomorrow) == activity(client, date_to=yesterday) == []
    assert activity(client, ordering="created_at")[0]["type"] == "site.created"


@pytest.mark.parametrize(
    "query", ["type=", "type=site", "type=site.", "type=%25", "type=site.created%00", "type=SITE.CREATED", "type=a.b.c"]
)
def test_what_is_no_type_is_400(alice: User, as_user: Login, query: str) -> None:
    assert as_user(alice).get(f"{ACTIVITY}?{query}").status_code == 400


def test_nobody_sees_what_happened_in_another_account(alice: User, charlie: User, as_user: Login) -> None:
    record(charlie.account, "site.created", name="CANARY")

    assert activity(as_user(alice)) == []


@pytest.mark.parametrize("role", Role.values)
def test_every_member_may_look(alice: User, as_user: Login, role: str) -> None:
    member = make.user(account=alice.account, role=role)

    for path in (SETTINGS, LIMITS, ACTIVITY):
        assert as_user(member).get(path).status_code == 200


@pytest.mark.parametrize("count", [1, 20])
def test_a_page_costs_the_same_queries_however_long_it_is(
    alice: User, as_user: Login, count: int, django_assert_max_num_queries: Any
) -> None:
    for _ in range(count):
        record(alice.account, "site.created", make.user(account=alice.account))
    client = as_user(alice)

    with django_assert_max_num_queries(3):
        assert client.get(ACTIVITY).json()["count"] == count
