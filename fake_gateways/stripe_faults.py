"""Misbehaviour that tests ask for: lost answers, late answers and errors."""

import threading
from dataclasses import dataclass, field

from fake_gateways.stripe_billing import Billing


class NoAnswer(Exception):
    """The request was carried out, but the caller gets no answer."""


class NotListening(Exception):
    """The connection was refused, so nothing happened."""


@dataclass
class HeldBack:
    """An answer that waits. `has_arrived` is set once the request was carried out."""

    has_arrived: threading.Event = field(default_factory=threading.Event)
    may_go: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Send the answer."""
        self.may_go.set()


@dataclass
class Fault:
    """What happens to the next `times` requests whose method and path begin with `method` and `path`."""

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
        """Whether this fault applies to the request."""
        return bool(self.times) and method.startswith(self.method) and path.startswith(self.path)


class Faults(Billing):
    """The part of the stand-in that misbehaves if a test asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self._faults: list[Fault] = []

    def lose_next_answers(self, times: int = 1, *, method: str = "", path: str = "/v1/") -> None:
        """The next matching requests are carried out, then the connection breaks. The SDK tries three times."""
        self._faults.append(Fault(times, method, path, lost=True))

    def refuse_next_connections(self, times: int = 1, *, method: str = "", path: str = "/v1/") -> None:
        """The connections of the next matching requests are refused."""
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

        A 5xx is stored for the idempotency key, as at Stripe. With `is_stored=False` it is not: the next try succeeds.
        """
        self._faults.append(Fault(times, method, path, status=status, is_stored=is_stored, retry_after=retry_after))

    def hold_back_next(self, *, method: str = "", path: str = "/v1/") -> HeldBack:
        """The next matching request is carried out. Its answer waits for `release`, at most ten seconds."""
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
