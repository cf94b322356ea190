import math
from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.api.payment_methods import rendered_lists
from igny8_core.business.billing.models import Invoice
from tests import make
from tests.api.plan_changes import ClientAt, paid_period, plans_to_change_between
from tests.api.world import World, build
from tests.snapshots import restored


@pytest.fixture(autouse=True)
def payment_method_lists_are_read_anew() -> None:
    """The lists are cached in the process, and another test's table is gone."""
    rendered_lists.checked_at = -math.inf


@pytest.fixture
def world(db: None) -> World:
    return restored("the API's world", build)


@pytest.fixture
def plans(db: None, request: pytest.FixtureRequest) -> None:
    """Plans to change between, and bank transfer to pay them with: the owner's, where a test has that."""
    if "owner" in request.fixturenames:
        request.getfixturevalue("owner")
    else:
        restored("plans to change between", plans_to_change_between)


@pytest.fixture
def owner(db: None) -> User:
    """Owner of an account whose starter period runs from START to END, with the plans."""
    return restored("a paid period", paid_period)


@pytest.fixture
def client_at(owner: User, as_user: Callable[[User], APIClient]) -> ClientAt:
    """The owner's client at a moment: tokens are short-lived, so each moment logs in anew."""

    def at(moment: datetime) -> APIClient:
        with time_machine.travel(moment, tick=False):
            return as_user(owner)

    return at


@pytest.fixture
def invoice(account_a: Account) -> Invoice:
    """An open invoice of account A."""
    return make.invoice(account_a)
