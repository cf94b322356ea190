"""A connection to a server that can go silent: what is sent is swallowed, and nothing is closed."""

import contextlib
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Passes everything on to `target`, until it is silent."""

    target: tuple[str, int]
    listener: socket.socket
    silent: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while not self.ended.is_set():
                near, _ = self.listener.accept()
                threading.Thread(target=self._pass_on, args=(near,), daemon=True).start()

    def _pass_on(self, near: socket.socket) -> None:
        with near, socket.create_connection(self.target) as far, contextlib.suppress(OSError):
            while not self.ended.is_set():
                if self.silent.is_set():
                    self.ended.wait(0.05)
                    continue
                for ready in select.select([near, far], [], [], 0.05)[0]:
                    if self.silent.is_set():
                        continue
                    data = ready.recv(65536)
                    if not data:
                        return
                    (far if ready is near else near).sendall(data)


@contextlib.contextmanager
def proxy_to(host: str, port: int) -> Iterator[Proxy]:
    """A proxy in front of a server on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = Proxy((host, port), listener)
        threading.Thread(target=proxy.serve, daemon=True).start()
        yield proxy
        proxy.ended.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
