"""Money that a gateway has taken but that could not be booked: an operator always gets to see it."""

import logging
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError

from igny8_core.common.errors import DomainError
from igny8_core.common.obstacles import Obstacle

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
# The next try can succeed: the database was busy or down, or an obstacle is cleared first.
RETRYABLE = (OperationalError, InterfaceError, Obstacle)


def book_or_flag(book: Callable[[], Result], flag: Callable[[str], Result]) -> Result:
    """Book captured money. If that fails for any lasting reason, call `flag` with the reason as a sentence.

    Each of the two is its own transaction. Without `flag`, a fault in settling would be an error 500 for the customer
    and again at each webhook message, and nobody would see that the gateway has the money.
    """
    try:
        return book()
    except RETRYABLE:
        raise
    except Exception as error:
        logger.exception("money came and could not be booked")
        return flag(_reason(error))


def _reason(error: Exception) -> str:
    said = error.text if isinstance(error, DomainError) else f"{type(error).__name__}: {error}".splitlines()[0]
    return f"The payment service has the money, but booking it failed. Fix the cause, then check again: {said}"
