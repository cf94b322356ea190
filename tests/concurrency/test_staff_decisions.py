"""Operators who decide at the same moment as others, and who edit what another one removes."""

import pytest
from django.db import DatabaseError
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService

from igny8_core.auth.models import Account, AccountStatus
from igny8_core.auth.services import accounts
from igny8_core.auth.services.accounts import reinstate_account, suspend_account
from igny8_core.business.billing.services.credits.costs import update_credit_cost
from igny8_core.business.billing.services.payment_methods.configuration import (
    remove_payment_method,
    update_payment_method,
)
from igny8_core.common.errors import NotFound
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import Rival, before_commit, run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.unlocked import without_row_locks

THREADS = 16


def suspended_customer() -> Account:
    """An account with a paid subscription, suspended by an operator."""
    payment = make.submitted_payment()
    account = PaymentService.approve_manual_payment(payment, make.operator()).account
    return suspend_account(account, "Spam", make.operator())


def lift_while_the_subscription_ends(account: Account) -> Rival:
    operator, subscription = make.operator(), account.subscriptions.get()
    ending = run_before(
        accounts,
        "transition",
        lambda: SubscriptionService.cancel_subscription(subscription, cancel_at_period_end=False),
    )
    with ending as rival:
        reinstate_account(account, "Cleared up", operator)
    rival.outcome()
    account.refresh_from_db()
    return rival


@pytest.mark.usefixtures("books_balance")
def test_an_account_suspended_16_times_at_once_is_suspended_once() -> None:
    account, operator = make.account(), make.operator()
    make.user(account=account, role="owner")

    outcomes = all_at_once([lambda: suspend_account(account, "Spam", operator)] * THREADS)

    assert kinds(outcomes) == {"Account": 1, "TransitionNotAllowed": THREADS - 1}
    Event.objects.get(type="account.suspended")


@pytest.mark.usefixtures("books_balance")
def test_a_suspension_lifted_16_times_at_once_is_lifted_once() -> None:
    account, operator = suspended_customer(), make.operator()

    outcomes = all_at_once([lambda: reinstate_account(account, "Cleared up", operator)] * THREADS)

    assert kinds(outcomes) == {"Account": 1, "NotSuspended": THREADS - 1}
    Event.objects.get(type="account.reinstated")


@pytest.mark.usefixtures("books_balance")
def test_a_subscription_that_ends_waits_for_the_suspension_being_lifted() -> None:
    account = suspended_customer()

    rival = lift_while_the_subscription_ends(account)

    assert rival.had_to_wait
    assert account.status == AccountStatus.CANCELED


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_account_lock_an_account_is_active_without_a_subscription() -> None:
    account = suspended_customer()

    with without_row_locks():
        rival = lift_while_the_subscription_ends(account)

    assert not rival.had_to_wait
    assert account.status == AccountStatus.ACTIVE
    assert account.subscriptions.get().status == "canceled"


@pytest.mark.usefixtures("books_balance")
def test_an_edit_of_a_payment_method_waits_for_its_removal_and_finds_nothing() -> None:
    config, operator = make.payment_method(), make.operator()

    rival = before_commit(
        lambda: remove_payment_method(config, operator),
        lambda: update_payment_method(config, operator, display_name="Late"),
    )

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), NotFound)


@pytest.mark.usefixtures("books_balance")
def test_an_edit_of_costs_waits_for_their_removal_and_finds_nothing() -> None:
    cost, operator = make.credit_cost(), make.operator()

    rival = before_commit(
        lambda: type(cost).objects.filter(pk=cost.pk).delete(),
        lambda: update_credit_cost(cost, operator, credits_per_unit=9),
    )

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), NotFound)


@pytest.mark.usefixtures("books_balance")
def test_canary_without_its_lock_an_edit_of_what_is_being_removed_fails_unexpectedly() -> None:
    config, cost, operator = make.payment_method(), make.credit_cost(), make.operator()

    with without_row_locks():
        method = before_commit(
            lambda: remove_payment_method(config, operator),
            lambda: update_payment_method(config, operator, display_name="Late"),
        ).outcome()
        price = before_commit(
            lambda: type(cost).objects.filter(pk=cost.pk).delete(),
            lambda: update_credit_cost(cost, operator, credits_per_unit=9),
        ).outcome()

    assert [type(outcome) for outcome in (method, price)] == [DatabaseError, DatabaseError]
