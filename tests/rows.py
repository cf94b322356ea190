"""Rows of the database as tests look at them."""

from typing import TypeVar

from django.db.models import Model

Row = TypeVar("Row", bound=Model)


def now(row: Row) -> Row:
    """The same row, read from the database again."""
    return type(row)._default_manager.get(pk=row.pk)
