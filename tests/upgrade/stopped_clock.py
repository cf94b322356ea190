"""One clock for the program and its database server, which stands where it is put."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import time_machine
from django.db import connection
from django.db.backends.signals import connection_created

# Until the program had one clock, some of its SQL read the server's. These stand in the way of the server's functions.
FUNCTIONS = """
CREATE SCHEMA IF NOT EXISTS stopped_clock;
CREATE OR REPLACE FUNCTION stopped_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$SELECT current_setting('stopped_clock.moment')::timestamptz$$;
CREATE OR REPLACE FUNCTION stopped_clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$SELECT current_setting('stopped_clock.moment')::timestamptz$$;
"""
GONE = "DROP SCHEMA stopped_clock CASCADE"
# A schema that is named before pg_catalog is searched before it.
IN_THE_WAY = """
SET search_path = stopped_clock, pg_catalog, public;
SELECT set_config('stopped_clock.moment', %s, false);
"""


class StoppedClock:
    """Moves only when told."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller
        self.moment = datetime.now().astimezone()

    def move_to(self, moment: datetime) -> None:
        """Stop at a moment, which has a time zone."""
        self._traveller.move_to(moment, tick=False)
        self.moment = moment
        self._tell_server()

    def _tell_server(self, **_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(IN_THE_WAY, [self.moment.isoformat()])


@contextmanager
def stopped_at(moment: datetime) -> Iterator[StoppedClock]:
    """The clock stands at a moment, in the tables of the default database, too."""
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
    with time_machine.travel(moment, tick=False) as traveller:
        clock = StoppedClock(traveller)
        connection_created.connect(clock._tell_server)
        clock.move_to(moment)
        yield clock
        connection_created.disconnect(clock._tell_server)
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute(GONE)
