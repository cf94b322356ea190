"""Inviting into a team: with which role, within the plan, telling no more than the mail does (ROL-01 to ROL-05)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, TeamInvitation, User
from igny8_core.auth.services.invitations import (
    cancel_invitation,
    forget_expired_invitations,
    invitation_token,
    resend_invitation,
)
from igny8_core.common.rate_limits import parse_rate
from igny8_core.events.models import Event
from tests import make
from tests.api.world import fingerprint, refusal
from tests.auth.team import INVITATIONS, INVITE, PERSON, TEAM, accept, invite

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]


# --- Inviting -----------------------------------------------------------------------------------------------------


def test_an_invitation_comes_back_without_its_token(alice: User, as_user: Login) -> None:
    site = make.site(alice.account)

    answer = as_user(alice).post(
        INVITE, {"email": "Greta@Example.com", "role": "editor", "sites": [site.pk]}, format="json"
    )

    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["email"], data["role"], data["sites"], data["status"], data["invited_by"]) == (
        "greta@example.com", "editor", [site.pk], "open", "alice@example.com",
    )  # fmt: skip
    assert "token" not in answer.content.decode()
    event = Event.objects.get(type="invitation.created")
    assert (event.account_id, event.actor_id, event.data) == (alice.account_id, alice.pk, {"role": "editor"})


def test_no_answer_and_no_row_holds_the_token(alice: User, as_user: Login) -> None:
    client = as_user(alice)
    client.post(INVITE, {"email": "greta@example.com", "role": "editor"}, format="json")
    invitation = TeamInvitation.objects.get()
    tokens = [invitation_token(invitation)]
    answers = [client.post(f"{INVITATIONS}{invitation.pk}/resend/"), client.get(INVITATIONS), client.get(TEAM)]
    answers.append(client.get("/api/v1/account/activity/"))
    tokens.append(invitation_token(TeamInvitation.objects.get()))

    for token in tokens:
        assert len(token) >= 43
        assert all(token not in answer.content.decode() for answer in answers)
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                cursor.execute(f'SELECT count(*) FROM "{table}" r WHERE position(%s in r::text) > 0', [token])
                assert cursor.fetchone() == (0,), table


@pytest.mark.parametrize("sites", [["foreign"], ["own", "foreign"], [987654321]])
def test_a_site_of_another_account_is_the_same_400_as_none(
    alice: User, charlie: User, as_user: Login, sites: list[Any]
) -> None:
    ids = {"own": make.site(alice.account).pk, "foreign": make.site(charlie.account).pk}
    body = {"email": "greta@example.com", "role": "editor", "sites": [ids.get(site, site) for site in sites]}
    client = as_user(alice)
    before = fingerprint()

    answer = client.post(INVITE, body, format="json")

    assert answer.status_code == 400
    assert refusal(answer)["errors"] == {"sites": ["No such site. GET /api/v1/sites/ lists them."]}
    assert fingerprint() == before


def test_a_member_is_not_invited_again(alice: User, bob: User, as_user: Login) -> None:
    answer = as_user(alice).post(INVITE, {"email": "BOB@example.com", "role": "viewer"}, format="json")

    assert (answer.status_code, refusal(answer)["code"]) == (409, "already_member")
    assert not TeamInvitation.objects.exists()


def test_one_invitation_of_an_address_is_open_at_a_time(alice: User, as_user: Login) -> None:
    invite(alice)

    answer = as_user(alice).post(INVITE, {"email": "greta@example.com", "role": "viewer"}, format="json")

    assert (answer.status_code, refusal(answer)["code"]) == (409, "invitation_open")
    assert TeamInvitation.objects.get().role == "editor"


def test_one_that_ran_out_gives_way_to_a_new_one(alice: User) -> None:
    earlier = invite(alice)
    TeamInvitation.objects.update(expires_at=timezone.now())

    invite(alice)

    assert [(row.pk == earlier.pk, row.status) for row in TeamInvitation.objects.order_by("pk")] == [
        (True, "canceled"), (False, "open"),
    ]  # fmt: skip


def test_an_address_of_another_account_gets_the_same_answer_as_any(alice: User, charlie: User, as_user: Login) -> None:
    client, answers = as_user(alice), []
    for email in ("charlie@example.com", "nobody1@example.com"):
        answer = client.post(INVITE, {"email": email, "role": "viewer"}, format="json").json()
        varying = ("id", "email", "created_at", "expires_at")
        answers.append({**answer, "data": {k: v for k, v in answer["data"].items() if k not in varying}})

    assert answers[0] == answers[1]


@pytest.mark.parametrize("allowed", [1, 2, 4])
def test_members_and_open_invitations_stay_within_the_plan(alice: User, as_user: Login, allowed: int) -> None:
    Account.objects.filter(pk=alice.account_id).update(plan=make.plan("small", max_users=allowed))
    client = as_user(alice)

    codes = [
        client.post(INVITE, {"email": f"guest{number}@example.com", "role": "viewer"}, format="json").status_code
        for number in range(allowed)
    ]

    assert codes == [201] * (allowed - 1) + [409]
    answer = client.post(INVITE, {"email": "one.more@example.com", "role": "viewer"}, format="json")
    assert refusal(answer)["code"] == "limit_reached"
    assert f"allows {allowed} user" in answer.json()["message"]
    limits = client.get("/api/v1/account/limits/").json()["data"]["users"]
    assert limits == {"used": allowed, "max": allowed, "percent": 100}


def test_a_canceled_invitation_and_one_that_ran_out_free_their_seat(alice: User) -> None:
    Account.objects.filter(pk=alice.account_id).update(plan=make.plan("small", max_users=2))
    cancel_invitation(alice.account, invite(alice, "a@example.com").pk, alice)
    invite(alice, "b@example.com")
    TeamInvitation.objects.update(expires_at=timezone.now())

    assert invite(alice, "c@example.com").status == "open"


@pytest.mark.parametrize(
    ("status", "reason", "code"),
    [
        ("pending_payment", "", 402), ("suspended", "non_payment", 402), ("suspended", "operator", 403),
        ("canceled", "", 403),
    ],
)  # fmt: skip
def test_an_account_that_may_not_use_the_product_invites_nobody_and_takes_nobody_in(
    alice: User, as_user: Login, status: str, reason: str, code: int
) -> None:
    open_one = invite(alice, "early@example.com")
    Account.objects.filter(pk=alice.account_id).update(status=status, suspended_reason=reason)
    client, before = as_user(alice), fingerprint()

    codes = [
        client.post(INVITE, {"email": "greta@example.com", "role": "viewer"}, format="json").status_code,
        client.post(f"{INVITATIONS}{open_one.pk}/resend/").status_code,
        accept(open_one).status_code,
    ]

    assert codes == [code] * 3
    assert fingerprint() == before


def test_inviting_is_limited_per_person(alice: User, as_user: Login, settings: Any, throttling: None) -> None:
    limit = parse_rate(settings.RATE_LIMITS["invite"][0]).limit
    client = as_user(alice)

    codes = [client.post(INVITE, {}, format="json").status_code for _ in range(limit + 1)]

    assert codes == [400] * limit + [429]


# --- The list, again, withdrawn -----------------------------------------------------------------------------------


def test_the_list_tells_what_became_of_each(alice: User, as_user: Login) -> None:
    accept(invite(alice, "accepted@example.com"))
    cancel_invitation(alice.account, invite(alice, "canceled@example.com").pk, alice)
    TeamInvitation.objects.filter(pk=invite(alice, "expired@example.com").pk).update(expires_at=timezone.now())
    invite(alice, "open@example.com")
    client = as_user(alice)

    for status in ("open", "expired", "canceled", "accepted"):
        rows = client.get(INVITATIONS, {"status": status}).json()["data"]
        assert [(row["email"], row["status"]) for row in rows] == [(f"{status}@example.com", status)]
    assert client.get(INVITATIONS).json()["count"] == 4
    assert client.get(INVITATIONS, {"status": "pending"}).status_code == 400


def test_sending_again_gives_a_new_week_and_kills_the_old_link(alice: User) -> None:
    invitation = invite(alice)
    old = invitation_token(invitation)

    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False):
        again = resend_invitation(alice.account, invitation.pk, alice)
        assert again.expires_at == timezone.now() + timedelta(days=7)
        assert accept(old).status_code == 404
        assert accept(again).status_code == 200


@pytest.mark.parametrize("end", ["accepted_at", "canceled_at"])
@pytest.mark.parametrize("action", ["resend", "cancel"])
def test_what_is_over_is_neither_sent_again_nor_canceled(alice: User, as_user: Login, end: str, action: str) -> None:
    invitation = invite(alice)
    TeamInvitation.objects.filter(pk=invitation.pk).update(**{end: timezone.now()})
    client, before = as_user(alice), fingerprint()

    address = f"{INVITATIONS}{invitation.pk}/"
    answer = client.post(f"{address}resend/") if action == "resend" else client.delete(address)

    assert (answer.status_code, refusal(answer)["code"]) == (409, "invitation_not_open")
    assert fingerprint() == before


def test_an_admin_neither_resends_nor_cancels_the_invitation_of_an_owner(alice: User, as_user: Login) -> None:
    invitation = invite(alice, role=Role.OWNER)
    client = as_user(make.user(account=alice.account, role=Role.ADMIN))
    before = fingerprint()

    answers = [client.post(f"{INVITATIONS}{invitation.pk}/resend/"), client.delete(f"{INVITATIONS}{invitation.pk}/")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert fingerprint() == before


def test_no_path_changes_the_role_of_an_invitation(alice: User, as_user: Login) -> None:
    invitation = invite(alice, role=Role.VIEWER)
    client = as_user(alice)

    for method in ("put", "patch", "post"):
        for address in (f"{INVITATIONS}{invitation.pk}/", f"{INVITATIONS}{invitation.pk}/resend/"):
            getattr(client, method)(address, {"role": "owner"}, format="json")
    accept(invitation_token(TeamInvitation.objects.get()), **PERSON, role="owner")

    assert TeamInvitation.objects.get().role == "viewer"


def test_one_that_nobody_answered_is_deleted_when_it_is_old_and_the_log_stays(alice: User) -> None:
    site = make.site(alice.account)
    old, answered = (invite(alice, email=f"{name}@example.com") for name in ("old", "answered"))
    old.sites.add(site)
    TeamInvitation.objects.filter(pk=answered.pk).update(accepted_at=timezone.now())
    TeamInvitation.objects.update(expires_at=timezone.now() - timedelta(days=90, minutes=1))
    recent = invite(alice, email="recent@example.com")
    TeamInvitation.objects.filter(pk=recent.pk).update(expires_at=timezone.now() - timedelta(days=89))

    assert (forget_expired_invitations(), forget_expired_invitations()) == (1, 0)

    assert set(TeamInvitation.objects.values_list("pk", flat=True)) == {answered.pk, recent.pk}
    assert Event.objects.filter(type="invitation.created", object_id=str(old.pk)).exists()
