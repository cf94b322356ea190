"""An HTTP server on 127.0.0.1. One function answers all requests. It may also close a connection unanswered."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """A request. `path` includes the query string, as it was sent. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """An answer. `body` is sent unchanged."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class HangUp(Exception):
    """A handler raises this to close the connection without an answer."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default queue holds five connections. A sixth caller at the same moment would wait a second to connect.
    request_queue_size = 128


class LoopbackServer:
    """Serves `handle` on a port of 127.0.0.1 in its own threads until `stop`. Port 0 means any free port."""

    def __init__(self, handle: Callable[[Request], Answer], port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _handler_of(handle))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """http://127.0.0.1:port"""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "LoopbackServer":
        """Start answering requests. Returns the server itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler_of(handle: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body are written separately. Without this, the body waits 40 ms for the client's acknowledgement.
        disable_nagle_algorithm = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            try:
                answer = handle(Request(self.command, self.path, headers, body))
            except HangUp:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_DELETE = do_PATCH = do_PUT = _answer  # noqa: N815 (http.server's names)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Log nothing, because requests contain secret keys."""

    return Handler
