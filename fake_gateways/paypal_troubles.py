"""Makes the stand-in for PayPal misbehave, and records the requests that it gets."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from fake_gateways.loopback import Request


@dataclass
class Trouble:
    """What happens to the next `times` requests that match. Status 0 closes the connection without an answer."""

    status: int
    path_part: str
    method: str
    times: int
    after_effect: bool
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Troubles:
    """The planned troubles, each used up by matching requests, and all requests that came, oldest first."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self._orders: list[Trouble] = []
        self._orders_lock = threading.Lock()

    def hang_up_after(self, path_part: str, *, times: int = 1, method: str = "POST") -> None:
        """Carry out the next requests whose path contains `path_part`, and close the connection without an answer."""
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
        """Answer the next requests whose path contains `path_part` with this status.

        The requests are not carried out, except with `after_effect`. `body` replaces PayPal's JSON for an error.
        """
        self._add(Trouble(status, path_part, method, times, after_effect, headers or {}, body))

    def paths(self, path_part: str = "", method: str = "") -> list[str]:
        """The paths of the requests that came: all, or only those that match."""
        asked = [request for request in self.requests if method in {"", request.method}]
        return [request.path for request in asked if path_part in request.path]

    def trouble_for(self, request: Request) -> Trouble | None:
        """Record a request. Return the first trouble that matches it, and count it as used once."""
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
