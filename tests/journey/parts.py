"""All parts of an installation as processes of their own: bin/run's commands, a database, and a mail server."""

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings

from tests import prepared_database

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
PATIENCE = 60  # seconds; a worker needs most of it to start on a busy machine
GATEWAY_KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_journey",
    "STRIPE_PUBLIC_KEY": "pk_test_journey",
    "STRIPE_WEBHOOK_SECRET": "whsec_journey",
    "PAYPAL_CLIENT_ID": "client-journey",
    "PAYPAL_CLIENT_SECRET": "secret-journey",
    "PAYPAL_WEBHOOK_ID": "STANDIN1",
    "PAYPAL_MODE": "sandbox",
}


@dataclass
class Mailbox:
    """What has arrived at the mail server, for everybody."""

    mails: list[EmailMessage] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        with self.arrived:
            self.mails.append(message)
            self.arrived.notify_all()
        return "250 OK"

    def wait_for(self, recipient: str, text: str) -> str:
        """The text of the mail to `recipient` that says `text`, as soon as it is there."""

        def found() -> str | None:
            return next((body for body in self._to(recipient) if text in body), None)

        with self.arrived:
            body = self.arrived.wait_for(found, PATIENCE)
            assert body, f"{recipient} got no mail that says {text!r}, but {[*self._to(recipient)]}"
        return body

    def _to(self, recipient: str) -> Iterator[str]:
        for message in self.mails:
            part = message.get_body(("plain",))
            if part and recipient in str(message["To"]):
                yield part.get_content()


@dataclass(frozen=True)
class Site:
    """A running installation."""

    url: str
    mailbox: Mailbox

    def mailed_link(self, recipient: str, text: str) -> str:
        """The link to the invoice's page in the mail that says `text`."""
        [link] = set(re.findall(rf"{self.url}/pay/[^/\s]+/", self.mailbox.wait_for(recipient, text)))
        return str(link)


@contextmanager
def installation(name: str, folder: Path) -> Iterator[Site]:
    """An installation as bin/run --with-fake-gateways has it, its mails sent by SMTP; gone afterwards."""
    web, stripe, paypal, smtp = _free_ports(4)
    url = f"http://{HOST}:{web}"
    mailbox = Mailbox()
    mail_server = Controller(mailbox, hostname=HOST, port=smtp)
    with ExitStack() as on_exit:
        mail_server.start()
        on_exit.callback(mail_server.stop)
        environment = {
            **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "CELERY_BROKER_URL")},
            **GATEWAY_KEYS,
            "STRIPE_API_BASE": f"http://{HOST}:{stripe}",
            "PAYPAL_API_BASE": f"http://{HOST}:{paypal}",
            "DATABASE_URL": on_exit.enter_context(_database(name)),
            "DJANGO_DEBUG": "1",
            "BASE_URL": url,
            "EMAIL_URL": f"smtp://{HOST}:{smtp}",
            "IGNY8_VAR": str(folder),
        }
        subprocess.run([sys.executable, ROOT / "bin" / "prepare_database.py"], env=environment, cwd=ROOT, check=True)
        gateways = ["fake_gateways", "--stripe-port", str(stripe), "--paypal-port", str(paypal), "--site", url]
        server = ["gunicorn", "--config", "python:igny8_core.gunicorn_config", "--bind", f"{HOST}:{web}"]
        worker = ["celery", "-A", "igny8_core", "worker", "-P", "threads", "-c", "2", "-B", "-s", str(folder / "beat")]
        processes = [
            on_exit.enter_context(_process(command, environment, folder)) for command in (server, worker, gateways)
        ]
        # All at once; each is then waited for.
        on_exit.callback(lambda: [process.terminate() for process in processes])
        for answers in (lambda: _answers(web, "/healthz/"), lambda: _listens(stripe), lambda: _listens(paypal)):
            _wait_until(answers, processes, folder)
        yield Site(url, mailbox)


@contextmanager
def _database(name: str) -> Iterator[str]:
    """A migrated database of its own on the tests' server; gives its address."""
    template = prepared_database.migrated_template()
    address = urlsplit(settings.DATABASE_URL)
    with contextlib.closing(psycopg2.connect(address._replace(path="/postgres").geturl())) as server:
        server.autocommit = True
        cursor = server.cursor()
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield address._replace(path=f"/{name}").geturl()
        finally:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _process(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    log = folder / f"{command[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def _wait_until(is_so: Callable[[], bool], processes: list[subprocess.Popen[bytes]], folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        if is_so():
            return
        time.sleep(0.1)
    logs = "\n".join(f"{log.name}:\n{log.read_text()[-3000:]}" for log in folder.glob("*.log"))
    raise AssertionError(f"The installation did not start.\n{logs}")


def _answers(port: int, path: str) -> bool:
    with contextlib.suppress(OSError), contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=60)) as asked:
        asked.request("GET", path)
        return asked.getresponse().status == 200
    return False


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=60):
        return True
    return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        return [held.enter_context(socket.create_server((HOST, 0))).getsockname()[1] for _ in range(count)]
