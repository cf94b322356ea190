"""Operators are invited by mail: once, for a while, with no more powers than the inviter's, apart from customers."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from igny8_core.auth.errors import RoleAboveOwnPowers
from igny8_core.auth.models import OperatorInvitation, User
from igny8_core.auth.services.invitations import forget_expired_invitations
from igny8_core.auth.services.operators import (
    cancel_operator_invitation,
    invite_operator,
    operator_invitation_token,
    resend_operator_invitation,
)
from igny8_core.common import clock
from igny8_core.events.deliveries import deliver_due
from tests import make

pytestmark = pytest.mark.usefixtures("defaults")
LIST = "/admin/igny8_auth/operatorinvitation/"
PERSON = {
    "first_name": "Ina",
    "last_name": "Vited",
    "password": "quiet rivers bend slowly",
    "password_confirm": "quiet rivers bend slowly",
}


def group(name: str) -> Group:
    return Group.objects.get(name=name)


def link_of(invitation: OperatorInvitation) -> str:
    return f"/admin/operator-invitation/{operator_invitation_token(invitation)}/"


def invite(browser: Client, email: str, role: str = "Payments") -> str:
    sent = {"_form_submitted": "True", "email": email, "group": group(role).pk}
    answer = browser.post(f"{LIST}invite/", sent, follow=True)
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.django_db(transaction=True)
def test_from_the_invitation_to_the_first_login(console: Client, mailoutbox: list[Any], settings: Any) -> None:
    settings.OPERATORS_NEED_SECOND_FACTOR = False
    told = invite(console, "Ina@Example.com")
    deliver_due()
    link = re.findall(r"https?://[^/]+(/admin/operator-invitation/\S+)", mailoutbox[-1].body)[0]
    newcomer = Client()

    shown = newcomer.get(link).content.decode()
    accepted = newcomer.post(link, PERSON)
    settings.OPERATORS_NEED_SECOND_FACTOR = True
    newcomer.post("/admin/login/", {"username": "ina@example.com", "password": PERSON["password"]})

    person = User.objects.get(email="ina@example.com")
    assert "on its way to ina@example.com" in told
    assert mailoutbox[-1].to == ["ina@example.com"]
    assert "Payments" in shown
    assert accepted["Location"] == "/admin/login/"
    assert (person.is_staff, person.is_superuser, person.account) == (True, False, None)
    assert [each.name for each in person.groups.all()] == ["Payments"]
    assert newcomer.get("/admin/")["Location"].startswith("/admin/second-factor/")
    assert Client().post(link, PERSON).status_code == 410


@pytest.mark.parametrize("case", ["canceled", "resent", "expired", "other"])
def test_a_link_that_is_over_makes_no_operator(
    client: Client, olga: User, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation = invite_operator("ina@example.com", group("Support"), olga)
    link, later = link_of(invitation), clock.now() + timedelta(days=4 if case == "expired" else 0, minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    if case == "canceled":
        cancel_operator_invitation(invitation.pk, olga)
    if case == "resent":
        resend_operator_invitation(invitation.pk, olga)
    if case == "other":
        link = link.replace(".", "0.", 1)

    answer = client.post(link, PERSON)

    assert answer.status_code == (404 if case == "other" else 410)
    assert not User.objects.filter(email="ina@example.com").exists()


def test_the_address_of_a_customer_is_refused_when_inviting_and_when_accepting(
    console: Client, olga: User, alice: User
) -> None:
    assert "is the login of a customer" in invite(console, alice.email)
    invitation = invite_operator("ina@example.com", group("Support"), olga)
    make.owner(email="ina@example.com")

    answer = Client().post(link_of(invitation), PERSON)

    assert answer.status_code == 409
    assert "is the login of a customer" in answer.content.decode()
    assert not User.objects.get(email="ina@example.com").is_staff
    assert "login of an operator already" in invite(console, olga.email)
    assert "already an open invitation" in invite(console, "ina2@example.com") + invite(console, "ina2@example.com")


def test_nobody_gives_more_than_they_may_themselves(client: Client, olga: User) -> None:
    owner = make.user(is_staff=True)
    owner.groups.add(group("Owner"))
    support = make.user(is_staff=True)
    support.groups.add(group("Support"))

    assert invite_operator("a@example.com", group("Owner"), owner).pk
    with pytest.raises(RoleAboveOwnPowers):
        invite_operator("b@example.com", group("Payments"), support)
    client.force_login(support)
    assert client.get(f"{LIST}invite/").status_code == 403


def test_who_may_not_invite_any_more_leaves_no_open_door(client: Client) -> None:
    owner = make.user(is_staff=True)
    owner.groups.add(group("Owner"))
    link = link_of(invite_operator("a@example.com", group("Support"), owner))
    owner.groups.clear()

    assert client.post(link, PERSON).status_code == 410


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "short", "password_confirm": "short"}, "too short"),
        ({"password_confirm": "another one altogether"}, "two passwords differ"),
        ({"first_name": "www.example.com/x"}, "cannot be a link"),
    ],
)
def test_wrong_input_is_said_and_the_link_stays_good(
    client: Client, olga: User, wrong: dict[str, str], said: str
) -> None:
    link = link_of(invite_operator("ina@example.com", group("Support"), olga))

    answer = client.post(link, PERSON | wrong)

    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert client.post(link, PERSON).status_code == 303


def test_it_is_sent_again_and_taken_back_in_the_console(console: Client, olga: User) -> None:
    invitation = invite_operator("ina@example.com", group("Support"), olga)
    page = f"{LIST}{invitation.pk}/"

    again = console.post(f"{page}resend/", {"_form_submitted": "True"}, follow=True)
    back = console.post(f"{page}cancel/", {"_form_submitted": "True"}, follow=True)
    once_more = console.post(f"{page}cancel/", {"_form_submitted": "True"}, follow=True)

    assert "new link is on its way" in again.content.decode()
    assert "was taken back" in back.content.decode()
    assert "already accepted or canceled" in once_more.content.decode()


def test_one_that_nobody_answered_is_deleted_when_it_is_old(olga: User) -> None:
    """It holds the address of somebody who may never have heard of us."""
    old, recent = (invite_operator(f"{name}@example.com", group("Payments"), olga) for name in ("old", "recent"))
    for invitation, days in ((old, 91), (recent, 89)):
        OperatorInvitation.objects.filter(pk=invitation.pk).update(expires_at=clock.now() - timedelta(days=days))

    assert forget_expired_invitations() == 1

    assert OperatorInvitation.objects.get() == recent
