"""The list of payment methods of a country over HTTP, against a view that answers with constant bytes."""

import contextlib
import http.client
import re
import shutil
import subprocess
import threading
import time

import bench

LIST = "/api/v1/billing/payment-methods/?country=PK"
CONSTANT = "/api/v1/billing/constant/"
CONNECTIONS = 16
GOAL = 0.8


def main() -> None:
    setup = bench.prepare(__doc__)
    with bench.server(DJANGO_SETTINGS_MODULE="benchmarks.payment_method_settings") as port:
        if get(port, LIST) != get(port, CONSTANT):
            raise SystemExit("The two views do not answer the same bytes.")
        for path in (LIST, CONSTANT):
            load(port, path, 1)
        bench.compare(
            f"payment methods, {CONNECTIONS} connections",
            setup,
            lambda: load(port, LIST, setup.seconds),
            lambda: load(port, CONSTANT, setup.seconds),
            GOAL,
        )
    bench.finish()


def get(port: int, path: str) -> bytes:
    """The body of an answer, which must be 200."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        return _get(connection, path)


def _get(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:300]!r}")
    return body


def load(port: int, path: str, seconds: float) -> float:
    """Requests per second over kept-alive connections: by wrk where it is installed, else by threads of our own."""
    wrk = shutil.which("wrk")
    if not wrk:
        return _load_by_threads(port, path, seconds)
    command = [wrk, "-t", "1", "-c", str(CONNECTIONS), "-d", f"{max(1, round(seconds))}s"]
    done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(done.stdout)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if rate is None:
        raise SystemExit(done.stdout)
    return float(rate[1])


def _load_by_threads(port: int, path: str, seconds: float) -> float:
    counts: list[int] = []
    end = time.perf_counter() + seconds

    def run() -> None:
        count = 0
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            while time.perf_counter() < end:
                _get(connection, path)
                count += 1
        counts.append(count)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


if __name__ == "__main__":
    main()
