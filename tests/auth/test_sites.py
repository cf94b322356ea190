"""Sites: an industry each, within the plan, seen by who has access."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.errors import LimitReached
from igny8_core.auth.models import Account, Role, Site, SiteUserAccess, User
from igny8_core.auth.services.sites import create_site
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db

SITES = "/api/v1/sites/"
Login = Callable[[User], APIClient]


def create(client: APIClient, **fields: Any) -> Any:
    return client.post(SITES, {"name": "Shop", "industry": make.industry().pk, **fields}, format="json")


def test_a_site_needs_an_industry(alice: User, as_user: Login) -> None:
    response = as_user(alice).post(SITES, {"name": "Shop", "domain": "shop.example.com"}, format="json")

    assert response.status_code == 400
    assert response.json()["message"] == "industry is required."
    assert not Site.objects.exists()


def test_a_site_comes_back_with_its_industry_and_is_told_in_an_event(alice: User, as_user: Login) -> None:
    response = create(as_user(alice), domain="shop.example.com")

    assert response.status_code == 201
    data = response.json()["data"]
    assert set(data) == {"id", "name", "slug", "domain", "industry", "status", "created_at"}
    assert (data["name"], data["domain"], data["industry"]["slug"], data["status"]) == (
        "Shop", "shop.example.com", "retail", "active",
    )  # fmt: skip
    event = Event.objects.get(type="site.created")
    assert (event.account_id, event.actor_id, event.object_id) == (alice.account_id, alice.pk, str(data["id"]))


@pytest.mark.parametrize("allowed", [0, 1, 3])
def test_no_more_sites_than_the_plan_allows(alice: User, as_user: Login, allowed: int) -> None:
    plan = make.plan("small", max_sites=allowed)
    Account.objects.filter(pk=alice.account_id).update(plan=plan)
    client = as_user(alice)

    codes = [create(client).status_code for _ in range(allowed + 1)]
    refused = create(client)

    assert codes == [201] * allowed + [409]
    assert refused.json()["code"] == "limit_reached"
    assert f"allows {allowed} site" in refused.json()["message"]
    assert Site.objects.count() == allowed


def test_a_deleted_site_makes_room_for_another(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    first = create(client).json()["data"]["id"]
    assert [create(client).status_code for _ in range(2)] == [201, 409]

    assert client.delete(f"{SITES}{first}/").status_code == 200

    assert create(client).status_code == 201
    assert Event.objects.get(type="site.deleted").data == {"name": "Shop"}


def test_the_limit_counts_only_the_accounts_own_sites(alice: User, charlie: User, as_user: Login) -> None:
    for _ in range(2):
        make.site(charlie.account)

    assert create(as_user(alice)).status_code == 201


def test_owners_and_admins_get_access_and_nobody_else(alice: User, bob: User, charlie: User, as_user: Login) -> None:
    admin = make.user(account=alice.account, role=Role.ADMIN)
    make.user(account=alice.account, role=Role.ADMIN, is_active=False)
    make.user(account=alice.account, role=Role.EDITOR)

    site = create(as_user(admin)).json()["data"]["id"]

    access = SiteUserAccess.objects.filter(site_id=site)
    assert {row.user_id for row in access} == {alice.pk, admin.pk}
    assert {row.granted_by_id for row in access} == {admin.pk}


@pytest.mark.parametrize("role", Role.values)
def test_viewers_and_editors_see_only_sites_they_have_access_to(alice: User, as_user: Login, role: str) -> None:
    member = make.user(account=alice.account, role=role)
    shown, hidden = make.site(alice.account, name="Shown"), make.site(alice.account, name="Hidden")
    SiteUserAccess.objects.create(user=member, site=shown)
    sees_all = role in {Role.OWNER, Role.ADMIN}

    client = as_user(member)
    names = [site["name"] for site in client.get(SITES).json()["data"]]

    assert names == (["Hidden", "Shown"] if sees_all else ["Shown"])
    assert client.get(f"{SITES}{shown.pk}/").status_code == 200
    assert client.get(f"{SITES}{hidden.pk}/").status_code == (200 if sees_all else 404)


def test_access_to_a_site_of_another_account_shows_nothing(bob: User, charlie: User, as_user: Login) -> None:
    foreign = make.site(charlie.account)
    SiteUserAccess.objects.create(user=bob, site=foreign)

    assert as_user(bob).get(SITES).json()["count"] == 0
    assert as_user(bob).get(f"{SITES}{foreign.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        ("pending_payment", "", (402, "payment_required")),
        ("suspended", "non_payment", (402, "payment_required")),
        ("suspended", "operator", (403, "account_suspended")),
        ("canceled", "", (403, "account_canceled")),
    ],
)
def test_an_account_that_may_not_use_the_product_makes_and_changes_no_site(
    alice: User, as_user: Login, status: str, reason: str, code: tuple[int, str]
) -> None:
    site = make.site(alice.account, name="Old")
    Account.objects.filter(pk=alice.account_id).update(status=status, suspended_reason=reason)
    client = as_user(alice)

    responses = [create(client), client.patch(f"{SITES}{site.pk}/", {"name": "New"}, format="json")]

    assert [(response.status_code, response.json()["code"]) for response in responses] == [code, code]
    assert [row.name for row in Site.objects.all()] == ["Old"]
    assert client.get(SITES).json()["count"] == 1


def test_a_change_keeps_what_was_not_sent(alice: User, as_user: Login) -> None:
    site = make.site(alice.account, name="Old", domain="old.example.com")

    response = as_user(alice).patch(f"{SITES}{site.pk}/", {"status": "inactive"}, format="json")

    assert response.status_code == 200
    site.refresh_from_db()
    assert (site.name, site.domain, site.status) == ("Old", "old.example.com", "inactive")


@pytest.mark.parametrize("value", ["", "deleted", "ACTIVE", None, 1, ["active"]])
def test_a_site_has_no_other_status(alice: User, as_user: Login, value: Any) -> None:
    site = make.site(alice.account)

    assert as_user(alice).patch(f"{SITES}{site.pk}/", {"status": value}, format="json").status_code == 400
    site.refresh_from_db()
    assert site.status == "active"


def test_an_empty_change_changes_nothing(alice: User, as_user: Login) -> None:
    site = make.site(alice.account)

    assert as_user(alice).patch(f"{SITES}{site.pk}/", {}, format="json").status_code == 200


@pytest.mark.parametrize(
    ("query", "names"), [("status=inactive", ["B"]), ("search=a", ["A"]), ("ordering=-name", ["B", "A"])]
)
def test_the_list_filters_and_orders(alice: User, as_user: Login, query: str, names: list[str]) -> None:
    make.site(alice.account, name="A")
    make.site(alice.account, name="B", status="inactive")

    assert [site["name"] for site in as_user(alice).get(f"{SITES}?{query}").json()["data"]] == names


@pytest.mark.parametrize("count", [1, 20])
def test_a_list_costs_the_same_queries_however_long_it_is(
    alice: User, as_user: Login, count: int, django_assert_num_queries: Any
) -> None:
    for _ in range(count):
        make.site(alice.account)
    client = as_user(alice)

    with django_assert_num_queries(3):  # who calls, keys, rows
        assert client.get(SITES).json()["count"] == count


def test_the_service_itself_refuses_over_the_limit(alice: User) -> None:
    for number in range(2):
        create_site(alice.account, alice, name=f"Site {number}", industry=make.industry())

    with pytest.raises(LimitReached):
        create_site(alice.account, alice, name="One too many", industry=make.industry())
    assert Site.objects.count() == 2


@pytest.mark.parametrize(
    "domain", ["https://example.com", "example.com/path", "exa mple.com", "-example.com", "a" * 64]
)
def test_a_domain_that_is_none_is_400_and_says_what_is_expected(alice: User, as_user: Any, domain: str) -> None:
    body = {"name": "Shop", "industry": make.industry().pk, "domain": domain}

    answer = as_user(alice).post("/api/v1/sites/", body, format="json")

    assert answer.status_code == 400
    assert answer.json()["errors"]["domain"] == ["Write a domain name such as example.com, without https:// and path."]
    assert not Site.objects.exists()


@pytest.mark.parametrize("domain", ["example.com", "shop.example.co.uk", "bücher.example"])
def test_a_domain_name_is_taken(alice: User, as_user: Any, domain: str) -> None:
    body = {"name": "Shop", "industry": make.industry().pk, "domain": domain}

    assert as_user(alice).post("/api/v1/sites/", body, format="json").json()["data"]["domain"] == domain


def test_the_industry_is_taken_under_both_of_its_names(alice: User, as_user: Any) -> None:
    client, retail, other = as_user(alice), make.industry(), make.industry(slug="other", name="Other")

    created = client.post(SITES, {"name": "Shop", "industry_id": retail.pk}, format="json").json()["data"]
    changed = client.patch(f"{SITES}{created['id']}/", {"industry_id": other.pk}, format="json").json()["data"]
    both = client.patch(f"{SITES}{created['id']}/", {"industry": retail.pk, "industry_id": retail.pk}, format="json")

    assert (created["industry"]["slug"], changed["industry"]["slug"]) == ("retail", "other")
    assert both.json()["data"]["industry"]["slug"] == "retail"


def test_two_industries_for_one_site_are_refused(alice: User, as_user: Any) -> None:
    body = {"name": "Shop", "industry": make.industry().pk, "industry_id": make.industry(slug="b", name="B").pk}

    answer = as_user(alice).post(SITES, body, format="json")

    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["industry_id"])
    assert not Site.objects.exists()
