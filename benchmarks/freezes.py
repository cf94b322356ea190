"""What happens while the mail server, Redis, the database or a payment gateway is silent: who waits, and for how long.

Everything runs as in production, each part behind a proxy of ours that can swallow what is sent; Redis is stopped
(SIGSTOP). One after the other is frozen for --seconds (60), while probes, a customer's reads, payments and the workers'
money jobs are measured. Prints a table in Markdown.
"""

import contextlib
import http.client
import itertools
import json
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import bench
import installation
import psycopg2

CLIENT_PATIENCE = 40  # seconds
BEFORE = 6  # seconds of rest before each freeze
RECOVERY_LIMIT = 90  # seconds
INVOICES = 400
MONEY, MAIL = "billing.process_webhooks", "events.send_mails"


@dataclass
class Seen:
    """What one kind of request met with while a part was frozen."""

    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        if not self.seconds:
            return "none ended"
        answers = ", ".join(f"{count} × {answer}" for answer, count in self.answers.most_common())
        return f"p50 {statistics.median(self.seconds):.2f} s, worst {max(self.seconds):.2f} s ({answers})"


@dataclass(frozen=True)
class Ask:
    """A request that is sent again and again, `pause` seconds after the last answer."""

    name: str
    pause: float
    send: Callable[[http.client.HTTPConnection], None]


class Asking:
    """Sends each kind of request in a thread of its own, and notes how it went since `begin`."""

    def __init__(self, port: int, asks: list[Ask]) -> None:
        self.port, self.seen = port, {ask.name: Seen() for ask in asks}
        self.last_good = dict.fromkeys(self.seen, 0.0)
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(ask,), daemon=True) for ask in asks]
        for thread in self.threads:
            thread.start()

    def begin(self) -> None:
        """Forget what was seen."""
        for name in self.seen:
            self.seen[name] = Seen()

    def _run(self, ask: Ask) -> None:
        while not self.ended.wait(ask.pause):
            started = time.monotonic()
            answer = _answer(self.port, ask)
            self.seen[ask.name].seconds.append(time.monotonic() - started)
            self.seen[ask.name].answers[answer] += 1
            if answer in {"200", "201"}:
                self.last_good[ask.name] = started


def _answer(port: int, ask: Ask) -> str:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=CLIENT_PATIENCE)) as connection:
        try:
            ask.send(connection)
            return str(connection.getresponse().status)
        except (OSError, http.client.HTTPException) as problem:
            return type(problem).__name__


class Runs:
    """The gaps between the runs of scheduled tasks, read past the proxy."""

    def __init__(self, url: str) -> None:
        self.url, self.worst, self.last = url, Counter[str](), dict[str, float]()
        self.ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def begin(self) -> None:
        """Forget the gaps so far."""
        self.worst.clear()

    def _run(self) -> None:
        with contextlib.closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not self.ended.wait(0.25):
                cursor.execute(
                    "SELECT task, extract(epoch FROM clock_timestamp() - succeeded_at) FROM igny8_task_runs "
                    "WHERE task IN (%s, %s)",
                    [MONEY, MAIL],
                )
                for task, age in cursor.fetchall():
                    self.last[task] = float(age)
                    self.worst[task] = max(self.worst[task], float(age))


def main() -> None:
    setup = bench.prepare(__doc__, seconds=60.0)
    bench.make_accounts([1, 2])
    token, invoices = build()
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    rows = []
    with installation.running(THROTTLING="off") as parts:
        asking, runs = Asking(parts.port, asks(token, invoices)), Runs(settings.DATABASE_URL)
        time.sleep(20)  # the workers start
        for part in installation.FROZEN:
            rows.append(measure(part, setup.seconds, parts, asking, runs))
            print(rows[-1], flush=True)
        asking.ended.set()
        runs.ended.set()
    print("\n".join([*HEAD, *rows]), flush=True)
    bench.finish()


HEAD = (
    "| frozen | /healthz/ | /readyz/ | a customer's read | a payment | money job, longest gap | back after |",
    "|---|---|---|---|---|---|---|",
)


