"""What a message of a gateway can be refused with; code and status are part of the API and never change."""

from igny8_core.common.errors import DomainError


class BadSignature(DomainError):
    code = "bad_signature"
    http_status = 400
    text = "This message carries no valid signature. Only the payment services' own messages are taken here."


class SignatureUncheckable(DomainError):
    code = "signature_uncheckable"
    http_status = 503
    text = "The signature cannot be checked at the moment. Send the message again later."


class UnreadableMessage(DomainError):
    code = "unreadable_message"
    http_status = 400
    text = "The message is signed, but it is none that this site can read."


class MessageOfOtherMode(DomainError):
    code = "message_of_other_mode"
    http_status = 400
    text = "This message is of the other mode, test instead of live or the other way round. Nothing was done."
