"""The parent classes of our serializers: a strict one for input and a quick one for output."""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

# Without this limit, a megabyte of unknown names would be answered with many megabytes of sentences.
MAX_REPORTED = 50


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer for input that refuses unknown and read-only fields instead of ignoring them (MAS-02).

    Each operation has its own subclass with explicit fields. None is made from a model, because a new column would
    become writable by itself. The fields are made once per process; a partial update needs fields of its own.
    """

    @cached_property
    def fields(self) -> Any:
        return super().fields if getattr(self.root, "partial", False) else _fields_of(type(self))

    def to_internal_value(self, data: Any) -> Any:
        """Validate `data`. Raises ValidationError naming each unknown field."""
        if isinstance(data, Mapping):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: Mapping[str, Any]) -> None:
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown = [name for name in data if name not in known]
        if unknown:
            text = _("Unknown field. Known fields: %(value)s.") % {"value": ", ".join(known) or "none"}
            raise serializers.ValidationError({name: [text] for name in unknown[:MAX_REPORTED]}, code="unknown_field")


class OutputSerializer(serializers.Serializer[Any]):
    """A serializer for answers. Its fields are made once per process: copying them is DRF's largest cost.

    The fields are shared by all requests. A field that needs `context` belongs into a plain serializers.Serializer.
    """

    @cached_property
    def fields(self) -> Any:
        return _fields_of(type(self))


@cache
def _fields_of(kind: type[serializers.Serializer[Any]]) -> Any:
    # DRF's own property, evaluated once on an instance that is kept.
    return vars(serializers.Serializer)["fields"].func(kind())
