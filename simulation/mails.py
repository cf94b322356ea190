"""Counts mails instead of sending them. Forked workers write to the same file, so none is forgotten."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from igny8_core.events.models import Event

BACKEND = f"{__name__}.CountingBackend"
OF_EVENT = re.compile(r"<event-(\d+)@")
OTHER = "not about an event"


class Letterbox:
    """Where mails are counted: a file with a line for each."""

    path: Path | None = None

    @classmethod
    def sent(cls) -> list[str]:
        """The Message-ID and receivers of every mail, in the order of sending."""
        return cls.path.read_text(encoding="utf-8").splitlines() if cls.path and cls.path.exists() else []


class CountingBackend(BaseEmailBackend):
    """Django's mail backend that notes each mail in the letterbox."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Note the mails, each with one write, which other processes do not interleave."""
        if Letterbox.path is None:
            raise RuntimeError("The letterbox has no file. Set Letterbox.path before mails are sent.")
        for message in email_messages:
            line = f"{message.extra_headers.get('Message-ID', '')} {','.join(sorted(message.recipients()))}\n"
            file = os.open(Letterbox.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)
        return len(email_messages)


def by_kind() -> Counter[str]:
    """How many mails were sent about each type of event."""
    lines = Letterbox.sent()
    numbers = [int(found[1]) if (found := OF_EVENT.match(line)) else 0 for line in lines]
    types = dict(Event.objects.filter(pk__in=set(numbers)).values_list("pk", "type"))
    return Counter(types.get(number, OTHER) for number in numbers)


def sent_again() -> int:
    """How many mails were sent a second time, because a worker was killed between sending and noting it."""
    lines = Letterbox.sent()
    return len(lines) - len(set(lines))
