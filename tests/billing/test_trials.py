"""Trials that end: warnings, read only, closed; what an operator can move, and what an order keeps."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.errors import NotOnTrial, OwnAccount, PaymentRequired
from igny8_core.auth.models import Account, User
from igny8_core.auth.permissions import require_usable
from igny8_core.business.billing.services.credits.spending import use_credits
from igny8_core.business.billing.services.dunning.trials import extend_trial, take_trial_steps
from igny8_core.business.signup.service import register
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.billing.dunning import day, deliver_mails, settled_mails, told

pytestmark = pytest.mark.django_db
FREE = {"first_name": "T", "last_name": "T", "password": make.PASSWORD}


@pytest.fixture
def trial(settings: object) -> Account:
    """A trial that began on a Monday and ends 28 days later."""
    settings.TRIAL_DAYS = 28  # type: ignore[attr-defined]
    make.plan("free", price=0)
    make.credit_cost()
    with day(0):
        account = register(email="t@example.com", **FREE).account
    settled_mails()
    return account


def pass_days(*numbers: int) -> None:
    for number in numbers:
        with day(number):
            take_trial_steps()
            deliver_mails()


def is_usable(account: Account, on_day: int) -> bool:
    """Whether the account may spend; asked of the lock of the hot path, not of what the test has read."""
    with day(on_day):
        try:
            use_credits(account, "article", 1, user=account.owner)  # type: ignore[arg-type]
        except PaymentRequired:
            return False
    return True


def test_without_the_setting_a_trial_has_no_end(settings: object) -> None:
    make.plan("free", price=0)
    with day(0):
        account = register(email="t@example.com", **FREE).account
    settled_mails()
    pass_days(400)

    assert (account.trial_ends_at, told()) == (None, [])
    with day(400):
        require_usable(Account.objects.get())


def test_a_trial_is_warned_read_only_and_closed(trial: Account) -> None:
    pass_days(*range(28))
    assert told() == ["Your trial ends on 1 March 2027"] * 2
    assert is_usable(trial, 27)

    assert not is_usable(trial, 28)
    pass_days(28, 29, 35)
    trial.refresh_from_db()
    assert trial.status == "trial"
    pass_days(42, 43)

    trial.refresh_from_db()
    assert trial.status == "canceled"
    assert told()[2:] == ["Your trial is over", "Your account is closed"]
    assert "read until 15 March 2027" in " ".join(str(mail.outbox[2].body).split())
    assert {tuple(sent.to) for sent in mail.outbox} == {("t@example.com",)}


def test_a_stopped_schedule_tells_first_and_closes_a_week_later(trial: Account) -> None:
    pass_days(100, 101, 106)
    trial.refresh_from_db()
    assert (trial.status, told()) == ("trial", ["Your trial is over"])
    pass_days(107)
    trial.refresh_from_db()
    assert trial.status == "canceled"


def test_the_customer_reads_when_the_trial_ends(trial: Account, as_user: Callable[[User], APIClient]) -> None:
    client, ends = as_user(trial.owner), trial.trial_ends_at  # type: ignore[arg-type]
    assert ends

    def told_to_them() -> str:
        return str(client.get("/api/v1/auth/me/").json()["data"]["account"]["trial_ends_at"])

    assert told_to_them() == f"{ends:%Y-%m-%dT%H:%M:%SZ}"
    Account.objects.filter(pk=trial.pk).update(trial_ends_at=None)
    assert told_to_them() == "None"


def test_an_order_that_is_open_keeps_the_account(trial: Account) -> None:
    pass_days(28)
    with day(30):
        make.subscription(trial)
    pass_days(42, 43)

    trial.refresh_from_db()
    assert trial.status == "trial"


def test_an_operator_moves_the_end_and_the_account_works_again(trial: Account, olga: User) -> None:
    pass_days(21, 28)
    with day(30):
        extend_trial(trial, date(2027, 3, 20), "Was ill", olga)
    assert is_usable(trial, 30)

    before = len(mail.outbox)
    pass_days(30, 39, 40, 45, 46, 48)
    assert told(before) == ["Your trial ends on 20 March 2027"] * 2
    assert not is_usable(trial, 48)
    [event] = Event.objects.filter(type="account.trial_extended")
    assert (event.actor, event.data["until"], event.data["reason"]) == (olga, "2027-03-20", "Was ill")


def test_an_endless_trial_can_get_an_end(olga: User) -> None:
    account = make.owner({"status": "trial"}).account
    assert account
    extend_trial(account, timezone.now().date() + timedelta(days=3), "Agreed", olga)

    account.refresh_from_db()
    assert account.trial_ends_at


@pytest.mark.parametrize("days", [-2, 400])
def test_the_end_of_a_trial_is_a_day_of_the_next_year(trial: Account, olga: User, days: int) -> None:
    with day(0), pytest.raises(InvalidInput) as refused:
        extend_trial(trial, date(2027, 2, 1) + timedelta(days=days), "Too far", olga)

    assert "until" in (refused.value.errors or {})
    assert not Event.objects.filter(type="account.trial_extended").exists()


def test_only_trials_end_and_nobody_moves_the_end_of_their_own(trial: Account) -> None:
    member = make.operator(account=trial)
    with day(0), pytest.raises(OwnAccount):
        extend_trial(trial, date(2027, 3, 20), "Mine", member)
    active = make.account()
    with day(0), pytest.raises(NotOnTrial):
        extend_trial(active, date(2027, 3, 20), "No trial", make.operator())
