"""A mail server that is gone or silent: one worker finds out, nothing else waits, no mail is lost (FLT-03, FLT-11)."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from itertools import count
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.common import mail as mails
from igny8_core.common.mail import MailServerDown
from igny8_core.events import consumers, deliveries, lanes
from igny8_core.events.models import Delivery, DeliveryStatus, Lane
from tests import make
from tests.events.threads import in_threads

pytestmark = pytest.mark.usefixtures("undrawn_pdfs")
HERE = {"EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend"}


@contextlib.contextmanager
def mail_goes_to(port: int, **settings: Any) -> Iterator[None]:
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with override_settings(EMAIL_BACKEND=backend, EMAIL_HOST="127.0.0.1", EMAIL_PORT=port, **settings):
        yield


@pytest.fixture
def gone() -> Iterator[None]:
    """Mail goes to a port of this machine on which nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with mail_goes_to(closed.getsockname()[1]):
            yield


class Taken(list[socket.socket]):
    """The connections that a server took."""

    def __init__(self) -> None:
        super().__init__()
        self.is_one = threading.Event()

    def append(self, connected: socket.socket) -> None:
        super().append(connected)
        self.is_one.set()


@pytest.fixture
def silent() -> Iterator[Taken]:
    """Mail goes to a server that takes connections and never says a word; the connections that it took."""
    taken = Taken()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        with mail_goes_to(listener.getsockname()[1], EMAIL_TIMEOUT=0.5):
            yield taken
        listener.shutdown(socket.SHUT_RDWR)
    for connected in taken:
        connected.close()


def waiting() -> list[Delivery]:
    return list(Delivery.objects.filter(consumer="email").order_by("pk"))


