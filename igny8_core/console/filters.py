"""Filters of lists that the theme's own do not do right."""

from typing import TYPE_CHECKING, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone
from unfold.utils import parse_datetime_str

# The theme has no type hints, but it changes no types of Django's methods.
if TYPE_CHECKING:
    from django.contrib.admin import FieldListFilter as RangeDateTimeFilter
else:
    from unfold.contrib.filters.admin import RangeDateTimeFilter

ENDS = {"from": "gte", "to": "lte"}


class MomentRangeFilter(RangeDateTimeFilter):
    """From a moment to another, in the console's time zone. The theme's own leaves the zone away.

    What is no day or no time narrows nothing.
    """

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The rows between both moments."""
        for end, lookup in ENDS.items():
            parts = [self.used_parameters.get(f"{self.field_path}_{end}_{part}") or "" for part in (0, 1)]
            if moment := parse_datetime_str(" ".join(map(str, parts))):
                aware = moment.replace(tzinfo=get_current_timezone())
                queryset = queryset.filter(Q((f"{self.field_path}__{lookup}", aware)))
        return queryset
