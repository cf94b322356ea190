"""An HTTP server on 127.0.0.1 around one function, which may also hang up without an answer."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """`path` is as it was sent, with its query string; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """`body` is sent as it is."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class HangUp(Exception):
    """Raised by a handler that has done its work and closes the connection instead of answering."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # With the usual five, the sixth of many callers at once waits a second to connect.
    request_queue_size = 128


class LoopbackServer:
    """Serves `handle` on a port of 127.0.0.1 (0: any free one) on threads of its own, until `stop`."""

    def __init__(self, handle: Callable[[Request], Answer], port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _handler_of(handle))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """http://127.0.0.1:port"""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> "LoopbackServer":
        """Begin to answer; returns itself."""
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
        # Headers and body are two writes: without this the second one waits 40 ms for the client's acknowledgement.
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
            """Nothing: requests hold keys."""

    return Handler