def rest_is_over() -> None:
    Lane.objects.update(rests_until=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_while_the_server_is_gone_one_mail_is_tried_at_a_time_and_none_is_given_up(gone: None) -> None:
    for _ in range(3):
        make.submitted_payment()
    mails_due = Delivery.objects.filter(status=DeliveryStatus.WAITING).count()

    tries = []
    for _ in range(12):
        tries.append(deliveries.send_mails())
        assert deliveries.send_mails() == 0  # it rests
        rest_is_over()
        Delivery.objects.update(next_attempt_at=timezone.now())

    assert tries == [1] * 12
    still = Delivery.objects.filter(status=DeliveryStatus.WAITING)
    assert still.count() == mails_due
    assert max(still.values_list("attempts", flat=True)) <= 2
    assert still.filter(last_error__startswith="ConnectionRefusedError").exists()
    lane = Lane.objects.get(name="mail")
    assert lane.failures == 12
    assert lane.failing_since is not None


@pytest.mark.django_db
def test_the_rest_grows_to_a_minute_and_no_mail_waits_more_than_a_quarter_of_an_hour(gone: None) -> None:
    make.submitted_payment()
    rests = []
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(7):
            deliveries.send_mails()
            until = Lane.objects.get().rests_until
            assert until is not None
            rests.append((until - timezone.now()).total_seconds())
            times = Delivery.objects.values_list("next_attempt_at", flat=True)
            assert max(times) <= timezone.now() + deliveries.LONGEST_FOR_THE_SERVER
            rest_is_over()
            Delivery.objects.update(next_attempt_at=timezone.now())

    assert rests == [5, 10, 20, 30, 60, 60, 60]
    assert timedelta(minutes=15) == deliveries.LONGEST_FOR_THE_SERVER


@pytest.mark.django_db
def test_once_the_server_is_back_all_mails_go_at_once(gone: None, olga: User) -> None:
    for _ in range(3):
        make.submitted_payment()
    count = deliveries.send_mails() and Delivery.objects.count()
    rest_is_over()

    with override_settings(**HERE):
        # All but the one that was tried; it waits a minute for its next try.
        assert deliveries.send_mails() == count - 1
        lane = Lane.objects.get()
        assert (lane.failures, lane.failing_since, lane.rests_until, lane.holder) == (0, None, None, "")
        deliveries.send_now()
        assert deliveries.send_mails() == 1

    assert Delivery.objects.exclude(status=DeliveryStatus.DONE).count() == 0


@pytest.mark.django_db
def test_a_mail_that_the_server_breaks_on_holds_up_no_other_and_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    make.submitted_payment()
    make.submitted_payment()
    poisoned = Delivery.objects.filter(consumer="email").earliest("pk")
    email = consumers.get("email")

    def handle(event: Any) -> None:
        if event.pk == poisoned.event_id:
            raise MailServerDown("SMTPServerDisconnected: it hung up")
        email.handle(event)

    monkeypatch.setitem(consumers._consumers, "email", replace(email, handle=handle))
    for _ in range(20):
        make.submitted_payment()  # other mails come and go
        Delivery.objects.filter(pk=poisoned.pk, status=DeliveryStatus.WAITING).update(next_attempt_at=timezone.now())
        deliveries.send_mails()
        rest_is_over()

    states = dict(Delivery.objects.values_list("pk", "status"))
    assert states.pop(poisoned.pk) == DeliveryStatus.DEAD
    assert list(states.values()).count(DeliveryStatus.DONE) >= 30


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refusal", "is_down"),
    [
        (mails.smtplib.SMTPServerDisconnected("gone"), True),
        (mails.smtplib.SMTPAuthenticationError(535, b"no"), True),
        (mails.smtplib.SMTPResponseException(421, b"closing"), True),
        (TimeoutError("timed out"), True),
        (SMTPRecipientsRefused({"x@example.com": (550, b"unknown")}), False),
        (mails.smtplib.SMTPDataError(554, b"spam"), False),
        (mails.smtplib.SMTPSenderRefused(552, b"too large", "a@example.com"), False),
    ],
)
def test_a_refusal_of_one_mail_is_told_from_a_server_that_is_down(
    refusal: Exception, is_down: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(message: object) -> None:
        raise refusal

    monkeypatch.setattr(mails.EmailMultiAlternatives, "send", refuse)
    make.submitted_payment()
    deliveries.send_mails()

    assert Lane.objects.get().failures == int(is_down)


@pytest.mark.django_db(transaction=True)
def test_one_thread_waits_for_a_silent_server_and_money_waits_for_nobody(silent: Taken, settings: Any) -> None:
    """Eight workers send mails at the same time, while other deliveries are made."""
    for _ in range(4):
        make.submitted_payment()
    settings.EMAIL_TIMEOUT = 45
    done = count(1)

    def work() -> None:
        deliveries.send_mails()
        deliveries.deliver_others()
        if next(done) == 7:  # the eighth waits until the server hangs up
            assert silent.is_one.wait(30)
            silent[0].shutdown(socket.SHUT_RDWR)

    in_threads(8, work)

    assert len(silent) == 1
    assert Lane.objects.get().failures == 1


@pytest.mark.django_db
def test_who_died_while_it_sent_is_replaced_when_its_time_is_over() -> None:
    assert lanes.take(lanes.MAIL) is not None
    assert lanes.take(lanes.MAIL) is None

    Lane.objects.update(held_until=timezone.now() - timedelta(seconds=1))

    second = lanes.take(lanes.MAIL)
    assert second is not None
    assert second.keep()


@pytest.mark.django_db
def test_send_now_starts_all_pauses_anew_and_tries_the_server_at_once(gone: None, olga: User) -> None:
    make.submitted_payment()
    deliveries.send_mails()
    Delivery.objects.update(next_attempt_at=timezone.now() + timedelta(hours=12), attempts=6)

    written = StringIO()
    call_command("send_waiting", stdout=written)

    count = Delivery.objects.count()
    assert f"Deliveries that wait: {count}." in written.getvalue()
    with override_settings(**HERE):
        assert deliveries.send_mails() == count
    assert mail.outbox


@pytest.mark.django_db
def test_an_operator_sends_what_waits_with_a_button(gone: None, olga: User) -> None:
    make.submitted_payment()
    deliveries.send_mails()
    console = Client()
    console.force_login(olga)
    page = console.get("/admin/events/delivery/")
    assert "Send what waits now" in page.content.decode()
    address = reverse("admin:events_delivery_send_now")

    shown = console.get(address)  # the dialog, which changes nothing
    assert Lane.objects.get().rests_until is not None
    assert "Send now" in shown.content.decode()
    answer = console.post(address, {"_form_submitted": "1"})

    assert answer.status_code in {200, 302}
    assert Lane.objects.get().rests_until is None


# --- The connection breaks when the work is done ------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_mail_does_not_go_twice_when_the_connection_breaks_before_that_is_written_down(
    olga: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.submitted_payment()
    sent_before_break: list[int] = []
    real_send = mails.EmailMultiAlternatives.send

    def send_and_break(message: Any) -> int:
        count = real_send(message)
        sent_before_break.append(1)
        # The server ends the connection of this thread; the next statement finds out.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pid = cursor.fetchone()[0]
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
        other.close()
        return int(count)

    monkeypatch.setattr(mails.EmailMultiAlternatives, "send", send_and_break)
    deliveries.send_mails(limit=1)
    monkeypatch.undo()

    assert sent_before_break == [1]
    assert Delivery.objects.filter(status=DeliveryStatus.DONE).count() == 1
    connections["default"].ensure_connection()


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_written_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    make.submitted_payment()
    tries: list[int] = []

    def broken(*_: object, **__: object) -> bool:
        tries.append(1)
        raise OperationalError("gone")

    monkeypatch.setattr(type(deliveries.QUEUE), "close", broken)
    with pytest.raises(OperationalError):
        deliveries.send_mails(limit=1)

    assert tries == [1]