def measure(part: str, seconds: float, parts: installation.Installation, asking: Asking, runs: Runs) -> str:
    """Freeze one part for so long; returns the row of the table."""
    time.sleep(BEFORE)
    asking.begin()
    runs.begin()
    parts.freeze(part)
    make_mails()
    time.sleep(seconds)
    seen, gap = dict(asking.seen), runs.worst[MONEY]
    mails = parts.mails.count
    parts.thaw(part)
    back = recovery(asking, runs, parts, mails if part == "smtp" else None)
    told = " | ".join(str(seen[name]) for name in ("/healthz/", "/readyz/", "read", "pay"))
    return f"| {part}, {seconds:g} s | {told} | {gap:.1f} s | {back} |"


def recovery(asking: Asking, runs: Runs, parts: installation.Installation, mails: int | None) -> str:
    """How long after the thaw everything was well again; `mails`: how many had been sent, if they are waited for."""
    thawed, back = time.monotonic(), dict[str, float]()
    while time.monotonic() - thawed < RECOVERY_LIMIT:
        for name, at in asking.last_good.items():
            if at > thawed:
                back.setdefault(name, at - thawed)
        if runs.last.get(MONEY, 99) < 4:
            back.setdefault("money jobs", time.monotonic() - thawed)
        if mails is not None and parts.mails.count > mails:
            back.setdefault("mails", time.monotonic() - thawed)
        if len(back) == len(asking.seen) + 1 + (mails is not None):
            break
        time.sleep(0.1)
    slowest = max(back, key=lambda name: back[name])
    missing = {*asking.seen, "money jobs"} - set(back)
    return f"{back[slowest]:.1f} s ({slowest})" + (f", not back: {', '.join(sorted(missing))}" if missing else "")


def asks(token: str, invoices: list[int]) -> list[Ask]:
    """What is asked all the time."""
    headers, numbers = {"Authorization": f"Bearer {token}"}, itertools.cycle(invoices)

    def pay(connection: http.client.HTTPConnection) -> None:
        path = f"/api/v1/billing/invoices/{next(numbers)}/pay/"
        body = json.dumps({"payment_method": "stripe"})
        connection.request("POST", path, body, {**headers, "Content-Type": "application/json"})

    def get(path: str, **more: str) -> Callable[[http.client.HTTPConnection], None]:
        return lambda connection: connection.request("GET", path, headers=more)

    return [
        Ask("/healthz/", 0.5, get("/healthz/")),
        Ask("/readyz/", 0.5, get("/readyz/")),
        Ask("read", 0.3, get("/api/v1/billing/credits/balance/", **headers)),
        Ask("pay", 2.0, pay),
    ]


def build() -> tuple[str, list[int]]:
    """An active account with invoices to pay by card; its owner's access token, and the invoices' ids."""
    from django.conf import settings
    from django.contrib.auth.hashers import make_password

    from igny8_core.auth.models import Account, AccountStatus, User
    from igny8_core.auth.services.sessions import open_session
    from igny8_core.business.billing.models import PaymentMethodConfig
    from igny8_core.business.billing.services.invoice_service import InvoiceService
    from igny8_core.events.models import Delivery

    settings.MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = INVOICES + 1
    Account.objects.update(status=AccountStatus.ACTIVE, billing_email="billing@example.com")
    PaymentMethodConfig.objects.update_or_create(
        country_code="*", payment_method="stripe", defaults={"display_name": "Card", "is_enabled": True}
    )
    account = Account.objects.get(pk=1)
    line = {"description": "Starter plan, monthly", "quantity": 1, "amount": "89.00"}
    invoices = [InvoiceService.create_invoice(account, line_items=[line]).pk for _ in range(INVOICES)]
    # Their mails would be sent all the time.
    Delivery.objects.update(status="done", next_attempt_at=None)
    _continue_ids_after(100)
    # Who has no password gets no mail to choose a new one.
    User.objects.update(password=make_password("a long and unusual one"))
    return open_session(User.objects.get(pk=1)).access, invoices


def _continue_ids_after(number: int) -> None:
    # The accounts were made with ids of their own.
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("igny8_accounts", "igny8_users"):
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, number])


def make_mails() -> None:
    """Events that have mails, committed past the proxy."""
    from igny8_core.auth.models import User
    from igny8_core.auth.services.users import request_password_reset

    for owner in User.objects.order_by("pk"):
        for _ in range(3):
            request_password_reset(owner.email)


if __name__ == "__main__":
    main()
