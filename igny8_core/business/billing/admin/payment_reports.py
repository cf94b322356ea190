"""The report of several decisions, row by row, as it goes from the server to the page and back to become a file."""

import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import astuple, dataclass

from igny8_core.common.signed_texts import BadSignature, opened, signed

SALT = "report of decided payments"


@dataclass(frozen=True)
class Row:
    """What became of one payment. `amount` is in the currency's units, as text."""

    payment: int
    invoice: str
    customer: str
    amount: str
    currency: str
    is_decided: bool
    text: str


def token_of(rows: Iterable[Row]) -> str:
    """The rows for a form's hidden field: packed and signed, so that a report says what happened and nothing else."""
    packed = zlib.compress(json.dumps([astuple(row) for row in rows]).encode())
    return signed(urlsafe_b64encode(packed).decode(), salt=SALT)


def rows_in(tokens: Iterable[str]) -> list[Row]:
    """The rows of tokens of ours; those that we did not sign have none."""
    found: list[Row] = []
    for token in tokens:
        try:
            packed = urlsafe_b64decode(opened(token, salt=SALT))
        except BadSignature:
            continue
        found += [Row(*columns) for columns in json.loads(zlib.decompress(packed))]
    return found
