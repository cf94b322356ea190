"""How the stand-in for PayPal is told to misbehave, and what it was asked."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from fake_gateways.loopback import Request


@dataclass
class Trouble:
    """What happens to the next `times` requests that match; status 0 hangs up."""

    status: int
    path_part: str
    method: str
    times: int
    after_effect: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Troubles:
    """Orders to misbehave, used up one by one; and every request that came, oldest first."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._orders: list[Trouble] = []
        self._orders_lock = threading.Lock()

    def hang_up_after(self, path_part: str, *, times: int = 1, method: str = "POST") -> None:
        """Do what the next requests with this in their path ask, and close the connection without an answer."""
        self._add(Trouble(0, path_part, method, times, after_effect=True))

    def answer_next(
        self,
        status: int,
        path_part: str,
        *,
        times: int = 1,
        method: str = "POST",
        after_effect: bool = False,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Give the next requests with this in their path this answer, without doing what they ask or (`after_effect`)
        after it; `body` takes the place of PayPal's JSON for an error."""
        self._add(Trouble(status, path_part, method, times, after_effect, headers or {}, body))

    def paths(self, path_part: str = "", method: str = "") -> list[str]:
        """The paths that were asked for, or those of one kind."""
        asked = [request for request in self.requests if method in {"", request.method}]
        return [request.path for request in asked if path_part in request.path]

    def trouble_for(self, request: Request) -> Trouble | None:
        """Note a request, and use up the first order that matches it."""
        with self._orders_lock:
            self.requests.append(request)
            for trouble in self._orders:
                if trouble.times and trouble.method == request.method and trouble.path_part in request.path:
                    trouble.times -= 1
                    return trouble
        return None

    def _add(self, trouble: Trouble) -> None:
        with self._orders_lock:
            self._orders.append(trouble)
