"""Accepting an invitation on its page: as a new person, and with a login."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from igny8_core.auth.models import Account, Role, TeamInvitation, User
from igny8_core.auth.services import invitations
from igny8_core.auth.services.invitations import cancel_invitation, invitation_token, resend_invitation
from igny8_core.auth.services.memberships import remove_member
from igny8_core.common import clock
from tests import make
from tests.web.people import NEW_PASSWORD, browser_of, is_signed_in, says, sign_in

pytestmark = pytest.mark.django_db

NEWCOMER = {
    "first_name": "Nadia",
    "last_name": "Noor",
    "password": NEW_PASSWORD,
    "password_confirm": NEW_PASSWORD,
}


def invite(owner: User, email: str = "nadia@example.com", role: str = Role.EDITOR) -> TeamInvitation:
    return invitations.invite(owner.account, owner, email=email, role=role, site_ids=[])  # type: ignore[arg-type]


def link_of(invitation: TeamInvitation) -> str:
    return f"/invitations/{invitation_token(invitation)}"


def test_a_new_person_joins_and_is_signed_in(client: Client, alice: User) -> None:
    link = link_of(invite(alice))
    shown = client.get(link)
    assert says(shown, str(alice.account))
    assert says(shown, "Editor")

    answer = client.post(link, NEWCOMER)

    assert (answer.status_code, answer["Location"]) == (303, "/home")
    assert says(client.get("/home"), "Welcome! You are in the team now.")
    person = User.objects.get(email="nadia@example.com")
    assert (person.account, person.role, person.first_name) == (alice.account, Role.EDITOR, "Nadia")
    assert person.email_verified_at is not None


def test_opening_the_page_uses_nothing_up(client: Client, alice: User) -> None:
    link = link_of(invite(alice))

    assert [client.get(link).status_code, client.head(link).status_code] == [200, 200]
    assert client.post(link, NEWCOMER).status_code == 303


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"first_name": " "}, "first_name", "Fill this in."),
        ({"last_name": "x" * 151}, "last_name", "At most 150 characters."),
        ({"first_name": "a\u202eb"}, "first_name", "is not allowed. Remove it."),
        ({"first_name": "a\0b"}, "first_name", "is not allowed. Remove it."),
        ({"password": "short", "password_confirm": "short"}, "password", "This password is too short."),
        ({"password_confirm": "something else 99"}, "password_confirm", "The two passwords differ."),
    ],
)
def test_what_is_wrong_stands_at_its_field_and_nobody_joins(
    client: Client, alice: User, changed: dict[str, str], field: str, expected: str
) -> None:
    link = link_of(invite(alice))

    answer = client.post(link, {**NEWCOMER, **changed})

    assert answer.status_code == 400
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert says(answer, expected)
    assert NEW_PASSWORD not in answer.content.decode()
    if "last_name" not in changed:
        assert 'value="Noor"' in answer.content.decode()
    assert not User.objects.filter(email="nadia@example.com").exists()
    assert client.post(link, NEWCOMER).status_code == 303


def test_a_second_click_makes_nobody_twice(client: Client, alice: User) -> None:
    link = link_of(invite(alice))
    client.post(link, NEWCOMER)

    answer = client.post(link, NEWCOMER)

    assert answer.status_code == 410
    assert says(answer, "If you have just joined, you are in.")
    assert User.objects.filter(email="nadia@example.com").count() == 1
    assert is_signed_in(client)


def test_a_person_with_a_login_signs_in_and_comes_back_to_join(client: Client, alice: User) -> None:
    loner = make.user(email="nadia@example.com", email_verified_at=clock.now())
    link = link_of(invite(alice))

    shown = client.get(link)
    assert says(shown, "There is a login with this address already.")
    assert f'href="/login?next={link}"' in shown.content.decode()
    assert client.post(link, NEWCOMER).status_code == 200, "nobody joins as somebody else"
    loner.refresh_from_db()
    assert loner.account is None

    assert sign_in(client, loner.email, next=link)["Location"] == link
    assert client.post(link)["Location"] == "/home"
    loner.refresh_from_db()
    assert (loner.account, loner.role) == (alice.account, Role.EDITOR)


def test_who_is_signed_in_as_another_is_told_and_can_sign_out(alice: User, bob: User) -> None:
    link, browser = link_of(invite(alice)), browser_of(bob)

    assert says(browser.get(link), "this invitation is for another address")
    assert bob.email in browser.get(link).content.decode()
    assert browser.post(link).status_code == 403
    answer = browser.post("/logout", {"next": link})

    assert answer["Location"] == link
    assert browser.post(link, NEWCOMER).status_code == 303


def test_a_member_of_another_account_is_told_what_to_do(alice: User) -> None:
    stranger = make.owner(email="nadia@example.com")
    link, browser = link_of(invite(alice)), browser_of(stranger)

    assert says(browser.get(link), "a login has one team")
    answer = browser.post(link)

    assert answer.status_code == 409
    stranger.refresh_from_db()
    assert stranger.account != alice.account


def cancel(invitation: TeamInvitation, alice: User) -> None:
    cancel_invitation(invitation.account, invitation.pk, alice)


def run_out(invitation: TeamInvitation, alice: User) -> None:
    TeamInvitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def remove_sender(invitation: TeamInvitation, alice: User) -> None:
    other = make.user(account=alice.account, role=Role.OWNER)
    remove_member(invitation.account, alice.pk, other)


@pytest.mark.parametrize("end", [cancel, run_out, remove_sender])
def test_an_invitation_that_is_over_says_whom_to_ask(
    client: Client, alice: User, end: Callable[[TeamInvitation, User], None]
) -> None:
    invitation = invite(alice)
    link = link_of(invitation)
    end(invitation, alice)

    for answer in (client.get(link), client.post(link, NEWCOMER)):
        assert answer.status_code == 410
        assert says(answer, "This invitation is over")
    assert not User.objects.filter(email="nadia@example.com").exists()


def test_the_link_of_an_older_mail_says_to_take_the_newest(client: Client, alice: User) -> None:
    invitation = invite(alice)
    older = link_of(invitation)
    resend_invitation(invitation.account, invitation.pk, alice)

    answer = client.get(older)

    assert answer.status_code == 404
    assert says(answer, "Open the newest mail and copy the whole link.")


def test_a_team_without_a_seat_says_so_and_nobody_joins(client: Client, alice: User) -> None:
    link = link_of(invite(alice))
    plan = make.plan("tiny", max_users=1)
    Account.objects.filter(pk=alice.account_id).update(plan=plan)

    answer = client.post(link, NEWCOMER)

    assert answer.status_code == 409
    assert says(answer, "allows 1 user,")
    assert 'value="Noor"' in answer.content.decode()
    assert not User.objects.filter(email="nadia@example.com").exists()
