"""Query parameters of lists. Our code chooses the lookups; the caller gives their values."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.enums import Choices
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from igny8_core.common import text as people_text

MAX_SEARCH_LENGTH = 100


@dataclass(frozen=True)
class Filter:
    """A query parameter that filters a list: `narrow` applies it or raises ValidationError, `schema` documents it.

    `picks` says that the filter finds few rows by indexes of its own, so the list is sorted afterwards (see `ordered`).
    """

    narrow: Callable[[QuerySet[Any], str], QuerySet[Any]]
    schema: dict[str, Any]
    picks: bool = False


def refuse_unknown_parameters(query: QueryDict, known: Iterable[str]) -> None:
    """Raise ValidationError for a parameter that is unknown or given twice (MAS-07, TEN-08)."""
    allowed = sorted(known)
    errors = {}
    for name, values in query.lists():
        if name not in allowed:
            errors[name] = [
                _("Unknown query parameter. Known here: %(value)s.") % {"value": ", ".join(allowed) or "none"}
            ]
        elif len(values) > 1:
            errors[name] = [_("This query parameter is given more than once. Give it once.")]
    if errors:
        raise ValidationError(errors)


def choice_filter(lookup: str, choices: type[Choices]) -> Filter:
    """A filter that takes one of `choices`."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in choices.values:
            raise ValidationError(_("Expected one of: %(known)s.") % {"known": ", ".join(choices.values)})
        return rows.filter(Q((lookup, value)))

    return Filter(narrow, {"type": "string", "enum": list(choices.values)})


def date_filter(lookup: str) -> Filter:
    """A filter that takes a date as YYYY-MM-DD.

    `lookup` names column and comparison: `issued_on__gte` for a date, `created_at__date__gte` for a time (in UTC).
    """

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(Q((lookup, parse_day(value))))

    return Filter(narrow, {"type": "string", "format": "date"})


def from_day_filter(column: str) -> Filter:
    """A filter that takes a date and keeps rows whose time is on that day (UTC) or later, by the column's index."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(Q((f"{column}__gte", datetime.combine(parse_day(value), time.min, UTC))))

    return Filter(narrow, {"type": "string", "format": "date"})


def to_day_filter(column: str) -> Filter:
    """A filter that takes a date and keeps rows whose time is on that day (UTC) or earlier, by the column's index."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(Q((f"{column}__lte", datetime.combine(parse_day(value), time.max, UTC))))

    return Filter(narrow, {"type": "string", "format": "date"})


def id_filter(lookup: str) -> Filter:
    """A filter that takes the id of an object."""
    return found_by_id(lambda rows, key: rows.filter(Q((lookup, key))))


def found_by_id(find: Callable[[QuerySet[Any], int], QuerySet[Any]]) -> Filter:
    """A filter that takes the id of an object and keeps the rows that `find` returns."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not re.fullmatch(r"[1-9][0-9]{0,17}", value):
            raise ValidationError(_("Expected an id: a whole number, 1 or greater."))
        return find(rows, int(value))

    return Filter(narrow, {"type": "integer", "format": "int64", "minimum": 1})


def code_filter(lookup: str, pattern: str, expected: str) -> Filter:
    """A filter that takes text of a fixed form: `pattern` is a regular expression, `expected` is for the refusal."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not re.fullmatch(pattern, value):
            raise ValidationError(_("Expected %(expected)s.") % {"expected": expected})
        return rows.filter(Q((lookup, value)))

    return Filter(narrow, {"type": "string", "pattern": f"^({pattern})$"})


def flag_filter(condition: Q) -> Filter:
    """A filter that takes `true`, which keeps rows that meet `condition`, or `false`, which keeps the others."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in {"true", "false"}:
            raise ValidationError(_("Expected true or false."))
        return rows.filter(condition if value == "true" else ~condition)

    return Filter(narrow, {"type": "boolean"})


def search_filter(*lookups: str) -> Filter:
    """A filter that takes text and keeps rows where one of `lookups` (e.g. `invoice_number__icontains`) matches."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        condition = Q()
        for lookup in lookups:
            condition |= Q((lookup, value))
        return rows.filter(condition)

    return search_by(narrow, picks=False)


def search_by(find: Callable[[QuerySet[Any], str], QuerySet[Any]], *, picks: bool = True) -> Filter:
    """A filter that takes text and keeps the rows that `find` returns; for searches that need more than one table."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not 1 <= len(value) <= MAX_SEARCH_LENGTH or people_text.first_refused(value):
            raise ValidationError(
                _("Expected 1 to %(max_search_length)s readable characters.") % {"max_search_length": MAX_SEARCH_LENGTH}
            )
        return find(rows, value)

    return Filter(narrow, {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH_LENGTH}, picks)


def parse_day(value: str) -> date:
    """A date from a query parameter, YYYY-MM-DD in ASCII digits. Raises ValidationError."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValidationError(_("Expected a date, written YYYY-MM-DD."))
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValidationError(_("This date does not exist.")) from None


def whole_number(query: QueryDict, name: str, *, default: int, most: int) -> int:
    """The query parameter as a number from 1 to `most`, in ASCII digits; `default` where it is not given.

    Raises ValidationError under the parameter's name.
    """
    text = query.get(name, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text) or int(text) > most:
        raise ValidationError({name: [_("Expected a whole number from 1 to %(most)s.") % {"most": most}]})
    return int(text)


def filtered(rows: QuerySet[Any], query: QueryDict, filters: Mapping[str, Filter]) -> QuerySet[Any]:
    """`rows` filtered by each filter that `query` names. Raises ValidationError with the parameter's name."""
    for name, known in filters.items():
        if name in query:
            try:
                rows = known.narrow(rows, str(query[name]))
            except ValidationError as error:
                raise ValidationError({name: error.detail}) from None
    return rows


def ordered(
    rows: QuerySet[Any], query: QueryDict, orderings: Mapping[str, str], default: str, *, picked: bool = False
) -> QuerySet[Any]:
    """`rows` in the order that the parameter `ordering` names (`-` before it: descending), then by primary key.

    `picked` says that a filter has found its rows by its own indexes. PostgreSQL would still walk the primary key until
    a page is full, which for few or old rows is the whole table. Sorting by `id + 0` prevents that.
    Raises ValidationError for an unknown ordering.
    """
    requested = query.get("ordering", default)
    name = requested.removeprefix("-")
    if name not in orderings:
        allowed = ", ".join(sorted(orderings)) or "none"
        raise ValidationError(
            {
                "ordering": [
                    _("Expected one of: %(allowed)s; put - before it for descending order.") % {"allowed": allowed}
                ]
            }
        )
    by_key = picked and orderings[name] == "id"
    columns = [F("id") + 0] if by_key else [F(orderings[name]), F("pk")]
    return rows.order_by(*(column.desc() if requested.startswith("-") else column.asc() for column in columns))
