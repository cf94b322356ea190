"""The roots of our serializers: what comes in has explicit fields and nothing beside them; what goes out is quick."""

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any

from rest_framework import serializers

# A megabyte of unknown names would otherwise be answered with many megabytes of sentences.
MAX_REPORTED = 50


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown and read-only fields instead of dropping them (MAS-02).

    Operations declare their own subclass field by field; there is no serializer made from a model, because a new
    column would then become writable by itself. Its fields are made once per process, unless it changes an object in
    part: then each has to know that.
    """

    @cached_property
    def fields(self) -> Any:
        return super().fields if getattr(self.root, "partial", False) else _fields_of(type(self))

    def to_internal_value(self, data: Any) -> Any:
        """Validate `data`; raises ValidationError naming each field that is not part of this operation."""
        if isinstance(data, Mapping):
            self._refuse_unknown(data)
        return super().to_internal_value(data)

    def _refuse_unknown(self, data: Mapping[str, Any]) -> None:
        known = [name for name, field in self.fields.items() if not field.read_only]
        unknown = [name for name in data if name not in known]
        if unknown:
            text = f"Unknown field. Known fields: {', '.join(known) or 'none'}."
            raise serializers.ValidationError({name: [text] for name in unknown[:MAX_REPORTED]}, code="unknown_field")


class OutputSerializer(serializers.Serializer[Any]):
    """A serializer of answers. Its fields are made once per process, because DRF's copies cost more than the rest.

    So they know nothing of one request: what needs `context` is a plain serializers.Serializer.
    """

    @cached_property
    def fields(self) -> Any:
        return _fields_of(type(self))


@cache
def _fields_of(kind: type[serializers.Serializer[Any]]) -> Any:
    # DRF's own property, on an object that stays.
    return vars(serializers.Serializer)["fields"].func(kind())
