"""What a test requires of an action that is refused."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from tests.api.world import fingerprint

Refused = TypeVar("Refused", bound=Exception)


def require_refusal(error: type[Refused] | tuple[type[Refused], ...], action: Callable[[], object]) -> Refused:
    """The action is refused with the error, and no row of any table has changed. Returns the error."""
    before = fingerprint()
    with pytest.raises(error) as caught:
        action()
    assert fingerprint() == before
    return caught.value
