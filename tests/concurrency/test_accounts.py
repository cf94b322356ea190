"""Signing up, refreshing tokens and adding sites at the same moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db.models import QuerySet
from rest_framework_simplejwt.tokens import RefreshToken

from igny8_core.auth.errors import InvalidToken, LimitReached
from igny8_core.auth.models import Account, LoginSession, Site, User
from igny8_core.auth.services import sessions, sites
from igny8_core.auth.services.sessions import TokenPair, open_session, rotate_session
from igny8_core.auth.services.sites import create_site
from igny8_core.business.signup.service import begin_account, register
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

THREADS = 12


def sign_up(email: str) -> object:
    return register(email=email, password=make.PASSWORD, first_name="Ada", last_name="Adams", account_name="Adams")


def add_site(owner: User) -> Site:
    assert owner.account
    return create_site(owner.account, owner, name="Site", industry=make.industry())


@contextmanager
def without_asking_for_the_current_token() -> Iterator[None]:
    """Rotation changes the session's row whatever token it holds."""
    honest = QuerySet.filter

    def forgetful(rows: QuerySet[Any], *conditions: Any, **lookups: Any) -> QuerySet[Any]:
        lookups.pop("current_token", None)
        return honest(rows, *conditions, **lookups)

    with mock.patch.object(QuerySet, "filter", forgetful):
        yield


@pytest.mark.usefixtures("books_balance")
def test_one_address_signed_up_16_times_at_once_has_one_account() -> None:
    make.plan("free", price=0)

    outcomes = all_at_once([lambda email=email: sign_up(email) for email in ["ada@example.com", "Ada@Example.com"] * 8])

    assert kinds(outcomes) == {"EmailTaken": 15, "Signup": 1}
    assert (Account.objects.count(), User.objects.count()) == (1, 1)
    assert Account.objects.get().credits == 1000
    Event.objects.get(type="account.created")


@pytest.mark.usefixtures("books_balance")
def test_a_refresh_token_sent_32_times_at_once_gives_one_pair() -> None:
    pair = open_session(make.owner())

    outcomes = all_at_once([lambda: rotate_session(pair.refresh)] * 32)

    assert kinds(outcomes) == {"InvalidToken": 31, "TokenPair": 1}
    assert LoginSession.objects.get().ended_reason == "token_reused"
    Event.objects.get(type="session.token_reused")


@pytest.mark.usefixtures("books_balance")
def test_16_tabs_of_one_browser_that_refresh_at_once_hold_the_same_token() -> None:
    pair = open_session(make.owner())

    outcomes = all_at_once([lambda: rotate_session(pair.refresh, device="this browser")] * 16)

    assert kinds(outcomes) == {"TokenPair": 16}
    session = LoginSession.objects.get()
    assert session.ended_at is None
    assert {RefreshToken(outcome.refresh)["jti"] for outcome in outcomes} == {session.current_token}  # type: ignore[attr-defined]


@pytest.mark.usefixtures("books_balance")
def test_a_former_member_who_clicks_16_times_at_once_begins_one_account() -> None:
    make.plan("free", price=0)
    person = make.user()

    outcomes = all_at_once([lambda: begin_account(User.objects.get(pk=person.pk))] * 16)

    assert kinds(outcomes) == {"MemberElsewhere": 15, "Signup": 1}
    account = Account.objects.get()
    assert (account.owner, account.credits) == (person, 1000)
    Event.objects.get(type="account.created")


@pytest.mark.usefixtures("books_balance")
def test_of_two_interleaved_refreshes_one_gives_a_pair() -> None:
    pair = open_session(make.owner())

    with (
        run_before(sessions, "is_current_password", lambda: rotate_session(pair.refresh)) as rival,
        pytest.raises(InvalidToken),
    ):
        rotate_session(pair.refresh)

    assert isinstance(rival.outcome(), TokenPair)


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_condition_both_refreshes_give_a_pair() -> None:
    pair = open_session(make.owner())

    with (
        without_asking_for_the_current_token(),
        run_before(sessions, "is_current_password", lambda: rotate_session(pair.refresh)) as rival,
    ):
        mine = rotate_session(pair.refresh)

    assert isinstance(mine, TokenPair)
    assert isinstance(rival.outcome(), TokenPair)


@pytest.mark.usefixtures("books_balance")
def test_sites_added_at_once_never_exceed_the_plan() -> None:
    owner = make.owner()
    make.industry()

    outcomes = all_at_once([lambda: add_site(owner)] * THREADS)

    assert kinds(outcomes) == {"LimitReached": THREADS - 2, "Site": 2}
    assert Site.objects.count() == 2


@pytest.mark.usefixtures("books_balance")
def test_the_last_site_waits_for_the_one_being_added_and_is_refused() -> None:
    owner = make.owner()
    add_site(owner)

    with run_before(sites, "_slug", lambda: add_site(owner)) as rival:
        add_site(owner)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), LimitReached)
    assert Site.objects.count() == 2


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_account_lock_there_is_a_site_too_many() -> None:
    owner = make.owner()
    add_site(owner)

    with without_row_locks(), run_before(sites, "_slug", lambda: add_site(owner)) as rival:
        add_site(owner)

    assert not rival.had_to_wait
    assert Site.objects.count() == 3
