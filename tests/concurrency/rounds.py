"""How often a race is run: a few times in each run, some more times where CI runs what is marked "stress"."""

import pytest


def run_rounds(few: int, more: int) -> pytest.MarkDecorator:
    """Gives the test its number of `rounds`."""
    return pytest.mark.parametrize("rounds", [few, pytest.param(more, marks=pytest.mark.stress)])
