"""How often a race is run: a few times in each run, many times where CI runs what is marked "stress"."""

import pytest


def run_rounds(few: int, many: int) -> pytest.MarkDecorator:
    """Gives the test its number of `rounds`."""
    return pytest.mark.parametrize("rounds", [few, pytest.param(many, marks=pytest.mark.stress)])
