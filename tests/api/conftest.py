import math

import pytest

from igny8_core.business.billing.api.payment_methods import rendered_lists
from tests.api import world as worlds


@pytest.fixture(autouse=True)
def payment_method_lists_are_read_anew() -> None:
    """The lists are cached in the process, and another test's table is gone."""
    rendered_lists.checked_at = -math.inf


@pytest.fixture
def world(db: None) -> worlds.World:
    return worlds.build()
