"""The way to the mail server: one worker at a time, and a rest while the server does not answer (FLT-11).

A server that takes connections and stays silent would else hold every thread of every worker for its timeout. The state
is a row, because workers share nothing but the database, and a pooler keeps no locks of a session.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet

from igny8_core.common import clock
from igny8_core.events.models import Lane

logger = logging.getLogger(__name__)

MAIL = "mail"
# Longer than any one mail takes. If its holder dies, nobody sends mails for so long.
HELD_FOR = timedelta(minutes=2)
# The rest after each failure in a row; the last one is kept up. Then one mail is tried, by one worker.
RESTS = [timedelta(seconds=seconds) for seconds in (5, 10, 20, 30, 60)]
LONGEST_ERROR = 500

TAKE = """
    INSERT INTO igny8_delivery_lanes (name, holder, held_until, failures, last_error)
    VALUES (%(name)s, %(holder)s, %(until)s, 0, '')
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
    WHERE (igny8_delivery_lanes.held_until IS NULL OR igny8_delivery_lanes.held_until <= %(now)s)
      AND (igny8_delivery_lanes.rests_until IS NULL OR igny8_delivery_lanes.rests_until <= %(now)s)
    RETURNING failures
"""


@dataclass
class Hold:
    """A lane that this worker holds. `failures`: how often in a row its server has not answered."""

    name: str
    holder: str
    failures: int
    is_resting: bool = False

    def keep(self) -> bool:
        """Hold it for a while longer; False if another worker has taken it over meanwhile."""
        return bool(self._mine().update(held_until=clock.now() + HELD_FOR))

    def note_success(self) -> None:
        """The server answered."""
        if self.failures:
            self._mine().update(failures=0, failing_since=None, rests_until=None, last_error="")
            logger.warning("server answers again", extra={"lane": self.name, "failures": self.failures})
            self.failures = 0

    def note_failure(self, error: str) -> datetime:
        """The server did not answer, so it is left alone for a while. Returns until when."""
        now = clock.now()
        until = now + RESTS[min(self.failures, len(RESTS) - 1)]
        self.failures, self.is_resting = self.failures + 1, True
        self._mine().update(failures=self.failures, rests_until=until, last_error=error[:LONGEST_ERROR])
        self._mine().filter(failing_since=None).update(failing_since=now)
        level = logging.ERROR if self.failures == 1 else logging.WARNING
        logger.log(level, "server does not answer", extra={"lane": self.name, "error": error, "until": str(until)})
        return until

    def release(self) -> None:
        """Let others take it."""
        self._mine().update(holder="", held_until=None)

    def _mine(self) -> QuerySet[Lane]:
        return Lane.objects.filter(name=self.name, holder=self.holder)


def take(name: str) -> Hold | None:
    """Take a lane; None while another worker holds it or its server rests."""
    holder, now = uuid.uuid4().hex, clock.now()
    with connection.cursor() as cursor:
        cursor.execute(TAKE, {"name": name, "holder": holder, "until": now + HELD_FOR, "now": now})
        row = cursor.fetchone()
    return Hold(name, holder, row[0]) if row else None


def end_rest(name: str) -> None:
    """Let the server be tried at once."""
    Lane.objects.filter(name=name).update(rests_until=None)


def failing_since(name: str) -> datetime | None:
    """Since when the lane's server has not answered; None while it does."""
    return Lane.objects.filter(name=name).values_list("failing_since", flat=True).first()
