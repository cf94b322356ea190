"""A mailed token proves an address, and a login that does not prove it gives way (ROL-08)."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import AccountStatus, LoginSession, Role, User
from igny8_core.auth.services.invitations import invitation_token
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.invariants import broken_invariants
from tests import make
from tests.api.world import fingerprint, refusal
from tests.auth.team import PERSON, accept, invite

pytestmark = pytest.mark.django_db

Login = Callable[[User], APIClient]
GRETA = "greta@example.com"


def squatter(status: str = AccountStatus.TRIAL, **fields: object) -> User:
    return make.owner({"status": status}, email=GRETA, **fields)


@pytest.mark.parametrize("status", [AccountStatus.TRIAL, AccountStatus.PENDING_PAYMENT])
def test_the_real_person_joins_whatever_was_registered_with_their_address(
    alice: User, as_user: Login, status: str
) -> None:
    before = squatter(status)
    client = as_user(before)
    open_session(before)

    answer = accept(invite(alice, GRETA))

    assert answer.status_code == 200
    greta = User.objects.get(email=GRETA)
    assert (greta.account_id, greta.role, greta.email_verified_at is None) == (alice.account_id, Role.EDITOR, False)
    assert greta.pk != before.pk
    assert client.get("/api/v1/auth/me/").status_code == 401
    assert not LoginSession.objects.filter(user=before, ended_at=None).exists()
    before.refresh_from_db()
    assert (before.email, before.has_usable_password()) == (f"deleted-{before.pk}@deleted.invalid", False)
    login = {"email": GRETA, "password": PERSON["password"]}
    assert APIClient().post("/api/v1/auth/login/", login, format="json").json()["data"]["user"]["id"] == greta.pk
    assert broken_invariants() == []


def test_the_page_of_the_invitation_asks_for_a_new_login(alice: User, client: Client) -> None:
    squatter()
    address = f"/invitations/{invitation_token(invite(alice, GRETA))}"

    assert 'name="password_confirm"' in client.get(address).content.decode()
    assert client.post(address, PERSON).status_code == 303
    assert User.objects.get(email=GRETA).account_id == alice.account_id


def test_with_a_wrong_password_nothing_is_taken_from_anybody(alice: User) -> None:
    squatter()
    invitation = invite(alice, GRETA)
    before = fingerprint()

    answer = accept(invitation, **{**PERSON, "password": "short", "password_confirm": "short"})

    assert answer.status_code == 400
    assert fingerprint() == before


@pytest.mark.parametrize(
    "known",
    [
        lambda: squatter(email_verified_at=timezone.now()),
        lambda: squatter(AccountStatus.ACTIVE),
        lambda: squatter(AccountStatus.PAST_DUE),
        lambda: make.user(email=GRETA, account=make.account(), role=Role.VIEWER),
        lambda: make.operator(email=GRETA),
    ],
    ids=["confirmed", "paid", "owes", "member", "operator"],
)
def test_a_login_that_proves_something_stays(alice: User, known: Callable[[], User]) -> None:
    known()
    invitation = invite(alice, GRETA)
    before = fingerprint()

    answer = accept(invitation)

    assert (answer.status_code, refusal(answer)["code"]) in {(409, "login_exists"), (409, "member_elsewhere")}
    assert fingerprint() == before
