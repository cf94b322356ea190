"""Sends e-mails: text and HTML from one pair of templates, never inside a transaction."""

import logging
import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string

from igny8_core.common.languages import current_language, in_language
from igny8_core.common.mail_caps import may_send
from igny8_core.common.request_id import current_request_id
from igny8_core.common.text import showable

logger = logging.getLogger(__name__)

# The domain of erased addresses, of people whose account was deleted. No mail is sent there (.invalid: RFC 2606).
ERASED_DOMAIN = "deleted.invalid"
# Answers that refuse everybody for a while: the service is closing (421), or wants another login.
ABOUT_THE_SERVER = frozenset({421, 454, 530, 534, 535, 538})
NO_SESSION = (smtplib.SMTPConnectError, smtplib.SMTPHeloError, smtplib.SMTPAuthenticationError)


@dataclass(frozen=True)
class Attachment:
    """A file attached to a mail."""

    name: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Mail:
    """A mail to send. `template` names the pair emails/<template>.txt and .html; `context` are its variables.

    `attachment` is called outside any transaction, because making a file can be slow. None means no attachment.
    `kind`: which cap counts it (mail_caps.py); without one none does. `trial_account`: the id of the account that
    causes it, while that has never paid.
    """

    template: str
    subject: str
    recipients: list[str]
    context: dict[str, Any]
    attachment: Callable[[], Attachment | None] | None = None
    kind: str = ""
    trial_account: int | None = None


@dataclass(frozen=True)
class Drawn:
    """A mail as its reader gets it, without attachment."""

    subject: str
    recipients: list[str]
    text: str
    html: str


class MailServerDown(Exception):
    """The mail server cannot be reached, does not answer, or refuses us and not just this mail."""


def send(write: Callable[[], Mail | None], message_id: str, language: str = "") -> None:
    """Write a mail in a language (empty: English) and send it. `write` returns None if there is nothing to send.

    Raises MailServerDown, the mail server's refusal of this one mail (SMTPException), RuntimeError in a transaction.
    """
    # Durable: refuses to run inside a transaction, where a mail could report what is rolled back later, and locks would
    # wait for the mail server. This transaction just reads.
    with in_language(language):
        with transaction.atomic(durable=True):
            mail = write()
        recipients = _reached(mail, message_id) if mail else []
        if mail is None or not recipients:
            return
        attachment = mail.attachment() if mail.attachment else None
        message = _message(mail, recipients, message_id, attachment)
    if attachment:
        message.attach(attachment.name, attachment.content, attachment.media_type)
    _hand_over(message)
    logger.info("mail sent", extra={"template": mail.template, "message_id": message_id, "recipients": len(recipients)})


def _hand_over(message: EmailMultiAlternatives) -> None:
    try:
        message.send()
    except smtplib.SMTPResponseException as refusal:
        if refusal.smtp_code in ABOUT_THE_SERVER or isinstance(refusal, NO_SESSION):
            raise MailServerDown(f"{type(refusal).__name__}: {refusal.smtp_code}") from refusal
        raise
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError):
        raise
    except OSError as problem:
        # Also SMTPServerDisconnected: smtplib's errors are of this kind.
        raise MailServerDown(f"{type(problem).__name__}: {problem}") from problem


def erased_address(number: int) -> str:
    """The address that replaces an erased one. `number` makes it unique among rows of a kind."""
    return f"deleted-{number}@{ERASED_DOMAIN}"


def message_id_of_event(event_id: int) -> str:
    """The Message-ID of the mail about an event. It is the same at every try, so that mail programs show it once."""
    return f"<event-{event_id}@{_mail_domain()}>"


def new_message_id() -> str:
    """A Message-ID for a mail that is not about an event."""
    return make_msgid(domain=_mail_domain())


def drawn(mail: Mail) -> Drawn:
    """How a mail looks, in the language that is being written; nothing is sent, and no file made."""
    with_file = Attachment("", b"", "") if mail.attachment else None
    message = _message(mail, mail.recipients, new_message_id(), with_file)
    return Drawn(str(message.subject), mail.recipients, str(message.body), str(message.alternatives[0][0]))


def _reached(mail: Mail, message_id: str) -> list[str]:
    """The recipients who exist still, and have not got too many mails."""
    alive = [address for address in mail.recipients if not address.endswith(f"@{ERASED_DOMAIN}")]
    if not mail.kind:
        return alive
    return [address for address in alive if may_send(mail.kind, address, message_id, mail.trial_account)]


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
        headers={
            "Message-ID": message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": current_language(),
            **_request_header(),
        },
    )
    message.attach_alternative(html, "text/html")
    return message


def _request_header() -> dict[str, str]:
    request_id = current_request_id()
    return {"X-Request-ID": request_id} if request_id else {}


def _mail_domain() -> str:
    return urlsplit(settings.BASE_URL).hostname or "localhost"
