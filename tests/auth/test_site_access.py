"""Who may work on a site: owners and admins on all, others where they were let in (TEN-04)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, Site, SiteUserAccess, User
from igny8_core.auth.services.sites import update_site
from igny8_core.common.errors import NotFound
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]


@pytest.fixture
def ed(account_a: Account) -> User:
    """Editor of account A."""
    return make.user(email="ed@example.com", account=account_a, role=Role.EDITOR)


@pytest.fixture
def site(account_a: Account) -> Site:
    return make.site(account_a, name="Shop")


def access(site: Site, user: User | None = None) -> str:
    return f"/api/v1/sites/{site.pk}/access/" + (f"{user.pk}/" if user else "")


def let_in(user: User, site: Site) -> None:
    SiteUserAccess.objects.create(user=user, site=site)


# --- Editors work where they were let in --------------------------------------------------------------------------


def test_an_editor_changes_a_site_that_they_have_access_to_and_no_other(
    ed: User, site: Site, as_user: Login, account_a: Account
) -> None:
    other = make.site(account_a, name="Hidden")
    let_in(ed, site)
    client = as_user(ed)

    codes = [
        client.patch(f"/api/v1/sites/{one.pk}/", {"name": "New"}, format="json").status_code for one in (site, other)
    ]

    assert codes == [200, 404]
    assert list(Site.objects.order_by("pk").values_list("name", flat=True)) == ["New", "Hidden"]
    assert Event.objects.get(type="site.updated").actor_id == ed.pk


def test_an_editor_neither_makes_nor_deletes_a_site(ed: User, site: Site, as_user: Login) -> None:
    let_in(ed, site)
    client = as_user(ed)
    before = fingerprint()

    answers = [
        client.post("/api/v1/sites/", {"name": "X", "industry": site.industry_id}, format="json"),
        client.delete(f"/api/v1/sites/{site.pk}/"),
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert fingerprint() == before


def test_a_viewer_with_access_reads_only(bob: User, site: Site, as_user: Login) -> None:
    let_in(bob, site)
    client = as_user(bob)

    assert client.get(f"/api/v1/sites/{site.pk}/").status_code == 200
    assert client.patch(f"/api/v1/sites/{site.pk}/", {"name": "New"}, format="json").status_code == 403


def test_who_lost_access_between_reading_and_writing_writes_nothing(ed: User, site: Site) -> None:
    let_in(ed, site)
    SiteUserAccess.objects.all().delete()

    with pytest.raises(NotFound):
        update_site(site, ed, name="New")
    assert Site.objects.get().name == "Shop"


# --- The list -----------------------------------------------------------------------------------------------------


def test_the_list_names_who_may_work_on_the_site(
    alice: User, bob: User, ed: User, site: Site, account_a: Account, charlie: User, as_user: Login
) -> None:
    make.user(email="ada@example.com", account=account_a, role=Role.ADMIN)
    let_in(ed, site)
    let_in(bob, make.site(account_a, name="Another"))

    rows = as_user(ed).get(access(site)).json()["data"]

    assert [(row["email"], row["role"], row["granted_at"] is None) for row in rows] == [
        ("ada@example.com", "admin", True), ("alice@example.com", "owner", True), ("ed@example.com", "editor", False),
    ]  # fmt: skip
    assert rows[2]["user"] == ed.pk
    assert as_user(bob).get(access(site)).status_code == 404


# --- Letting in ---------------------------------------------------------------------------------------------------


def test_letting_in_and_out_takes_effect_with_the_next_request(
    alice: User, ed: User, site: Site, as_user: Login
) -> None:
    manager, editor, address = as_user(alice), as_user(ed), f"/api/v1/sites/{site.pk}/"
    codes = [editor.get(address).status_code]

    granted = manager.post(access(site), {"user": ed.pk}, format="json")
    codes.append(editor.get(address).status_code)
    revoked = manager.delete(access(site, ed))
    codes.append(editor.get(address).status_code)

    assert codes == [404, 200, 404]
    assert (granted.status_code, revoked.status_code) == (201, 200)
    assert granted.json()["data"]["user"] == ed.pk
    told = Event.objects.filter(type__startswith="site.access").order_by("pk")
    assert [(event.type, event.actor_id, event.data) for event in told] == [
        ("site.access_granted", alice.pk, {"user": ed.pk}), ("site.access_revoked", alice.pk, {"user": ed.pk}),
    ]  # fmt: skip


def test_letting_in_twice_is_once(alice: User, ed: User, site: Site, as_user: Login) -> None:
    codes = [as_user(alice).post(access(site), {"user": ed.pk}, format="json").status_code for _ in range(2)]

    assert codes == [201, 201]
    assert SiteUserAccess.objects.get().granted_by_id == alice.pk
    assert Event.objects.filter(type="site.access_granted").count() == 1


def test_a_person_of_another_account_is_the_same_400_as_none(
    alice: User, charlie: User, site: Site, as_user: Login
) -> None:
    client = as_user(alice)
    before = fingerprint()

    answers = [
        client.post(access(site), {"user": user}, format="json", HTTP_X_REQUEST_ID="same-request-id")
        for user in (charlie.pk, 987_654_321)
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1
    assert list(refusal(answers[0])["errors"]) == ["user"]
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["owner", "admin"])
def test_the_access_of_owners_and_admins_is_not_taken(
    alice: User, site: Site, as_user: Login, account_a: Account, role: str
) -> None:
    manager = make.user(account=account_a, role=role)
    let_in(manager, site)
    client = as_user(alice)
    before = fingerprint()

    answer = client.delete(access(site, manager))

    assert (answer.status_code, refusal(answer)["code"]) == (409, "access_by_role")
    assert fingerprint() == before


def test_access_that_is_not_there_is_404(alice: User, ed: User, site: Site, as_user: Login) -> None:
    assert as_user(alice).delete(access(site, ed)).status_code == 404


@pytest.mark.parametrize("role", ["editor", "viewer"])
def test_editors_and_viewers_let_nobody_in_or_out(
    ed: User, site: Site, as_user: Login, account_a: Account, role: str
) -> None:
    member = make.user(account=account_a, role=role)
    let_in(member, site)
    let_in(ed, site)
    client: Any = as_user(member)
    before = fingerprint()

    codes = [
        client.post(access(site), {"user": member.pk}, format="json").status_code,
        client.delete(access(site, ed)).status_code,
    ]

    assert codes == [403, 403]
    assert fingerprint() == before


# --- Which sites are open to a member -----------------------------------------------------------------------------


def test_the_sites_that_are_open_to_a_member_can_be_listed(
    ed: User, alice: User, bob: User, site: Site, as_user: Login, account_a: Account
) -> None:
    make.site(account_a, name="Hidden")
    let_in(ed, site)
    stranger = make.owner(email="stranger@example.com")

    def open_to(member: User, caller: User = alice) -> list[str]:
        answer = as_user(caller).get(f"/api/v1/sites/?open_to={member.pk}")
        return [row["name"] for row in answer.json()["data"]]

    assert open_to(ed) == ["Shop"]
    assert open_to(bob) == []
    assert open_to(alice) == ["Hidden", "Shop"]
    assert open_to(stranger) == []
    # Who sees one site reads of that one only.
    assert open_to(alice, caller=ed) == ["Shop"]
    assert as_user(alice).get("/api/v1/sites/?open_to=0").status_code == 400
