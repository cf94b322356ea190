"""Rows of models from prepared statements, made as the ORM makes them.

The ORM builds its SQL anew for every query, which takes longer than PostgreSQL needs to answer it. Where a query is on
the way of every request or decision, its SQL is prepared instead (common/db.PreparedStatement), and this names the
columns in it and makes rows of what comes back.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)


class Columns(Generic[Row]):
    """Columns of a model that a statement selects: all of them, or those that are named.

    A column that is not named is loaded when it is looked at, as after the ORM's only().
    """

    def __init__(self, model: type[Row], *names: str) -> None:
        self.model = model
        wanted = {*names, "id"} if names else set()
        self.fields = [field for field in model._meta.concrete_fields if not wanted or field.name in wanted]
        unknown = wanted - {field.name for field in self.fields}
        if unknown:
            raise ValueError(f"{model.__name__} has no columns {', '.join(sorted(unknown))}.")
        self.names = [field.attname for field in self.fields]
        conversions = [getattr(field, "from_db_value", None) for field in self.fields]
        self._conversions = [(position, convert) for position, convert in enumerate(conversions) if convert]

    def sql(self, alias: str) -> str:
        """The columns for a SELECT of the table that goes by `alias` there."""
        return ", ".join(f"{alias}.{field.column}" for field in self.fields)

    def row(self, values: Sequence[Any]) -> Row:
        """The model's row of the values of the columns, in their order."""
        read = list(values)
        for position, convert in self._conversions:
            read[position] = convert(read[position], None, connection)
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, read)


def joined_rows(values: Sequence[Any], *columns: Columns[Any]) -> list[Any]:
    """A row for each model whose columns a join selected, in that order; None where a LEFT JOIN found none."""
    rows, begin = [], 0
    for each in columns:
        end = begin + len(each.fields)
        # The first column of every model is its id.
        rows.append(None if values[begin] is None else each.row(values[begin:end]))
        begin = end
    return rows
