"""The mails about people and accounts: who gets which, what they say, and what they can never be made to say."""

import re
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.auth.services import invitations, mails
from igny8_core.auth.services.accounts import update_account_settings
from igny8_core.auth.services.invitations import resend_invitation
from igny8_core.auth.services.memberships import remove_member, transfer_ownership
from igny8_core.auth.services.operators import invite_operator, resend_operator_invitation
from igny8_core.auth.services.users import request_email_verification, request_password_reset
from igny8_core.business.signup.service import register
from igny8_core.common import limit_hits
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from igny8_core.events.services import NewEvent, about, record
from tests import make

BASE_URL = "https://app.example.com"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("base_url")]


@pytest.fixture
def base_url() -> Iterator[None]:
    with override_settings(BASE_URL=BASE_URL):
        yield


def mails_of(event_type: str) -> list[EmailMultiAlternatives]:
    """Handle the newest event of a type as the delivery worker does; the mails that this sent."""
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=event_type).latest("pk"))
    return [sent for sent in mail.outbox if isinstance(sent, EmailMultiAlternatives)]


def the_mail(event_type: str) -> EmailMultiAlternatives:
    [sent] = mails_of(event_type)
    return sent


def parts_of(sent: EmailMultiAlternatives) -> tuple[str, str]:
    """The text and the HTML, each with runs of white space as one space."""
    return " ".join(str(sent.body).split()), " ".join(str(sent.alternatives[0][0]).split())


def token_in(sent: EmailMultiAlternatives, page: str) -> str:
    """The token of the link, which both parts carry, and which stands nowhere else."""
    text, html = parts_of(sent)
    [(link, token)] = re.findall(rf"({re.escape(BASE_URL)}/{page}/([\w.:-]+))", text)
    assert f'href="{link}"' in html
    assert (text + html).count(token) == 2
    return str(token)


def invite(owner: User, email: str = "new@example.com", role: str = "editor") -> Any:
    return invitations.invite(owner.account, owner, email=email, role=role, site_ids=[])


def post(path: str, **body: Any) -> int:
    return int(APIClient().post(f"/api/v1/{path}", body, format="json").status_code)


# --- Verification -------------------------------------------------------------------------------------------------


def test_who_signs_up_is_asked_to_confirm_the_address(defaults: None) -> None:
    register(email="paula@example.com", password=make.PASSWORD, first_name="Paula", last_name="Khan")

    sent = the_mail("account.created")

    assert sent.to == ["paula@example.com"]
    assert sent.subject == "Welcome to igny8: confirm your e-mail address"
    for part in parts_of(sent):
        assert "Your trial has begun." in part
    assert post("auth/email/verify/", token=token_in(sent, "verify-email")) == 200
    assert User.objects.get(email="paula@example.com").email_verified_at


def test_who_has_confirmed_already_is_welcomed_without_a_link_to_confirm(defaults: None) -> None:
    register(email="paula@example.com", password=make.PASSWORD, first_name="Paula", last_name="Khan")
    User.objects.update(email_verified_at=timezone.now())

    sent = the_mail("account.created")

    assert sent.subject == "Welcome to igny8"
    for part in parts_of(sent):
        assert f"{BASE_URL}/home" in part
        assert "verify-email" not in part


def test_who_orders_a_plan_is_welcomed_with_what_was_ordered(defaults: None) -> None:
    names = {"first_name": "Paula", "last_name": "Khan"}
    register(email="paula@example.com", password=make.PASSWORD, plan_slug="starter", **names)

    for part in parts_of(the_mail("account.created")):
        assert "You ordered the plan Starter. It starts once it is paid" in part
        assert "trial" not in part


def test_confirming_can_be_asked_for_again(alice: User) -> None:
    request_email_verification(alice)

    sent = the_mail("user.verification_requested")

    assert sent.to == ["alice@example.com"]
    assert post("auth/email/verify/", token=token_in(sent, "verify-email")) == 200


# --- New password -------------------------------------------------------------------------------------------------


def test_the_link_for_a_new_password_goes_to_the_login_s_own_address(alice: User) -> None:
    post("auth/password/reset/", email="ALICE@Example.com")

    sent = the_mail("user.password_reset_requested")

    assert sent.to == ["alice@example.com"]
    assert "for 60 minutes" in parts_of(sent)[0]
    token = token_in(sent, "new-password")
    assert post("auth/password/reset/confirm/", token=token, new_password="a wholly different phrase") == 200


