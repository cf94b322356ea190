"""Sending mails: text and HTML from one pair of templates, never inside a transaction."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from igny8_core.common.text import showable

# Addresses of people whose account was deleted end so; nothing is ever sent there (RFC 2606: .invalid is nobody's).
ERASED_DOMAIN = "deleted.invalid"
# What mail programs make a link of: a scheme, or a dot before what could be a top-level domain.
LINK_LIKE = re.compile(r":(?=//)|(?<=\w)(?=\.[^\W\d_]{2})")


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Mail:
    """What is said to whom: `template` names the pair emails/<template>.txt and .html.

    `attachment` is called outside of any transaction, because making a file can be slow; None goes without.
    """

    template: str
    subject: str
    recipients: list[str]
    context: dict[str, Any]
    attachment: Callable[[], Attachment | None] | None = None


def send(write: Callable[[], Mail | None], message_id: str) -> None:
    """Write a mail and send it; nothing where `write` finds that there is nothing left to say.

    Whatever the mail server raises is raised. RuntimeError in a transaction.
    """
    # Durable: refuses to run inside a transaction, where a mail would tell of what may be rolled back, and locks would
    # wait for the mail server. Only the reading is in this one.
    with transaction.atomic(durable=True):
        mail = write()
    recipients = [address for address in mail.recipients if not address.endswith(f"@{ERASED_DOMAIN}")] if mail else []
    if mail is None or not recipients:
        return
    attachment = mail.attachment() if mail.attachment else None
    message = _message(mail, recipients, message_id, attachment)
    if attachment:
        message.attach(attachment.name, attachment.content, attachment.media_type)
    message.send()


def nowhere(number: int) -> str:
    """The address that takes the place of an erased one; no two rows of a kind have the same."""
    return f"deleted-{number}@{ERASED_DOMAIN}"


def message_id_of_event(event_id: int) -> str:
    """The Message-ID of the mail that tells of an event: the same at every try, so that a repeat is shown once."""
    return f"<event-{event_id}@{_mail_domain()}>"


def new_message_id() -> str:
    """The Message-ID of a mail that no event asked for."""
    return make_msgid(domain=_mail_domain())


def unlinked(text: str) -> str:
    """`text` of people so that no mail program makes a link of it (OUT-09): links are ours only."""
    return LINK_LIKE.sub(lambda found: f"{found[0]} ", text)


def _message(
    mail: Mail, recipients: list[str], message_id: str, attachment: Attachment | None
) -> EmailMultiAlternatives:
    frame = {
        "company": settings.COMPANY_NAME,
        "base_url": settings.BASE_URL,
        "support_email": settings.SUPPORT_EMAIL,
        "subject": mail.subject,
        "pdf_attached": attachment is not None,
    }
    text, html = (
        showable(render_to_string(f"emails/{mail.template}.{kind}", frame | mail.context)) for kind in ("txt", "html")
    )
    message = EmailMultiAlternatives(
        " ".join(mail.subject.split()),
        re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        to=recipients,
        headers={"Message-ID": message_id, "Auto-Submitted": "auto-generated"},
    )
    message.attach_alternative(html, "text/html")
    return message


def _mail_domain() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"
