"""Money that a gateway has taken and that could not be booked: it is shown to operators, whatever the reason was."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

from igny8_core.common.errors import DomainError
from igny8_core.common.obstacles import Obstacle

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
# The next try can do what this one could not: the database was busy or gone, or something is cleared away first.
PASSES = (OperationalError, InterfaceError, Obstacle)


def unless_stranded(book: Callable[[], Result], keep_visible: Callable[[str], Result]) -> Result:
    """Book captured money; where anything goes wrong, call `keep_visible` with the reason, in words for an operator.

    Each of the two is a transaction of its own. Without this, one fault in what follows would be an error 500 for the
    customer and another for each message of the gateway, while nobody sees that the money is there.
    """
    try:
        return book()
    except PASSES:
        raise
    except Exception as error:
        logger.exception("money came and could not be booked")
        return keep_visible(_reason(error))


def _reason(error: Exception) -> str:
    said = error.text if isinstance(error, DomainError) else f"{type(error).__name__}: {error}".splitlines()[0]
    return f"The payment service has the money, and what follows from it failed. Check again once it is mended: {said}"
