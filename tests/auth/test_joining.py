"""Joining a team with a mailed token: who may, as whom, once (ROL-02 to ROL-08)."""

import json
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, SiteUserAccess, TeamInvitation, User
from igny8_core.auth.services.invitations import _hash, invitation_token, resend_invitation
from igny8_core.common import clock
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal
from tests.auth.team import ACCEPT, INVITATIONS, PERSON, accept, invite

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]


# --- Joining as a new person --------------------------------------------------------------------------------------


def test_a_new_person_joins_with_role_and_sites_and_is_logged_in(alice: User) -> None:
    shown, hidden = make.site(alice.account, name="Shown"), make.site(alice.account, name="Hidden")

    answer = accept(invite(alice, site_ids=[shown.pk]))

    assert answer.status_code == 200
    data = answer.json()["data"]
    assert set(data) == {"token", "refresh", "user", "account"}
    assert (data["user"]["email"], data["user"]["role"], data["user"]["email_verified"]) == (
        "greta@example.com", "editor", True,
    )  # fmt: skip
    assert data["account"]["id"] == alice.account_id
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {data['token']}")
    assert [site["name"] for site in client.get("/api/v1/sites/").json()["data"]] == ["Shown"]
    access = SiteUserAccess.objects.get(site=shown)
    assert access.granted_by_id == alice.pk
    assert not SiteUserAccess.objects.filter(site=hidden).exists()
    greta = User.objects.get(email="greta@example.com")
    event = Event.objects.get(type="invitation.accepted")
    assert (event.account_id, event.actor_id, event.data) == (alice.account_id, greta.pk, {"role": "editor"})


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_a_new_owner_or_admin_gets_every_site(alice: User, role: str) -> None:
    sites = {make.site(alice.account).pk for _ in range(3)}

    accept(invite(alice, role=role))

    greta = User.objects.get(email="greta@example.com")
    assert greta.role == role
    assert set(greta.site_access.values_list("site_id", flat=True)) == sites
    assert Account.objects.get(pk=alice.account_id).owner_id == alice.pk


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"password", "password_confirm", "first_name", "last_name"}),
        ({"password": make.PASSWORD}, {"password_confirm", "first_name", "last_name"}),
        ({**PERSON, "password_confirm": "another"}, {"password_confirm"}),
        ({**PERSON, "password": "short", "password_confirm": "short"}, {"password"}),
        ({**PERSON, "first_name": ""}, {"first_name"}),
        ({**PERSON, "email": "other@example.com"}, {"email"}),
        ({**PERSON, "role": "owner"}, {"role"}),
    ],
)
def test_a_new_person_says_all_of_themselves_and_nothing_more(
    alice: User, fields: dict[str, str], wrong: set[str]
) -> None:
    invitation = invite(alice)
    before = fingerprint()

    answer = APIClient().post(ACCEPT, {"token": invitation_token(invitation), **fields}, format="json")

    assert answer.status_code == 400
    assert set(refusal(answer)["errors"]) == wrong
    assert fingerprint() == before


def test_a_site_that_was_deleted_meanwhile_is_left_out(alice: User) -> None:
    site = make.site(alice.account)
    invitation = invite(alice, site_ids=[site.pk])
    site.delete()

    assert accept(invitation).status_code == 200


# --- Joining with a login -----------------------------------------------------------------------------------------


def test_who_is_logged_in_with_that_address_and_in_no_account_joins(alice: User, as_user: Login) -> None:
    greta = make.user(email="greta@example.com")

    answer = accept(invite(alice), as_user(greta))

    assert answer.status_code == 200
    greta.refresh_from_db()
    assert (greta.account_id, greta.role) == (alice.account_id, "editor")
    assert greta.email_verified_at
    assert greta.check_password(make.PASSWORD)


@pytest.mark.parametrize(
    "email",
    [
        "greta+tag@example.com", "gre.ta@example.com", "greta@sub.example.com", "greta@example.org",
        "gretа@example.com", "other@example.com",
    ],
)  # fmt: skip
def test_another_address_is_refused_and_the_invitation_stays_open(alice: User, as_user: Login, email: str) -> None:
    invitation = invite(alice)
    client = as_user(make.user(email=email))
    before = fingerprint()

    answer = accept(invitation, client)

    assert (answer.status_code, refusal(answer)["code"]) == (403, "invitation_for_another")
    assert fingerprint() == before
    assert accept(invitation).status_code == 200


def test_a_login_that_exists_has_to_be_used(alice: User) -> None:
    make.user(email="greta@example.com", email_verified_at=clock.now())
    invitation = invite(alice)
    before = fingerprint()

    answer = accept(invitation)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "login_exists")
    assert fingerprint() == before


@pytest.mark.parametrize("is_logged_in", [True, False])
def test_a_member_of_another_account_cannot_join(
    alice: User, charlie: User, as_user: Login, is_logged_in: bool
) -> None:
    invitation = invite(alice, "charlie@example.com")
    client = as_user(charlie) if is_logged_in else None
    before = fingerprint()

    answer = accept(invitation, client)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "member_elsewhere")
    assert fingerprint() == before


