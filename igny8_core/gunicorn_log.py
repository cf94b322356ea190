"""gunicorn's own lines in the form of all others."""

import logging

from gunicorn.config import Config
from gunicorn.glogging import Logger

from igny8_core.common.logs import JsonFormatter


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's logger, with our formatter. There is no access log: each request has its line (request_log.py)."""

    def setup(self, cfg: Config) -> None:
        """See gunicorn. What Python warns of becomes a line, too."""
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
        logging.captureWarnings(True)
