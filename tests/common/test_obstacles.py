"""Obstacles: what an operation meets is cleared outside of its transaction, and then it is done anew."""

import pytest

from igny8_core.auth.models import User
from igny8_core.common import obstacles
from igny8_core.common.db import CLEARINGS, one_transaction, require_no_transaction, service_transaction
from tests import make

pytestmark = pytest.mark.django_db


class Boulder(obstacles.Obstacle):
    """Lies in the way until it is cleared."""


class Road:
    """Where `boulders` lie one behind the other; notes what was done."""

    def __init__(self, boulders: int) -> None:
        self.boulders, self.cleared, self.tries = boulders, 0, 0

    def clear(self, boulder: object) -> None:
        require_no_transaction()
        self.cleared, self.boulders = self.cleared + 1, self.boulders - 1

    @service_transaction
    def walk(self) -> str:
        self.tries += 1
        make.user()
        if self.boulders:
            raise Boulder()
        return "there"

    @service_transaction
    def walk_as_part_of_more(self) -> str:
        return self.walk()


@pytest.fixture
def road(monkeypatch: pytest.MonkeyPatch) -> Road:
    road = Road(2)
    monkeypatch.setitem(obstacles._clearings, Boulder, road.clear)
    return road


def users() -> int:
    return User.objects.count()


@pytest.mark.parametrize("name", ["walk", "walk_as_part_of_more"])
def test_each_obstacle_is_cleared_and_what_was_begun_is_rolled_back(road: Road, name: str) -> None:
    assert getattr(road, name)() == "there"
    assert (road.cleared, road.tries, users()) == (2, 3, 1)


def test_inside_the_transaction_of_others_the_obstacle_passes_to_them(road: Road) -> None:
    with pytest.raises(Boulder), one_transaction():
        road.walk()

    assert (road.cleared, users()) == (0, 0)


def test_where_obstacles_keep_coming_the_last_one_is_raised(road: Road) -> None:
    road.boulders = CLEARINGS + 1

    with pytest.raises(Boulder):
        road.walk()

    assert (road.cleared, users()) == (CLEARINGS, 0)


def test_what_cannot_be_cleared_refuses_with_the_reason(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    def too_heavy(boulder: object) -> None:
        raise ValueError("too heavy")

    monkeypatch.setitem(obstacles._clearings, Boulder, too_heavy)

    with pytest.raises(ValueError, match="too heavy"):
        road.walk()
    assert (road.tries, users()) == (1, 0)
