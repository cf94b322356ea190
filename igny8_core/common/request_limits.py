"""The general limits of the API: per network, person and account, for every request, without a statement for each.

Each process counts by itself and adds what it counted to the counters that all processes share (rate_limits.py), once
in so many hits. So a caller gets through a little more than the limit, by SHARE_AFTER hits for each process at most,
and a request costs some additions in a dictionary. Who is over the limit costs nothing more until the window ends.
"""

import logging
import time
from collections.abc import Sequence

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from igny8_core.common import clock, limit_hits
from igny8_core.common.network import Network
from igny8_core.common.rate_limits import Rate, add, rates_of
from igny8_core.common.security_log import security_event

logger = logging.getLogger(__name__)

# Hits after which a process tells the others; fewer where a limit is small.
SHARE_AFTER = 25
# How long who was recognized is let through a network that is over its limit, and how many of them are kept in mind.
KNOWN_FOR = 15 * 60.0  # seconds
MOST_KNOWN = 20_000
# Where a scope is left out of the settings.
NEVER = 2**62
NO_LIMIT = Rate("", NEVER, 60)


class SharedLimit:
    """One scope of settings.RATE_LIMITS, of which the first rate counts."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._read_from: object = None
        self._rate = NO_LIMIT
        self._share_after = SHARE_AFTER
        self._ends_at = 0.0
        self._counts: dict[object, int] = {}
        self._over: set[object] = set()

    def refuses(self, caller: object, times: int = 1) -> bool:
        """Count a request of `caller`, who may do `times` as much as the rate says. Whether it is too much."""
        if settings.RATE_LIMITS is not self._read_from or time.monotonic() >= self._ends_at:
            self._begin_window()
        if caller in self._over:
            return self._note()
        count = self._counts[caller] = self._counts.get(caller, 0) + 1
        if count % self._share_after:
            return False
        return self._is_over(caller, times) and self._note()

    def refuses_network(self, networks: Sequence[Network]) -> bool:
        """Count a request from these networks, the narrowest first. Whether it is too much."""
        for network in networks:  # noqa: SIM110 - a generator would cost each request as much as the counting
            if self.refuses(network.name, network.times):
                return True
        return False

    def seconds_left(self) -> int:
        """After how many seconds the window ends."""
        return max(1, int(self._ends_at - time.monotonic()) + 1)

    def forget(self) -> None:
        """Begin anew, in this process."""
        self._read_from = None

    def _begin_window(self) -> None:
        self._read_from = settings.RATE_LIMITS
        self._rate = rates_of(self.scope)[0] if self.scope in settings.RATE_LIMITS else NO_LIMIT
        self._share_after = max(1, min(SHARE_AFTER, self._rate.limit // 20)) if self._rate is not NO_LIMIT else NEVER
        # Ends with the window of the counters that all share, so that waiting always ends at the same time.
        self._ends_at = time.monotonic() + self._rate.seconds - clock.now().timestamp() % self._rate.seconds
        self._counts, self._over = {}, set()
        limit_hits.write_due()

    def _is_over(self, caller: object, times: int) -> bool:
        try:
            total = add(self.scope, self._rate, str(caller), self._share_after)
        except (DatabaseError, InterfaceError) as error:
            # Then what this process has counted is all that is known; what was asked for will say that it is down.
            logger.warning("general limits are counted by each process alone: %s", type(error).__name__)
            total = self._counts[caller]
        if total <= self._rate.limit * times:
            return False
        self._over.add(caller)
        return True

    def _note(self) -> bool:
        limit_hits.note(self.scope)
        counted = self.scope.removeprefix("api_")
        security_event("excess_rate_limit_exceeded", "denied", scope=self.scope, rate=self._rate.text, counted=counted)
        return True


class KnownCallers:
    """What this process was shown by callers whom it recognized, as numbers that nothing can be read from.

    Each is counted as a person, not as part of its network: so a script that uses up the limit of an office's network
    stops none of its people who are at work. What is refused later is forgotten at once.
    """

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def knows(self, shown: str) -> bool:
        return self._until.get(hash(shown), 0.0) > time.monotonic()

    def note(self, shown: str) -> None:
        if len(self._until) >= MOST_KNOWN:
            self._until.clear()
        self._until[hash(shown)] = time.monotonic() + KNOWN_FOR

    def forget(self, shown: str) -> None:
        self._until.pop(hash(shown), None)

    def forget_all(self) -> None:
        self._until.clear()


KNOWN = KnownCallers()
OF_NETWORKS = SharedLimit("api_network")
OF_PEOPLE = SharedLimit("api_person")
OF_ACCOUNTS = SharedLimit("api_account")
OF_WRITES = SharedLimit("writes")
OF_MISSES = SharedLimit("misses")
ALL = (OF_NETWORKS, OF_PEOPLE, OF_ACCOUNTS, OF_WRITES, OF_MISSES)


def forget_all() -> None:
    """Begin all of these anew, in this process."""
    for limit in ALL:
        limit.forget()
    KNOWN.forget_all()
