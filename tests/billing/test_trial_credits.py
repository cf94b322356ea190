"""Trials are given once to a mailbox, when it is confirmed, and not without end."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from rest_framework.test import APIClient

from igny8_core.auth.models import TrialTaken, User
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.trials import trial_mark
from igny8_core.auth.services.users import reset_password, verify_email
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.services.credits.granting import expire_due_credits
from igny8_core.business.billing.services.credits.trial import handle
from igny8_core.business.signup.service import Signup, begin_account, register
from igny8_core.common import clock
from igny8_core.common.signed_texts import keys
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("defaults")]
REGISTER = "/api/v1/auth/register/"


def sign_up(email: str = "greta@example.com") -> Signup:
    return register(email=email, password=make.PASSWORD, first_name="Greta", last_name="Guest")


def credits_of(signup: Signup) -> int:
    signup.account.refresh_from_db()
    return int(signup.account.credits)


def confirm(user: User) -> None:
    verify_email(link_token(user, Purpose.VERIFICATION, clock.now()))
    deliver_due()


@pytest.fixture
def late(settings: Any) -> None:
    settings.TRIAL_CREDITS = "when_verified"


def test_as_bin_run_sets_it_a_trial_begins_with_its_credits() -> None:
    assert credits_of(sign_up()) == 1000


def test_as_production_sets_it_they_come_when_the_address_is_confirmed(late: None) -> None:
    signup = sign_up()
    assert credits_of(signup) == 0

    confirm(signup.user)

    assert credits_of(signup) == 1000
    for event in Event.objects.filter(type="user.email_verified"):
        handle(event)
    assert credits_of(signup) == 1000


def test_a_new_password_by_mail_confirms_the_address_as_well(late: None) -> None:
    signup = sign_up()

    reset_password(link_token(signup.user, Purpose.RESET, clock.now()), "a new and long one")
    deliver_due()

    assert credits_of(signup) == 1000


def test_an_account_that_ordered_a_plan_gets_no_trial(late: None) -> None:
    paid = register(
        email="paula@example.com", password=make.PASSWORD, first_name="P", last_name="K", plan_slug="starter",
        payment_method="bank_transfer", billing={"billing_country": "PK"},
    )  # fmt: skip

    confirm(paid.user)

    assert credits_of(paid) == 0


@pytest.mark.parametrize("when", ["at_signup", "when_verified"])
def test_register_spend_delete_and_again_gives_one_trial(settings: Any, when: str) -> None:
    settings.TRIAL_CREDITS = when
    given = []
    for _ in range(3):
        signup = sign_up()
        confirm(signup.user)
        given.append(credits_of(signup))
        delete_account(signup.account, signup.user, make.PASSWORD)

    assert given == [1000, 0, 0]


@pytest.mark.parametrize(
    "others",
    [
        ["greta+1@example.com", "greta+two@example.com", "GRETA@example.com"],
        ["gr.e.ta@gmail.com", "greta+x@googlemail.com", "gret.a@gmail.com"],
    ],
)
def test_variants_of_one_mailbox_get_one_trial(others: list[str]) -> None:
    first = sign_up(f"greta@{others[0].rpartition('@')[2]}")
    if others[-1].lower() == first.user.email:
        others.pop()

    assert [credits_of(first), *(credits_of(sign_up(email)) for email in others)] == [1000] + [0] * len(others)


def test_what_is_remembered_is_no_address_and_outlives_a_change_of_the_key(settings: Any) -> None:
    sign_up()
    mark = TrialTaken.objects.get().mark
    assert mark == trial_mark("greta@example.com", keys()[0])
    assert "greta" not in mark
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10

    assert credits_of(sign_up("greta+again@example.com")) == 0


def test_a_former_member_gets_the_trial_of_their_mailbox_once(alice: User) -> None:
    bob = make.user(email="bob@example.com")

    assert credits_of(begin_account(bob)) == 1000


def test_trial_credits_expire_as_the_setting_says(settings: Any) -> None:
    settings.TRIAL_CREDITS_DAYS = 30
    signup = sign_up()

    with time_machine.travel(clock.now() + timedelta(days=29), tick=False):
        expire_due_credits()
        assert credits_of(signup) == 1000
    with time_machine.travel(clock.now() + timedelta(days=31), tick=False):
        expire_due_credits()
        assert credits_of(signup) == 0


def post(number: int, address: str) -> int:
    body = {
        "email": f"user{number}@example.com", "password": make.PASSWORD, "password_confirm": make.PASSWORD,
        "first_name": "Greta", "last_name": "Guest",
    }  # fmt: skip
    return int(APIClient().post(REGISTER, body, format="json", REMOTE_ADDR=address).status_code)


def test_a_rented_ipv6_network_has_one_limit(settings: Any, throttling: None) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "register": ["2/hour"]}

    codes = [post(number, f"2001:db8:1:{number:x}00::1") for number in range(12)]

    assert codes == [201] * 8 + [429] * 4


def test_over_the_ceiling_nobody_signs_up_and_operators_are_told_once(
    settings: Any, throttling: None, olga: User
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "signups": ["3/hour"]}

    codes = [post(number, f"10.{number}.0.1") for number in range(6)]

    assert codes == [201] * 3 + [429] * 3
    deliver_due()
    (told,) = [sent for sent in mail.outbox if "So many signups" in sent.subject]
    assert told.to == [olga.email]
    assert "/admin/common/limithit/" in told.body


def test_what_is_refused_uses_up_nothing_of_the_ceiling(settings: Any, throttling: None) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "signups": ["2/hour"]}
    assert post(1, "10.1.0.1") == 201

    assert [post(1, f"10.2.{number}.1") for number in range(4)] == [400] * 4
    assert post(2, "10.3.0.1") == 201
