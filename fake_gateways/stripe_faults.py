"""Misbehaviour on request: answers that are lost, late or errors."""

import threading
from dataclasses import dataclass, field

from fake_gateways.stripe_billing import Billing


class NoAnswer(Exception):
    """The request had its effect, and the caller never hears of it."""


class NotListening(Exception):
    """Nobody took the connection; nothing happened."""


@dataclass
class HeldBack:
    """An answer that waits. `has_arrived` is set once the request has had its effect."""

    has_arrived: threading.Event = field(default_factory=threading.Event)
    may_go: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let the answer go."""
        self.may_go.set()


@dataclass
class Fault:
    """What befalls the next `times` requests whose method and path begin like these."""

    times: int
    method: str
    path: str
    lost: bool = False
    refused: bool = False
    status: int = 0
    is_stored: bool = True
    retry_after: int | None = None
    held: HeldBack | None = None

    def befalls(self, method: str, path: str) -> bool:
        """Whether this request is one of them."""
        return bool(self.times) and method.startswith(self.method) and path.startswith(self.path)


class Faults(Billing):
    """The part of the stand-in that can be told to misbehave."""

    def __init__(self) -> None:
        super().__init__()
        self._faults: list[Fault] = []

    def lose_next_answers(self, times: int = 1, *, method: str = "", path: str = "/v1/") -> None:
        """The next matching requests have their effect, and then the connection breaks. The SDK tries three times."""
        self._faults.append(Fault(times, method, path, lost=True))

    def refuse_next_connections(self, times: int = 1, *, method: str = "", path: str = "/v1/") -> None:
        """The next matching requests find nobody listening."""
        self._faults.append(Fault(times, method, path, refused=True))

    def answer_next(
        self,
        status: int,
        times: int = 1,
        *,
        method: str = "",
        path: str = "/v1/",
        is_stored: bool = True,
        retry_after: int | None = None,
    ) -> None:
        """The next matching requests get a status (401, 403, 429, 500, 503, …) and have no effect.

        As with Stripe an idempotency key remembers a 5xx; with `is_stored=False` the next try succeeds.
        """
        self._faults.append(Fault(times, method, path, status=status, is_stored=is_stored, retry_after=retry_after))

    def hold_back_next(self, *, method: str = "", path: str = "/v1/") -> HeldBack:
        """The next matching request has its effect, and its answer waits for `release` (at most ten seconds)."""
        held = HeldBack()
        self._faults.append(Fault(1, method, path, held=held))
        return held

    def _fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.befalls(method, path):
                    fault.times -= 1
                    return fault
        return None
