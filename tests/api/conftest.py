import math
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
import time_machine
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.api.payment_methods import rendered_lists
from igny8_core.business.billing.models import Invoice
from tests import make
from tests.api.plan_changes import START, ClientAt, pay
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
def plans(db: None) -> None:
    """Plans to change between, and bank transfer to pay them with."""
    make.payment_method()
    make.plan("starter")
    make.plan("growth", price=Decimal("139.00"), included_credits=2000, max_sites=3)
    make.plan("mini", price=Decimal("19.00"), included_credits=100, max_sites=1, max_users=1)
    make.plan("yearly", price=Decimal("1390.00"), included_credits=24000, billing_cycle="annual")


@pytest.fixture
def owner(plans: None, olga: User) -> User:
    """Owner of an account whose starter period runs from START to END."""
    with time_machine.travel(START, tick=False):
        owner = make.owner({"status": "pending_payment"})
        pay(make.subscription(owner.account).invoices.get(), olga)
    return User.objects.get(pk=owner.pk)


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
