"""What of a test with much to do runs each time, and what where CI has the time for what is marked "stress"."""

from collections.abc import Iterable
from typing import Any

import pytest


def some_of(cases: Iterable[Any], each: int, *, but: int = 0) -> list[Any]:
    """The cases, of which one of `each` runs each time, beginning with the one at `but`."""
    return [_in_stress(case) if number % each != but else case for number, case in enumerate(cases)]


def run_rounds(few: int, more: int) -> pytest.MarkDecorator:
    """Gives the test its number of `rounds`: a few each time."""
    return pytest.mark.parametrize("rounds", [few, _in_stress(more)])


def _in_stress(case: Any) -> Any:
    values = case if isinstance(case, tuple) else (case,)
    return pytest.param(*values, marks=pytest.mark.stress)
