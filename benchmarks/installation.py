"""A whole installation on this machine's loopback: web server, workers, beat, Redis, stand-ins, a mail server.

Between it and all that it depends on stands a proxy of ours that can go silent. Everything is a process that this
module started, and ends with it.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import bench

sys.path.insert(0, str(bench.ROOT))
from fake_gateways.silent_proxy import Proxy, proxy_to

HOST = "127.0.0.1"
START_LIMIT = 90  # seconds
WORKERS = {"money": "4", "mail": "2", "housekeeping": "2"}  # as in docker-compose.app.yml


@dataclass
class Mails:
    """A mail server that takes everything and counts it."""

    listener: socket.socket
    count: int = 0

    def serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._talk, args=(self.listener.accept()[0],), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), client.makefile("rwb") as lines:
            _say(lines, "220 here")
            for line in lines:
                command = line[:4].upper()
                if command == b"DATA":
                    _say(lines, "354 go on")
                    while lines.readline() not in (b".\r\n", b""):
                        pass
                    self.count += 1
                _say(lines, "221 bye" if command == b"QUIT" else "250 ok")
                if command == b"QUIT":
                    return


def _say(lines: object, text: str) -> None:
    lines.write(f"{text}\r\n".encode())  # type: ignore[attr-defined]
    lines.flush()  # type: ignore[attr-defined]


@dataclass
class Installation:
    """The running parts. `freeze` and `thaw` take one of `FROZEN`."""

    port: int
    redis: subprocess.Popen[bytes]
    proxies: dict[str, list[Proxy]]
    mails: Mails
    environment: dict[str, str]
    logs: Path
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def freeze(self, part: str) -> None:
        """Let a part be silent; Redis by stopping its process, the others by swallowing what is sent."""
        if part == "redis":
            self.redis.send_signal(signal.SIGSTOP)
        for proxy in self.proxies.get(part, []):
            proxy.silent.set()

    def thaw(self, part: str) -> None:
        """Let it go on."""
        if part == "redis":
            self.redis.send_signal(signal.SIGCONT)
        for proxy in self.proxies.get(part, []):
            proxy.silent.clear()


FROZEN = ("smtp", "redis", "database", "gateway")


@contextlib.contextmanager
def running(*, workers: int = 2, threads: int = 4, **environment: str) -> Iterator[Installation]:
    """Start everything on the database that bench.prepare() has emptied, and end it after the block."""
    if not shutil.which("redis-server"):
        raise SystemExit("redis-server is missing. Install Redis; this script starts its own.")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="igny8-bench-")))
        site, stripe, paypal, redis_port = (_free_port() for _ in range(4))
        redis = _start(
            stack, folder / "redis.log", ["redis-server", "--port", str(redis_port), "--save", "", "--dir", str(folder)]
        )
        mails = _mail_server(stack)
        at = urlsplit(os.environ["DATABASE_URL"])
        proxies = {
            "database": [stack.enter_context(proxy_to(at.hostname or HOST, at.port or 5432))],
            "smtp": [stack.enter_context(proxy_to(HOST, mails.listener.getsockname()[1]))],
            "gateway": [stack.enter_context(proxy_to(HOST, port)) for port in (stripe, paypal)],
        }
        account = at.netloc.rpartition("@")[0]
        through = at._replace(netloc=f"{account}@{HOST}:{proxies['database'][0].port}").geturl()
        child = {
            **os.environ,
            **_gateway_keys(proxies["gateway"]),
            "DATABASE_URL": through,
            "REDIS_URL": f"redis://{HOST}:{redis_port}/0",
            "EMAIL_URL": f"smtp://{HOST}:{proxies['smtp'][0].port}",
            "DJANGO_SETTINGS_MODULE": "benchmarks.installation_settings",
            "LOG_LEVEL": "INFO",
            "IGNY8_VAR": str(folder),
            "PYTHONPATH": str(bench.ROOT),
            **environment,
        }
        parts = Installation(site, redis, proxies, mails, child, folder)
        own = {**child, "STRIPE_API_BASE": f"http://{HOST}:{stripe}", "PAYPAL_API_BASE": f"http://{HOST}:{paypal}"}
        stand_ins = ["--stripe-port", str(stripe), "--paypal-port", str(paypal), "--site", f"http://{HOST}:{site}"]
        commands: dict[str, tuple[list[str], dict[str, str]]] = {
            "gateways": ([sys.executable, "-m", "fake_gateways", *stand_ins], own),
            "web": (_web(site, workers, threads), child),
            "beat": ([*_celery("beat"), "--schedule", str(folder / "beat-schedule")], child),
        }
        for queue, at_once in WORKERS.items():
            options = ["--queues", queue, "--pool", "threads", "--concurrency", at_once, "--hostname", queue]
            commands[queue] = ([*_celery("worker"), *options], child)
        for name, (command, variables) in commands.items():
            parts.processes.append(_start(stack, folder / f"{name}.log", command, variables))
        _wait_for(site, parts)
        yield parts


def _gateway_keys(proxies: list[Proxy]) -> dict[str, str]:
    stripe, paypal = proxies
    return {
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(12)}",
        "STRIPE_PUBLIC_KEY": f"pk_test_{secrets.token_hex(12)}",
        "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
        "STRIPE_API_BASE": f"http://{HOST}:{stripe.port}",
        "PAYPAL_CLIENT_ID": "client-benchmark",
        "PAYPAL_CLIENT_SECRET": secrets.token_hex(16),
        "PAYPAL_WEBHOOK_ID": "STANDIN1",
        "PAYPAL_MODE": "sandbox",
        "PAYPAL_API_BASE": f"http://{HOST}:{paypal.port}",
    }


def _web(port: int, workers: int, threads: int) -> list[str]:
    options = ["--bind", f"{HOST}:{port}", "--workers", str(workers), "--threads", str(threads)]
    return [sys.executable, "-m", "gunicorn", "--config", "python:igny8_core.gunicorn_config", *options]


def _celery(what: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--quiet", "-A", "igny8_core", what]


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        return int(probe.getsockname()[1])


def _mail_server(stack: contextlib.ExitStack) -> Mails:
    mails = Mails(stack.enter_context(socket.create_server((HOST, 0))))
    threading.Thread(target=mails.serve, daemon=True).start()
    return mails


def _start(
    stack: contextlib.ExitStack, log: Path, command: list[str], environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    output = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(command, cwd=bench.ROOT, env=environment, stdout=output, stderr=output)
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGCONT)
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _wait_for(port: int, parts: Installation) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        ended = [process.args for process in parts.processes if process.poll() is not None]
        if ended:
            raise SystemExit(f"{ended[0]} ended by itself:\n{_end_of_logs(parts.logs)}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.2)
    raise SystemExit(f"The web server did not start:\n{_end_of_logs(parts.logs)}")


def _end_of_logs(folder: Path) -> str:
    return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in folder.glob("*.log"))
