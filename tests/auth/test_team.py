"""Members come, change and go, and an account always has an owner (threats.md ROL-09 to ROL-11, TEN-18)."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, LoginSession, Role, SiteUserAccess, User
from igny8_core.auth.services.memberships import change_role, remove_member
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal
from tests.auth.team import TEAM, accept, invite

pytestmark = pytest.mark.django_db

TRANSFER = "/api/v1/account/transfer-ownership/"
Login = Callable[[User], APIClient]


@pytest.fixture
def anna(account_a: Account) -> User:
    """A second owner of account A."""
    return make.user(email="anna@example.com", account=account_a, role=Role.OWNER)


def set_role(client: APIClient, member: User, role: str) -> Any:
    return client.patch(f"{TEAM}{member.pk}/role/", {"role": role}, format="json")


def role_of(user: User) -> str:
    return str(User.objects.values_list("role", flat=True).get(pk=user.pk))


def owner_of(account: Account) -> int | None:
    return Account.objects.values_list("owner_id", flat=True).get(pk=account.pk)


# --- The list -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
def test_every_member_sees_the_team(alice: User, charlie: User, as_user: Login, role: str) -> None:
    member = make.user(email="zoe@example.com", account=alice.account, role=role)

    answer = as_user(member).get(TEAM)

    assert [(row["email"], row["role"]) for row in answer.json()["data"]] == [
        ("alice@example.com", "owner"), ("zoe@example.com", role),
    ]  # fmt: skip
    assert set(answer.json()["data"][0]) == {
        "id", "email", "first_name", "last_name", "role", "is_active", "date_joined",
    }  # fmt: skip


# --- Roles --------------------------------------------------------------------------------------------------------


def test_a_new_role_is_told_in_an_event(alice: User, bob: User, as_user: Login) -> None:
    answer = set_role(as_user(alice), bob, "editor")

    assert (answer.status_code, answer.json()["data"]["role"]) == (200, "editor")
    event = Event.objects.get(type="member.role_changed")
    assert (event.account_id, event.actor_id, event.object_id) == (alice.account_id, alice.pk, str(bob.pk))
    assert event.data == {"from": "viewer", "to": "editor"}


def test_the_same_role_again_changes_nothing(alice: User, bob: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    assert set_role(client, bob, "viewer").status_code == 200
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["admin", "owner"])
def test_who_rises_to_admin_or_owner_gets_every_site_and_keeps_them_when_sinking(
    alice: User, bob: User, as_user: Login, role: str
) -> None:
    sites = {make.site(alice.account).pk for _ in range(2)}
    SiteUserAccess.objects.create(user=bob, site_id=min(sites), granted_by=alice)

    set_role(as_user(alice), bob, role)
    risen = set(bob.site_access.values_list("site_id", flat=True))
    set_role(as_user(alice), bob, "editor")

    assert risen == sites
    assert set(bob.site_access.values_list("site_id", flat=True)) == sites


# --- Removal ------------------------------------------------------------------------------------------------------


def test_who_is_removed_is_out_with_the_next_request(alice: User, bob: User, as_user: Login) -> None:
    site, client = make.site(alice.account), as_user(bob)
    refresh = open_session(bob).refresh
    SiteUserAccess.objects.create(user=bob, site=site, granted_by=alice)
    assert client.get(TEAM).status_code == 200

    answer = as_user(alice).delete(f"{TEAM}{bob.pk}/")

    assert answer.status_code == 200
    assert client.get(TEAM).status_code == 401
    assert client.post("/api/v1/auth/refresh/", {"refresh": refresh}, format="json").status_code == 401
    bob.refresh_from_db()
    assert (bob.account, bob.role, bob.is_active) == (None, "", True)
    assert not bob.site_access.exists()
    assert not LoginSession.objects.filter(user=bob, ended_at=None).exists()
    event = Event.objects.get(type="member.removed")
    assert (event.account_id, event.actor_id, event.data) == (
        alice.account_id, alice.pk, {"role": "viewer", "left": False},
    )  # fmt: skip


def test_who_was_removed_logs_in_and_sees_nothing(alice: User, bob: User, as_user: Login) -> None:
    as_user(alice).delete(f"{TEAM}{bob.pk}/")

    client = as_user(User.objects.get(pk=bob.pk))

    assert client.get("/api/v1/auth/me/").json()["data"]["account"] is None
    for path in ("sites/", "account/team/", "billing/invoices/", "account/settings/"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path


def test_who_was_removed_can_be_invited_again(alice: User, bob: User, as_user: Login) -> None:
    as_user(alice).delete(f"{TEAM}{bob.pk}/")

    answer = accept(invite(alice, "bob@example.com"), as_user(User.objects.get(pk=bob.pk)))

    assert answer.status_code == 200
    assert role_of(bob) == "editor"


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
def test_everybody_but_the_last_owner_may_leave(alice: User, as_user: Login, role: str) -> None:
    member = make.user(account=alice.account, role=role)

    assert as_user(member).delete(f"{TEAM}{member.pk}/").status_code == 200
    assert Event.objects.get(type="member.removed").data == {"role": role, "left": True}


# --- The last owner stays (ROL-11), and Account.owner is an owner -------------------------------------------------


def test_the_last_owner_does_not_leave(alice: User, as_user: Login) -> None:
    make.user(account=alice.account, role=Role.OWNER, is_active=False)
    make.user(account=alice.account, role=Role.ADMIN)
    client = as_user(alice)
    before = fingerprint()

    answer = client.delete(f"{TEAM}{alice.pk}/")

    assert (answer.status_code, refusal(answer)["code"]) == (409, "last_owner")
    assert fingerprint() == before


@pytest.mark.parametrize("path", ["leave", "removed", "demoted"])
def test_when_the_account_s_owner_goes_another_owner_is_named(
    alice: User, anna: User, account_a: Account, as_user: Login, path: str
) -> None:
    if path == "leave":
        answer = as_user(alice).delete(f"{TEAM}{alice.pk}/")
    elif path == "removed":
        answer = as_user(anna).delete(f"{TEAM}{alice.pk}/")
    else:
        answer = set_role(as_user(anna), alice, "viewer")

    assert answer.status_code == 200
    assert owner_of(account_a) == anna.pk
    assert Event.objects.get(type="account.owner_changed").data == {"from": alice.pk, "to": anna.pk}
    assert broken_invariants() == []


def test_an_owner_who_is_not_named_goes_without_a_change_of_owner(
    alice: User, anna: User, account_a: Account, as_user: Login
) -> None:
    assert as_user(alice).delete(f"{TEAM}{anna.pk}/").status_code == 200

    assert owner_of(account_a) == alice.pk
    assert not Event.objects.filter(type="account.owner_changed").exists()


def test_a_former_member_s_service_call_is_refused(alice: User, anna: User) -> None:
    """What was decided on a role that is gone meanwhile."""
    stale = User.objects.get(pk=anna.pk)
    remove_member(alice.account, anna.pk, alice)

    for call in (
        lambda: remove_member(alice.account, alice.pk, stale),
        lambda: change_role(alice.account, alice.pk, "viewer", stale),
    ):
        with pytest.raises(Exception, match="may not do this"):
            call()
    assert role_of(alice) == "owner"


# --- Handing the account over -------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["owner", "admin", "editor", "viewer"])
def test_any_active_member_can_become_the_owner(alice: User, account_a: Account, as_user: Login, role: str) -> None:
    heir = make.user(account=account_a, role=role)
    site = make.site(account_a)

    answer = as_user(alice).post(TRANSFER, {"user": heir.pk, "password": make.PASSWORD}, format="json")

    assert answer.status_code == 200
    assert answer.json()["data"]["role"] == "owner"
    assert (owner_of(account_a), role_of(heir), role_of(alice)) == (heir.pk, "owner", "admin")
    assert SiteUserAccess.objects.filter(user=heir, site=site).exists() == (role != "owner")
    event = Event.objects.get(type="account.ownership_transferred")
    assert (event.actor_id, event.data) == (alice.pk, {"from": alice.pk, "to": heir.pk})
    assert broken_invariants() == []


def test_handing_over_needs_the_password(alice: User, bob: User, as_user: Login) -> None:
    client = as_user(alice)
    before = fingerprint()

    answer = client.post(TRANSFER, {"user": bob.pk, "password": "wrong"}, format="json")

    assert (answer.status_code, list(refusal(answer)["errors"])) == (400, ["password"])
    assert fingerprint() == before


def test_nobody_else_can_become_the_owner(alice: User, bob: User, charlie: User, as_user: Login) -> None:
    inactive = make.user(account=alice.account, is_active=False)
    client = as_user(alice)
    before = fingerprint()

    answers = [
        client.post(
            TRANSFER, {"user": user, "password": make.PASSWORD}, format="json", HTTP_X_REQUEST_ID="same-request-id"
        )
        for user in (charlie.pk, inactive.pk, alice.pk, 987_654_321)
    ]

    assert {answer.status_code for answer in answers} == {400}
    assert len({answer.content for answer in answers}) == 1
    assert fingerprint() == before


@pytest.mark.parametrize("role", ["admin", "editor", "viewer"])
def test_only_an_owner_hands_over(alice: User, as_user: Login, role: str) -> None:
    member = make.user(account=alice.account, role=role)
    client = as_user(member)
    before = fingerprint()

    answer = client.post(TRANSFER, {"user": member.pk, "password": make.PASSWORD}, format="json")

    assert answer.status_code == 403
    assert fingerprint() == before


def test_guessing_the_password_is_limited(alice: User, bob: User, as_user: Login, throttling: None) -> None:
    client = as_user(alice)

    codes = [
        client.post(TRANSFER, {"user": bob.pk, "password": f"guess {number}"}, format="json").status_code
        for number in range(11)
    ]

    assert codes == [400] * 10 + [429]
