"""Which parameters of an address each kind of filter reads; lists answer to these alone (AUT-33)."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import Model
from unfold.contrib.filters.admin import (
    AllValuesCheckboxFilter,
    BooleanRadioFilter,
    ChoicesDropdownFilter,
    FieldTextFilter,
    RangeDateFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
)

# By the filter's class; AutocompleteSelectFilter is a RelatedDropdownFilter, MomentRangeFilter a RangeDateTimeFilter.
# A new kind gets its line here, or filters nothing.
ENDINGS: dict[type[Any], tuple[str, ...]] = {
    AllValuesCheckboxFilter: ("", "__isnull"),
    BooleanRadioFilter: ("__exact", "__isnull"),
    ChoicesDropdownFilter: ("__exact", "__isnull"),
    FieldTextFilter: ("__icontains",),
    RangeDateFilter: ("_from", "_to"),
    RangeDateTimeFilter: ("_from_0", "_from_1", "_to_0", "_to_1"),
}


def lookups_of(model: type[Model], each: Any) -> set[str]:
    """The parameters of one entry of a list_filter: a column's name, that with a filter class, or one of its own."""
    if isinstance(each, str):
        return {each, f"{each}__isnull"}
    if isinstance(each, type) and issubclass(each, SimpleListFilter):
        return {str(each.parameter_name)}
    path, kind = each
    if issubclass(kind, RelatedDropdownFilter):
        key: Any = get_fields_from_path(model, path)[-1]
        return {f"{path}__{key.target_field.name}__exact", f"{path}__isnull"}
    return {f"{path}{ending}" for known, endings in ENDINGS.items() if issubclass(kind, known) for ending in endings}
