"""Model instances from prepared statements.

The ORM builds the SQL of every query again, which takes longer than PostgreSQL needs to answer. Queries that run in
every request are prepared instead (PreparedStatement in common/db.py). This module names their columns and makes model
instances of the rows, as the ORM does.
"""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models

Row = TypeVar("Row", bound=models.Model)


class Columns(Generic[Row]):
    """The columns of a model that a statement selects: all of them, or the named ones.

    Other columns are loaded when they are read, as after the ORM's only().
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
        """The columns for a SELECT, with the table's `alias`."""
        return ", ".join(f"{alias}.{field.column}" for field in self.fields)

    def row(self, values: Sequence[Any]) -> Row:
        """A model instance from the values of the columns, in their order."""
        read = list(values)
        for position, convert in self._conversions:
            read[position] = convert(read[position], None, connection)
        return self.model.from_db(DEFAULT_DB_ALIAS, self.names, read)


def joined_rows(values: Sequence[Any], *columns: Columns[Any]) -> list[Any]:
    """A model instance for each of the `columns` that a join selected, in order; None if a LEFT JOIN found no row."""
    rows, begin = [], 0
    for each in columns:
        end = begin + len(each.fields)
        # The first column of every model is its id.
        rows.append(None if values[begin] is None else each.row(values[begin:end]))
        begin = end
    return rows
