"""Logs one JSON line per record, so that no text of a caller can forge a line, and removes secrets.

The web server and Celery write their own lines in the same form (gunicorn_config.py, celery.py).
"""

import json
import logging
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from igny8_core.common.request_id import current_request_id

STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
    "server_time",
}
REDACTED = "[redacted]"
SECRET = re.compile(
    r"(?i)((?:bearer|basic)\s+|(?:password|passwd|token|secret|api_?key|authorization|cookie)\W{1,4}(?:(?:bearer|basic)\s+)?"
    r"|://[^\s:/@]{1,100}:)[^\s\"'&,;@]+"
    r"|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    # Keys of Stripe, and what lets a browser go on with a payment.
    r"|\b(?:(?:sk|rk)_(?:test|live)_|whsec_)\w+|\b\w{1,40}_secret_\w+"
    # A signed text with its time (common/signed_texts.py): the token of an e-mailed link or of a payment page.
    r"|[\w.-]{1,100}:\w{6}:[\w-]{43}(?![\w-])"
    # The cookie of our pages.
    r"|\b[0-9a-f]{32}\.[\w-]{43}(?![\w-])"
)
SECRET_NAME = re.compile(r"(?i)password|passwd|token|secret|authorization|cookie|api_?key")
# The number of a card, in groups or not. Nobody should send us one, but people write everywhere.
CARD = re.compile(r"(?<![\w-])[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}(?![\w-])|(?<![\w-])3\d{3} ?\d{6} ?\d{5}(?![\w-])")
# Deeper than this, and longer than this, a value is cut off: a line stays a line.
DEEPEST, LONGEST = 6, 8_000


def redact(text: str) -> str:
    """`text` with passwords, tokens, keys, card numbers and bearer credentials replaced by `[redacted]`."""
    return CARD.sub(_card, SECRET.sub(lambda match: f"{match[1] or ''}{REDACTED}", text))


def _card(match: re.Match[str]) -> str:
    digits = [int(digit) for digit in match[0] if digit.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return REDACTED if 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else match[0]


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id and all that was passed as `extra`, with secrets redacted.

    What is redacted is the values and not the line, so that the line is JSON whatever is in them.
    """

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            name: REDACTED if SECRET_NAME.search(name) and isinstance(value, str) else _plain(value)
            for name, value in vars(record).items()
            if name not in STANDARD_ATTRIBUTES
        }
        entry |= {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _plain(_message(record)),
            "request_id": _request_id(record, entry),
        }
        if record.exc_info:
            entry["exception"] = _plain(self.formatException(record.exc_info))
        if record.stack_info:
            entry["stack"] = _plain(record.stack_info)
        return json.dumps(entry)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # The arguments do not fit the text. The line has to be written all the same.
        return f"{record.msg} {record.args}"


def _request_id(record: logging.LogRecord, entry: Mapping[str, Any]) -> str:
    own = getattr(getattr(record, "request", None), "request_id", "")
    return str(current_request_id() or own or entry.get("request_id", ""))


def _plain(value: object, depth: int = 0) -> Any:
    """The value as JSON has it, without secrets."""
    kind = type(value)
    if kind is str:
        return redact(value[:LONGEST])  # type: ignore[index]
    if value is None or kind is int or kind is bool or (kind is float and math.isfinite(value)):  # type: ignore[arg-type]
        return value
    if depth < DEEPEST and isinstance(value, Mapping):
        return {redact(str(name)): _plain(inner, depth + 1) for name, inner in value.items()}
    if depth < DEEPEST and isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(inner, depth + 1) for inner in value]
    return redact(str(value)[:LONGEST])
