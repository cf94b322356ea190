"""Logs one JSON line per record, so that no text of a caller can forge a line, and removes secrets."""

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
    # A signed text with its time (common/signed_texts.py): the token of an e-mailed link or of a payment page.
    r"|[\w.-]{1,100}:\w{6}:[\w-]{43}(?![\w-])"
)


def redact(text: str) -> str:
    """`text` with passwords, tokens and bearer credentials replaced by `[redacted]`."""
    return SECRET.sub(lambda match: f"{match[1] or ''}[redacted]", text)


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id and all that was passed as `extra`, with secrets redacted."""

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