@pytest.mark.parametrize("email", ["nobody@example.com", "inactive@example.com", "unusable@example.com"])
def test_nobody_else_gets_one(alice: User, email: str) -> None:
    make.user(email="inactive@example.com", is_active=False)
    make.user(email="unusable@example.com", password=None)

    post("auth/password/reset/", email=email)

    assert mails_of("user.password_reset_requested") == []


def test_a_link_that_has_run_out_on_its_way_is_not_sent(alice: User) -> None:
    post("auth/password/reset/", email="alice@example.com")

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert mails_of("user.password_reset_requested") == []


def test_a_second_try_sends_the_same_link_under_the_same_message_id(alice: User) -> None:
    post("auth/password/reset/", email="alice@example.com")

    first, again = (the_mail("user.password_reset_requested") for _ in range(2))

    assert first.body == again.body
    assert first.message()["Message-ID"] == again.message()["Message-ID"]


HOSTS = [
    {"HTTP_HOST": "localhost"}, {"HTTP_X_FORWARDED_HOST": "evil.example"}, {"HTTP_X_HOST": "evil.example"},
    {"HTTP_FORWARDED": "host=evil.example"}, {"HTTP_X_ORIGINAL_HOST": "evil.example"},
    {"HTTP_X_FORWARDED_SERVER": "evil.example"}, {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_REFERER": "https://evil.example/"}, {"HTTP_X_REWRITE_URL": "https://evil.example/"},
    {"HTTP_X_FORWARDED_PROTO": "evil"}, {"HTTP_X_FORWARDED_PREFIX": "//evil.example"},
]  # fmt: skip


@pytest.mark.parametrize("headers", HOSTS, ids=lambda headers: next(iter(headers)))
def test_no_header_changes_where_a_link_leads(alice: User, headers: dict[str, str]) -> None:
    answer = APIClient().post("/api/v1/auth/password/reset/", {"email": alice.email}, format="json", **headers)

    assert answer.status_code == 200
    assert "evil" not in "".join(parts_of(the_mail("user.password_reset_requested")))


# --- Invitations --------------------------------------------------------------------------------------------------


def test_an_invitation_says_who_invites_to_what_until_when(alice: User) -> None:
    Account.objects.filter(pk=alice.account_id).update(name="Acme & Sons")
    alice.first_name, alice.last_name = "Alice", "Adams"
    alice.save()
    invitation = invite(alice)

    sent = the_mail("invitation.created")

    assert sent.to == ["new@example.com"]
    text, html = parts_of(sent)
    for said in ("Acme & Sons", "Alice Adams", "editor", f"{invitation.expires_at:%-d %B %Y, %H:%M} UTC"):
        assert said in text
    assert "Acme &amp; Sons" in html
    person = {"password": make.PASSWORD, "password_confirm": make.PASSWORD, "first_name": "N", "last_name": "N"}
    assert post("account/team/invitations/accept/", token=token_in(sent, "invitations"), **person) == 200


def test_an_invitation_sent_again_has_another_link(alice: User) -> None:
    invitation = invite(alice)
    first = token_in(the_mail("invitation.created"), "invitations")

    resend_invitation(alice.account, invitation.pk, alice)

    second = token_in(the_mail("invitation.resent"), "invitations")
    assert first != second
    person = {"password": make.PASSWORD, "password_confirm": make.PASSWORD, "first_name": "N", "last_name": "N"}
    assert post("account/team/invitations/accept/", token=first, **person) == 404
    assert post("account/team/invitations/accept/", token=second, **person) == 200


@pytest.mark.parametrize("end", ["canceled_at", "accepted_at", "expires_at"])
def test_an_invitation_that_is_over_is_not_sent(alice: User, end: str) -> None:
    invitation = invite(alice)
    setattr(invitation, end, timezone.now())
    invitation.save()

    assert mails_of("invitation.created") == []


def test_under_another_key_an_invitation_is_an_error_that_says_what_to_do(alice: User) -> None:
    invite(alice)

    with override_settings(SECRET_KEY="another key"), pytest.raises(InvalidInput, match="Send it again"):
        mails_of("invitation.created")

    assert mail.outbox == []


# --- Team ---------------------------------------------------------------------------------------------------------


def test_who_is_removed_is_told_and_who_leaves_is_not(alice: User, bob: User) -> None:
    remove_member(alice.account, bob.pk, alice)

    sent = the_mail("member.removed")

    assert sent.to == ["bob@example.com"]
    assert all(str(alice.account) in part for part in parts_of(sent))
    leaver = make.user(account=alice.account)
    remove_member(alice.account, leaver.pk, leaver)
    assert mails_of("member.removed") == []


def test_both_are_told_of_a_new_owner(alice: User, bob: User) -> None:
    transfer_ownership(alice.account, alice, bob.pk, make.PASSWORD)

    sent = the_mail("account.ownership_transferred")

    assert sent.to == ["bob@example.com", "alice@example.com"]
    assert "Owner from now on: bob@example .com" in sent.body


# --- What no mail can be made to do -------------------------------------------------------------------------------

PHISHING = [
    "<a href=https://evil.example/login>Sign in</a>", "Click https://evil.example/login now", "www.evil.example",
    "evil.example/login", 'Acme"><img src=https://evil.example/x.png>',
    "Line one\nBcc: victim@evil.invalid\r\nSubject: spoofed", "evil.example\u202e",
]  # fmt: skip


@pytest.mark.parametrize("text", PHISHING)
def test_names_bring_no_link_no_markup_and_no_header(text: str, alice: User, bob: User) -> None:
    Account.objects.filter(pk=alice.account_id).update(name=text)
    User.objects.update(first_name=text, last_name=text)
    invite(alice)
    transfer_ownership(alice.account, alice, bob.pk, make.PASSWORD)
    remove_member(alice.account, alice.pk, User.objects.get(pk=bob.pk))

    for kind in ("invitation.created", "account.ownership_transferred", "member.removed"):
        for sent in mails_of(kind):
            raw = message_from_bytes(sent.message().as_bytes(), policy=policy.default)
            text_part, html = parts_of(sent)
            assert raw["Bcc"] is None
            assert raw["Subject"] == sent.subject
            assert "evil" not in sent.subject
            assert "evil.example" not in text_part + html
            assert all(link.startswith(BASE_URL) for link in re.findall(r'href="([^"]*)"', html))
            assert "<img" not in html


def test_mail_is_refused_inside_a_transaction(alice: User) -> None:
    invite(alice)

    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        mails_of("invitation.created")


def test_nothing_goes_to_people_who_were_erased(alice: User, bob: User) -> None:
    remove_member(alice.account, bob.pk, alice)
    User.objects.filter(pk=bob.pk).update(email=f"deleted-{bob.pk}@deleted.invalid")

    assert mails_of("member.removed") == []


def test_every_mail_has_text_html_and_says_it_is_automatic(alice: User, bob: User, defaults: None) -> None:
    register(email="paula@example.com", password=make.PASSWORD, first_name="Paula", last_name="Khan")
    request_email_verification(alice)
    request_password_reset("alice@example.com")
    invitation = invite(alice)
    resend_invitation(alice.account, invitation.pk, alice)
    gone = make.user(account=alice.account)
    remove_member(alice.account, gone.pk, alice)
    kinds = [kind for kind in mails.HANDLERS if kind != "account.ownership_transferred"]
    with transaction.atomic():
        for kind in ("user.password_changed", "user.password_reset", "session.token_reused"):
            record(about(kind, alice, alice))
        for kind in ("enabled", "disabled", "reset"):
            record(about(f"second_factor.{kind}", alice, alice))
        record(about("recovery_codes.renewed", alice, alice))
        record(about("recovery_code.used", alice, alice, {"left": 2}))
        record(about("user.updated", alice, make.operator(), {"changed": ["is_active"]}))
        record(about("user.login_attacked", alice))
        record(NewEvent("signups.stopped", limit_hits.of_this_hour("signups"), None))
    operators = invite_operator("i@example.com", Group.objects.get(name="Support"), make.operator())
    resend_operator_invitation(operators.pk, make.operator())
    update_account_settings(alice.account, alice, billing_email="books@example.com")
    found = {kind: the_mail(kind) for kind in kinds}
    transfer_ownership(alice.account, alice, bob.pk, make.PASSWORD)
    found["account.ownership_transferred"] = the_mail("account.ownership_transferred")

    for sent in found.values():
        text, html = str(sent.body), str(sent.alternatives[0][0])
        assert sent.message()["Auto-Submitted"] == "auto-generated"
        assert sent.alternatives[0][1] == "text/html"
        assert "{{" not in text + html
        assert "{%" not in text + html
        assert "\n\n\n" not in text
        assert "\n" not in sent.subject
        assert all(len(line) <= 80 or "http" in line or " " not in line for line in text.splitlines())