def test_signing_up_with_an_invited_address_joins_nothing(alice: User, defaults: None) -> None:
    """An unverified address is no proof, with the token or without (ROL-08)."""
    invitation = invite(alice)
    body = {"email": "greta@example.com", **PERSON}

    answer = APIClient().post("/api/v1/auth/register/", body, format="json")

    greta = User.objects.get(email="greta@example.com")
    assert answer.json()["data"]["account"]["id"] == greta.account_id != alice.account_id
    assert invitation.status == "open"


def test_a_dead_credential_is_401_and_joins_nothing(alice: User) -> None:
    invitation = invite(alice)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer dead")

    assert accept(invitation, client, **PERSON).status_code == 401
    assert TeamInvitation.objects.get().status == "open"


# --- Tokens that open nothing -------------------------------------------------------------------------------------


def test_a_token_works_once(alice: User) -> None:
    invitation = invite(alice)
    assert accept(invitation).status_code == 200
    before = fingerprint()

    again = accept(invitation)

    assert (again.status_code, refusal(again)["code"]) == (410, "invitation_gone")
    assert fingerprint() == before


@pytest.mark.parametrize(("seconds", "code"), [(-1, 200), (0, 410), (1, 410)])
def test_a_token_works_for_seven_days(alice: User, seconds: int, code: int) -> None:
    with time_machine.travel("2026-01-01T12:00:00Z", tick=False) as clock:
        invitation = invite(alice)
        clock.shift(timedelta(days=7, seconds=seconds))

        assert accept(invitation).status_code == code


def test_a_withdrawn_invitation_opens_nothing(alice: User, as_user: Login) -> None:
    invitation = invite(alice)
    assert as_user(alice).delete(f"{INVITATIONS}{invitation.pk}/").status_code == 200

    assert accept(invitation).status_code == 410
    assert Event.objects.get(type="invitation.canceled").actor_id == alice.pk


@pytest.mark.parametrize(
    ("role", "change"),
    [
        (Role.VIEWER, {"role": Role.EDITOR}),
        (Role.OWNER, {"role": Role.ADMIN}),
        (Role.VIEWER, {"is_active": False}),
        (Role.VIEWER, {"account": None, "role": ""}),
    ],
)
def test_who_may_not_invite_any_more_takes_nobody_in(alice: User, role: str, change: dict[str, Any]) -> None:
    inviter = make.user(account=alice.account, role=Role.OWNER)
    invitation = invite(inviter, role=role)
    User.objects.filter(pk=inviter.pk).update(**change)
    before = fingerprint()

    answer = accept(invitation)

    assert (answer.status_code, refusal(answer)["code"]) == (410, "invitation_gone")
    assert fingerprint() == before


def test_sent_again_by_who_may_it_is_good_again(alice: User) -> None:
    inviter = make.user(account=alice.account, role=Role.ADMIN)
    invitation = invite(inviter)
    User.objects.filter(pk=inviter.pk).update(role=Role.VIEWER)
    assert accept(invitation).status_code == 410

    assert accept(resend_invitation(alice.account, invitation.pk, alice)).status_code == 200


def test_the_plan_is_asked_again_when_somebody_joins(alice: User) -> None:
    invitation = invite(alice)
    Account.objects.filter(pk=alice.account_id).update(plan=make.plan("small", max_users=1))
    before = fingerprint()

    answer = accept(invitation)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "limit_reached")
    assert fingerprint() == before


def test_every_token_that_is_none_gets_the_same_404(alice: User) -> None:
    invite(alice)
    bodies = []
    for token in ("x", " ", "0", "null", secrets.token_urlsafe(32), "A" * 43, "é", "' OR 1=1 --", "%", "x" * 4096):
        answer = APIClient().post(
            ACCEPT, {"token": token, **PERSON}, format="json", HTTP_X_REQUEST_ID="same-request-id"
        )
        assert answer.status_code == 404, token
        bodies.append(answer.content)

    assert len(set(bodies)) == 1
    assert json.loads(bodies[0])["code"] == "not_found"


@pytest.mark.parametrize("token", ["", None, 0, False, [], {}, [""], "x" * 4097])
def test_an_empty_token_matches_nothing(alice: User, token: Any) -> None:
    invite(alice)
    before = fingerprint()

    assert APIClient().post(ACCEPT, {"token": token, **PERSON}, format="json").status_code == 400
    assert APIClient().post(ACCEPT, PERSON, format="json").status_code == 400
    assert fingerprint() == before


def test_the_hash_that_is_stored_is_no_token(alice: User) -> None:
    invite(alice)

    assert accept(TeamInvitation.objects.get().token_hash).status_code == 404


def test_thousands_of_guesses_find_nothing(alice: User) -> None:
    invite(alice)
    hashes = {invitation.token_hash for invitation in TeamInvitation.objects.all()}

    assert not hashes & {_hash(secrets.token_urlsafe(32)) for _ in range(100_000)}
