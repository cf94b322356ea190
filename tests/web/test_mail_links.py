"""Every link of every mail leads to a page that does what the mail says, and no mail prints a token."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import transaction

from igny8_core.auth.errors import InvalidToken
from igny8_core.auth.models import Role, User
from igny8_core.auth.services import mails as notification_service
from igny8_core.auth.services.accounts import update_account_settings
from igny8_core.auth.services.invitations import invite
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.memberships import remove_member, transfer_ownership
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.auth.services.operators import invite_operator
from igny8_core.auth.services.second_factor import renew_recovery_codes, reset_second_factor, switch_off
from igny8_core.auth.services.sessions import open_session, rotate_session
from igny8_core.auth.services.users import (
    change_password,
    request_email_verification,
    request_password_reset,
    reset_password,
)
from igny8_core.common import clock, limit_hits
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make
from tests.auth.devices import give_second_factor
from tests.web import mails

NEW_PASSWORD = "a lonely engine hums"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def own_address(settings: Any) -> None:
    settings.BASE_URL = mails.BASE_URL


def signed_up(alice: User) -> None:
    request_email_verification(alice)


def forgot(alice: User) -> None:
    request_password_reset(alice.email)


def invites(alice: User) -> None:
    invite(alice.account, alice, email="new@example.com", role=Role.EDITOR, site_ids=[])  # type: ignore[arg-type]


def invites_somebody_with_a_login(alice: User) -> None:
    make.user(email="new@example.com", email_verified_at=clock.now())
    invites(alice)


def invites_an_operator(alice: User) -> None:
    invite_operator("new@example.com", Group.objects.create(name="Support"), make.operator())


def removes(alice: User) -> None:
    member = make.user(account=alice.account)
    remove_member(alice.account, member.pk, alice)  # type: ignore[arg-type]


def hands_over(alice: User) -> None:
    heir = make.user(account=alice.account)
    transfer_ownership(alice.account, alice, heir.pk, make.PASSWORD)  # type: ignore[arg-type]


def changes_password(alice: User) -> None:
    change_password(alice, make.PASSWORD, NEW_PASSWORD)


def resets_password(alice: User) -> None:
    reset_password(link_token(alice, Purpose.RESET, clock.now()), NEW_PASSWORD)


def edited(alice: User) -> None:
    with transaction.atomic():
        events.record(events.about("user.updated", alice, make.operator(), {"changed": ["is_active"]}))


def token_stolen(alice: User) -> None:
    first = open_session(alice)
    rotate_session(first.refresh)
    with pytest.raises(InvalidToken):
        rotate_session(first.refresh)


def gives_a_billing_address(alice: User) -> None:
    update_account_settings(alice.account, alice, billing_email="books@example.com")  # type: ignore[arg-type]


def attacked(alice: User) -> None:
    with transaction.atomic():
        events.record(events.about("user.login_attacked", alice))


def signups_stop(alice: User) -> None:
    with transaction.atomic():
        events.record(events.NewEvent("signups.stopped", limit_hits.of_this_hour("signups"), None))


def second_factor_comes_and_goes(alice: User) -> None:
    phone = give_second_factor(alice)
    require_code(alice, phone.recovery_codes[0])
    renew_recovery_codes(alice)
    switch_off(alice)
    give_second_factor(alice)
    reset_second_factor(alice, make.operator())


# What happens; the type of its event; what the page of each link says, in the order of the links.
OF_AUTH = [
    (signed_up, "user.verification_requested", ["Yes, confirm it"]),
    (forgot, "user.password_reset_requested", ["Set the new password"]),
    (invites, "invitation.created", ["Join the team"]),
    (invites_somebody_with_a_login, "invitation.created", ["There is a login with this address already."]),
    (invites_an_operator, "operator_invitation.created", ["Choose a password"]),
    (removes, "member.removed", ["Sign in"]),
    (hands_over, "account.ownership_transferred", ["Sign in"]),
    (changes_password, "user.password_changed", ["Forgotten your password?"]),
    (resets_password, "user.password_reset", ["Forgotten your password?"]),
    (edited, "user.updated", ["Forgotten your password?"]),
    (gives_a_billing_address, "account.billing_email_given", ["Yes, confirm it"]),
    (attacked, "user.login_attacked", ["Forgotten your password?"]),
    (signups_stop, "signups.stopped", ["Log in"]),
    (token_stolen, "session.token_reused", ["Forgotten your password?"]),
    (second_factor_comes_and_goes, "second_factor.enabled", ["Forgotten your password?"]),
    (second_factor_comes_and_goes, "second_factor.disabled", ["Forgotten your password?"]),
    (second_factor_comes_and_goes, "second_factor.reset", ["Forgotten your password?"]),
    (second_factor_comes_and_goes, "recovery_codes.renewed", ["Forgotten your password?"]),
    (second_factor_comes_and_goes, "recovery_code.used", ["Forgotten your password?"]),
]


@pytest.mark.parametrize(("happens", "event_type", "pages"), OF_AUTH, ids=lambda value: getattr(value, "__name__", ""))
def test_each_link_of_a_mail_about_people_leads_to_its_page(
    alice: User, happens: Callable[[User], None], event_type: str, pages: list[str]
) -> None:
    happens(alice)
    mail.outbox.clear()

    notification_service.handle(Event.objects.filter(type=event_type).latest("pk"))

    [message] = mails.sent()
    links = mails.links_of(message)
    # At the foot of each mail: who we are.
    assert [link for link in links if link == mails.BASE_URL]
    own = [link for link in links if link != mails.BASE_URL]
    assert len(own) == len(pages)
    for link, said in zip(own, pages, strict=True):
        assert said in mails.opened(link)
    assert "Plans" in mails.opened(mails.BASE_URL)
    assert mails.bare_tokens_of(message) == []


def test_every_type_of_mail_about_people_is_looked_at() -> None:
    same_mail = {"account.created": "user.verification_requested"}
    same_mail |= {f"{of}invitation.resent": f"{of}invitation.created" for of in ("", "operator_")}

    seen = {event_type for _, event_type, _ in OF_AUTH}

    assert {same_mail.get(kind, kind) for kind in notification_service.HANDLERS} == seen
