"""Query parameters: known ones, once each, turned into lookups that the code chose, never the caller."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.enums import Choices
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from igny8_core.common import text as people_text

MAX_SEARCH_LENGTH = 100


@dataclass(frozen=True)
class Filter:
    """How one query parameter narrows a list: `narrow` raises ValidationError, `schema` documents what it takes."""

    narrow: Callable[[QuerySet[Any], str], QuerySet[Any]]
    schema: dict[str, Any]


def refuse_unknown_parameters(query: QueryDict, known: Iterable[str]) -> None:
    """Raise ValidationError for a parameter that is not known, or given more than once (threats.md MAS-07, TEN-08)."""
    allowed = sorted(known)
    errors = {}
    for name, values in query.lists():
        if name not in allowed:
            errors[name] = [f"Unknown query parameter. Known here: {', '.join(allowed) or 'none'}."]
        elif len(values) > 1:
            errors[name] = ["Give this query parameter only once."]
    if errors:
        raise ValidationError(errors)


def choice_filter(lookup: str, choices: type[Choices]) -> Filter:
    """A filter that takes one of `choices`."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value not in choices.values:
            raise ValidationError(f"Expected one of: {', '.join(choices.values)}.")
        return rows.filter(Q((lookup, value)))

    return Filter(narrow, {"type": "string", "enum": list(choices.values)})


def date_filter(lookup: str) -> Filter:
    """A filter that takes a date as YYYY-MM-DD.

    `lookup` says the comparison: `issued_on__gte` for a date, `created_at__date__gte` for a time (in UTC).
    """

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValidationError("Expected a date as YYYY-MM-DD.")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValidationError("This date does not exist.") from None
        return rows.filter(Q((lookup, day)))

    return Filter(narrow, {"type": "string", "format": "date"})


def search_filter(*lookups: str) -> Filter:
    """A filter that takes text and keeps rows where one of `lookups` (e.g. `invoice_number__icontains`) matches."""

    def narrow(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if not 1 <= len(value) <= MAX_SEARCH_LENGTH or people_text.first_refused(value):
            raise ValidationError(f"Expected 1 to {MAX_SEARCH_LENGTH} readable characters.")
        condition = Q()
        for lookup in lookups:
            condition |= Q((lookup, value))
        return rows.filter(condition)

    return Filter(narrow, {"type": "string", "minLength": 1, "maxLength": MAX_SEARCH_LENGTH})


def filtered(rows: QuerySet[Any], query: QueryDict, filters: Mapping[str, Filter]) -> QuerySet[Any]:
    """`rows` narrowed by each filter that `query` names; raises ValidationError under the parameter's name."""
    for name, known in filters.items():
        if name in query:
            try:
                rows = known.narrow(rows, str(query[name]))
            except ValidationError as error:
                raise ValidationError({name: error.detail}) from None
    return rows


def ordered(rows: QuerySet[Any], query: QueryDict, orderings: Mapping[str, str], default: str) -> QuerySet[Any]:
    """`rows` in the order that `ordering` names (with `-` before it: descending), ties by primary key."""
    requested = query.get("ordering", default)
    name = requested.removeprefix("-")
    if name not in orderings:
        allowed = ", ".join(sorted(orderings)) or "none"
        raise ValidationError({"ordering": [f"Expected one of: {allowed}; with - before it for descending."]})
    sign = "-" if requested.startswith("-") else ""
    return rows.order_by(f"{sign}{orderings[name]}", f"{sign}pk")
