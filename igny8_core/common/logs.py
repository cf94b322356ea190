"""One JSON line per log record: no text of a client can forge a second line, and secrets do not get through."""

import json
import logging
import re
from datetime import UTC, datetime

from igny8_core.common.request_id import current_request_id

STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
    "server_time",
}
SECRET = re.compile(
    r"(?i)(bearer\s+|password\W{1,4}|token\W{1,4}|secret\W{1,4}|://[^\s:/@]{1,100}:)[^\s\"'&,;@]+|eyJ[\w-]+\.[\w-]+\.[\w-]+"
    # A text that we signed, with its moment: the token of a mailed link, or of a payment page in its address.
    r"|[\w.-]{1,100}:\w{6}:[\w-]{43}(?![\w-])"
)


def redact(text: str) -> str:
    """`text` with passwords, tokens and bearer credentials replaced by `[redacted]`."""
    return SECRET.sub(lambda match: f"{match[1] or ''}[redacted]", text)


class JsonFormatter(logging.Formatter):
    """time, level, logger, message, request id, and whatever the caller passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id() or getattr(getattr(record, "request", None), "request_id", ""),
        }
        entry |= {key: value for key, value in vars(record).items() if key not in STANDARD_ATTRIBUTES}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return redact(json.dumps(entry, default=str))
