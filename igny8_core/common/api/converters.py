"""Path converters for ids in addresses."""

from django.urls import register_converter


class Int64Converter:
    """A database id: at most 18 ASCII digits, so that it fits into 64 bits. A longer number gives 404, not 500."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(Int64Converter, "int64")
