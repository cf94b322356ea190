"""Home: what the account has, and the usage meter that can be tried out."""

import re
import uuid
from typing import Any

import pytest
from django.test import Client

from igny8_core.auth.models import AccountStatus, SuspendedReason, User
from igny8_core.business.billing.models import (
    CreditGrantKind,
    CreditTransaction,
    CreditTransactionType,
    CreditUsageLog,
)
from igny8_core.business.billing.services.credit_service import CreditService
from tests import make
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def rich(alice: User) -> User:
    """Alice with 1000 credits of her plan and 200 on top; an article costs 5."""
    make.credit_cost()
    assert alice.account
    kinds = (
        (1000, CreditGrantKind.PLAN, CreditTransactionType.TRIAL),
        (200, CreditGrantKind.PURCHASE, CreditTransactionType.PURCHASE),
    )
    for amount, kind, transaction_type in kinds:
        CreditService.grant(
            alice.account, amount, kind=kind, transaction_type=transaction_type, source=f"s:{kind}", description=kind
        )
    return alice


def tries(browser: Client, **said: Any) -> Any:
    return browser.post("/home/try", {"operation": "article", "quantity": "3", "key": str(uuid.uuid4()), **said})


def test_credits_of_the_plan_and_those_on_top_stand_apart(rich: User) -> None:
    html = " ".join(browser_of(rich).get("/home").content.decode().split())

    assert re.search(r'class="big">1,200<', html)
    assert "<dt>From your plan</dt><dd>1,000</dd>" in html
    assert "<dt>Bought or given on top</dt><dd>200</dd>" in html


def test_trying_the_meter_spends_and_shows_the_row_of_the_ledger(rich: User) -> None:
    browser = browser_of(rich)

    assert tries(browser)["Location"] == "/home#credits"

    page: Any = browser.get("/home")
    assert says(page, "15 credits spent. You have 1,185 left.")
    assert says(page, "Article")
    assert says(page, "−15")
    usage = CreditUsageLog.objects.get()
    assert (usage.credits, usage.operation_type, usage.user, usage.metadata) == (
        15,
        "article",
        rich,
        {"tried_out": True},
    )


def test_a_form_that_is_sent_twice_spends_once(rich: User) -> None:
    browser, key = browser_of(rich), str(uuid.uuid4())

    answers = [tries(browser, key=key) for _ in range(2)]

    assert {answer.status_code for answer in answers} == {303}
    assert CreditUsageLog.objects.count() == 1


@pytest.mark.parametrize(
    ("said", "text", "status"),
    [
        ({"operation": ""}, "Choose an operation.", 400),
        ({"operation": "alchemy"}, "Choose one of the operations in the list.", 400),
        ({"quantity": ""}, "Say how many.", 400),
        ({"quantity": "0"}, "At least 1.", 400),
        ({"quantity": "101"}, "At most 100 here.", 400),
        ({"quantity": "1.5"}, "A whole number is expected", 400),
        ({"operation": "book"}, "This costs 15000 credits, but the account has 1200.", 402),
    ],
)
def test_what_cannot_be_spent_is_said_and_nothing_is(rich: User, said: dict[str, str], text: str, status: int) -> None:
    make.credit_cost(operation_type="book", display_name="Book", credits_per_unit=5000)

    answer = tries(browser_of(rich), **said)

    assert answer.status_code == status
    assert says(answer, text)
    assert not CreditUsageLog.objects.exists()


def test_a_viewer_sees_the_credits_and_cannot_spend_them(rich: User, bob: User) -> None:
    browser = browser_of(bob)

    assert says(browser.get("/home"), "Your role may look at the credits, not spend them.")  # type: ignore[arg-type]
    assert tries(browser)["Location"] == "/home"
    assert not CreditUsageLog.objects.exists()


@pytest.mark.parametrize(
    ("status", "reason", "text"),
    [
        (AccountStatus.PENDING_PAYMENT, "", "Your account begins when the open invoice is paid."),
        (AccountStatus.PAST_DUE, "", "An invoice is overdue."),
        (AccountStatus.SUSPENDED, SuspendedReason.NON_PAYMENT, "because an invoice was not paid."),
        (AccountStatus.SUSPENDED, SuspendedReason.OPERATOR, "You can look at everything and change nothing."),
        (AccountStatus.CANCELED, "", "Your plan is canceled."),
        (AccountStatus.TRIAL, "", "This is your free trial."),
    ],
)
def test_each_state_of_an_account_says_what_it_means(rich: User, status: str, reason: str, text: str) -> None:
    assert rich.account
    rich.account.status, rich.account.suspended_reason = status, reason
    rich.account.save()
    browser = browser_of(rich)
    before = CreditTransaction.objects.count()

    assert says(browser.get("/home"), text)  # type: ignore[arg-type]
    is_usable = status in {AccountStatus.PAST_DUE, AccountStatus.TRIAL}
    tries(browser)
    assert CreditTransaction.objects.count() - before == (1 if is_usable else 0)
