"""Errors that refuse a webhook message. `code` and `http_status` are part of the API and never change."""

from igny8_core.common.errors import DomainError
from igny8_core.common.marks import gettext_noop


class BadSignature(DomainError):
    code = "bad_signature"
    http_status = 400
    text = gettext_noop(
        "The signature of this message is missing or wrong. This address takes messages of payment services only."
    )


class SignatureUncheckable(DomainError):
    code = "signature_uncheckable"
    http_status = 503
    text = gettext_noop("The signature of this message cannot be checked at the moment. Send the message again later.")


class UnreadableMessage(DomainError):
    code = "unreadable_message"
    http_status = 400
    text = gettext_noop(
        "The message is signed but cannot be read. Expected: an event of the payment service, as JSON with ids."
    )


class MessageOfOtherMode(DomainError):
    code = "message_of_other_mode"
    http_status = 400
    text = gettext_noop(
        "This message has the wrong mode: test instead of live, or live instead of test. It was ignored."
    )
