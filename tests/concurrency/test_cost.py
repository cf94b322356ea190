"""How much the hot operations compute: instructions and calls are counted, not time, so a busy machine changes nothing.

Two counts, because one sees what the other does not: the instructions of Python's own machine (our code's and Django's,
the same number at every run), and calls (those into C as well, where JSON, cryptography and the database driver work).

When a budget is passed: run the operation under cProfile and look for what is built anew each time (a queryset, a
serializer's fields, a policy). Take it out, or raise the budget here with the reason in the commit.
"""

import cProfile
import gc
import json
import pstats
import sys
import uuid
from collections.abc import Callable
from functools import cache
from types import FrameType
from typing import Any, NamedTuple

import pytest
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_balance")]

USAGE = "/api/v1/billing/credits/usage/"
WARM_UPS = 3
# Each count is the least of so many: now and then a request also does what only one in hundreds does (the cache in the
# process throws out old entries), and that says nothing about the request.
REPEATS = 3


class Cost(NamedTuple):
    instructions: int
    calls: int


# Of a request beyond /healthz/, which goes through the same middleware but for that of other origins (some 420);
# of the batch for 25 operations; of approve and spend as the services do them.
BUDGETS = {
    "me": Cost(3_260, 410),
    "balance": Cost(2_840, 330),
    "invoices": Cost(12_960, 830),
    "usage": Cost(9_450, 860),
    "batch": Cost(224_000, 17_000),
    "spend": Cost(2_540, 245),
    "approve": Cost(24_950, 2_100),
}
# What another Python or Django may take more, and what is so much less that the budget is out of date.
TOLERANCE, OUT_OF_DATE = 1.1, 0.8


@pytest.fixture(autouse=True)
def limits(settings: Any) -> None:
    """As in production: the general limits are counted with every request."""
    settings.THROTTLING = True


@pytest.fixture
def owner() -> User:
    owner = make.owner()
    assert owner.account
    make.credit_cost()
    make.credits(owner.account, 100_000)
    return owner


def request(name: str, owner: User) -> Callable[[], object]:
    """What sends the request, as a client that is logged in."""
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {open_session(owner).access}")

    def get(path: str) -> int:
        return int(client.get(path).status_code)

    def post(path: str, data: Any) -> int:
        headers = {"HTTP_IDEMPOTENCY_KEY": str(uuid.uuid4())}
        answer = client.generic("POST", path, json.dumps(data), content_type="application/json", **headers)
        return int(answer.status_code)

    operation = {"operation_type": "article", "quantity": 1}
    requests: dict[str, Callable[[], int]] = {
        "plain": lambda: get("/healthz/"),
        "me": lambda: get("/api/v1/auth/me/"),
        "balance": lambda: get("/api/v1/billing/credits/balance/"),
        "invoices": lambda: get("/api/v1/billing/invoices/"),
        "usage": lambda: post(USAGE, operation),
        "batch": lambda: post(
            f"{USAGE}batch/", {"operations": [{**operation, "key": str(uuid.uuid4())} for _ in range(25)]}
        ),
    }

    def send() -> None:
        assert requests[name]() in {200, 201}

    return send


def spending(owner: User) -> Callable[[], object]:
    assert owner.account
    account = owner.account
    return lambda: CreditService.spend(account, 1, operation_type="article")


def approving() -> Callable[[], object]:
    olga = make.operator()
    waiting = [make.submitted_payment() for _ in range(WARM_UPS + 2 * REPEATS)]
    return lambda: PaymentService.approve_manual_payment(waiting.pop(), olga)


def cost(act: Callable[[], object]) -> Cost:
    """What one more of an operation costs once everything is warm."""
    for _ in range(WARM_UPS):
        act()
    gc.collect()
    gc.disable()
    try:
        return Cost(min(instructions(act) for _ in range(REPEATS)), min(calls(act) for _ in range(REPEATS)))
    finally:
        gc.enable()


def instructions(act: Callable[[], object]) -> int:
    executed = 0

    def count(frame: FrameType, event: str, _: object) -> "Callable[..., Any]":
        nonlocal executed
        frame.f_trace_lines, frame.f_trace_opcodes = False, True
        executed += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        act()
    finally:
        sys.settrace(before)
    return executed


def calls(act: Callable[[], object]) -> int:
    profile = cProfile.Profile()
    profile.enable()
    act()
    profile.disable()
    counted: Any = pstats.Stats(profile)
    return int(counted.total_calls)


@cache
def cost_of_plain_request() -> Cost:
    """The same for everybody: it looks at nobody."""
    return cost(request("plain", make.owner()))


@pytest.mark.parametrize("name", ["me", "balance", "invoices", "usage", "batch"])
def test_a_hot_request_stays_within_its_budget(owner: User, name: str) -> None:
    if name == "invoices":
        # One more than a page has.
        for _ in range(26):
            make.invoice(owner.account)

    spent, plain = cost(request(name, owner)), cost_of_plain_request()

    assert_within(BUDGETS[name], Cost(spent.instructions - plain.instructions, spent.calls - plain.calls))


def test_a_spend_stays_within_its_budget(owner: User) -> None:
    assert_within(BUDGETS["spend"], cost(spending(owner)))


def test_an_approval_stays_within_its_budget() -> None:
    assert_within(BUDGETS["approve"], cost(approving()))


def test_the_count_of_instructions_is_the_same_at_every_run(owner: User) -> None:
    spend = spending(owner)

    assert cost(spend).instructions == cost(spend).instructions


def test_the_count_of_instructions_sees_a_line_more() -> None:
    def less() -> None:
        pass

    def more() -> int:
        return sum(number for number in range(100))

    assert instructions(more) > instructions(less) + 100


def assert_within(budget: Cost, spent: Cost) -> None:
    for kind, allowed, counted in zip(Cost._fields, budget, spent, strict=True):
        assert counted <= allowed * TOLERANCE, f"{counted} {kind}, budget {allowed}: see the top of this file"
        assert counted >= allowed * OUT_OF_DATE, f"{counted} {kind} only: lower the budget of {allowed}"
