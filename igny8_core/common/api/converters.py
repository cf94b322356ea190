"""Identifiers in addresses."""

from django.urls import register_converter


class Int64Converter:
    """A database id: ASCII digits that fit into 64 bits; anything longer is no address of ours (404, not 500)."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(Int64Converter, "int64")
