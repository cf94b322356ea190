"""Operators are told at once when a check finds that the books do not add up, and not every 15 minutes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.tasks import check_invariants
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from igny8_core.events.runs import note_run
from tests import make
from tests.admin.samples import operator_with
from tests.billing.breaking import unguarded

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 3, 5, 8, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def told_at(moment: datetime) -> list[Any]:
    """What the operators get from the check of that moment."""
    with time_machine.travel(moment, tick=False):
        mail.outbox.clear()
        broken = check_invariants()
        note_run("billing.check_invariants", 1, broken)
        deliver_due()
        return [sent for sent in mail.outbox if sent.subject.startswith("Check the books")]


@pytest.fixture
def account(db: None) -> Account:
    with time_machine.travel(MORNING, tick=False):
        account = make.owner().account
        assert account
        make.credits(account, 100)
    return account


def lose_credits(account: Account) -> None:
    unguarded()
    Account.objects.filter(pk=account.pk).update(credits=95)


def test_operators_are_told_which_rows_break_which_rule_and_where_to_look(account: Account, olga: User) -> None:
    assert told_at(MORNING) == []
    lose_credits(account)

    [sent] = told_at(MORNING + QUARTER)

    assert (sent.subject, sent.to) == ("Check the books: 1 rule is broken", [olga.email])
    assert "Rule 1: the balance of an account is the sum of its ledger" in sent.body
    assert f"- account {account.pk}: balance 95, ledger 100" in sent.body
    event = Event.objects.get(type="books.broken")
    assert f"/admin/events/event/{event.pk}/change/" in sent.body
    assert "\n\n\n" not in sent.body
    assert f"<li>account {account.pk}: balance 95" in sent.alternatives[0][0]
    # It may be about several customers, so it stands in the activities of none.
    assert event.account is None


def test_they_are_told_again_a_day_later_and_at_once_of_another_rule(account: Account, olga: User) -> None:
    lose_credits(account)
    assert len(told_at(MORNING)) == 1
    assert told_at(MORNING + QUARTER) == []
    payment = make.submitted_payment(make.invoice(account))
    unguarded()
    Payment.objects.filter(pk=payment.pk).update(status="succeeded")

    [more] = told_at(MORNING + 2 * QUARTER)

    assert "Rule 1: " in more.body
    assert more.body.count("Rule ") > 1
    assert told_at(MORNING + timedelta(hours=23)) == []
    assert len(told_at(MORNING + timedelta(days=1) + 3 * QUARTER)) == 1


def test_the_console_s_first_page_shows_it_until_all_is_well(account: Account, console: Client) -> None:
    def cards(browser: Client) -> dict[str, str]:
        return {card.title: card.figure for card in browser.get("/admin/").context["cards"]}

    told_at(MORNING)
    assert "Books to check" not in cards(console)
    lose_credits(account)
    told_at(MORNING + QUARTER)
    clerk = Client()
    clerk.force_login(operator_with("igny8_auth.view_industry"))

    assert cards(console)["Books to check"] == "1"
    assert "Books to check" not in cards(clerk)

    unguarded()
    Account.objects.filter(pk=account.pk).update(credits=100)
    told_at(MORNING + 2 * QUARTER)

    assert "Books to check" not in cards(console)
