"""Rows that were selected in a list and are sent once more by the page between."""

from collections.abc import Iterable
from typing import Any

from django import forms


class IdsField(forms.Field):
    """The ids of rows in one field: browsers and servers take thousands of fields badly.

    `most`: so many are taken. `rows`: what they are, in the sentence about too many.
    """

    def __init__(self, most: int, rows: str, **options: Any) -> None:
        super().__init__(**options)
        self.most, self.rows = most, rows

    def to_python(self, value: Any) -> list[int]:
        """The ids. Raises ValidationError for what is no list of them."""
        ids = [part for part in str(value or "").split(",") if part]
        if len(ids) > self.most or not all(part.isdecimal() and len(part) < 19 for part in ids):
            raise forms.ValidationError(f"At most {self.most} {self.rows} are decided together. Select them again.")
        return [int(part) for part in ids]


def joined(ids: Iterable[int]) -> str:
    """The ids as IdsField reads them."""
    return ",".join(map(str, ids))
