"""What can be refused around people and accounts; code and status are part of the API and never change."""

from igny8_core.common.errors import DomainError


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    http_status = 401
    text = "E-mail address or password is wrong."


class InvalidToken(DomainError):
    code = "invalid_token"
    http_status = 401
    text = "This token is not valid any more. Log in again."


class EmailTaken(DomainError):
    code = "email_not_available"
    http_status = 400
    text = "This e-mail address cannot be used for a new account. If it is yours, log in instead."


class LimitReached(DomainError):
    code = "limit_reached"
    http_status = 409
    text = "Your plan's limit is reached. Remove something or move to a larger plan."


class PaymentRequired(DomainError):
    code = "payment_required"
    http_status = 402
    text = "Your account is waiting for payment. Pay the open invoice and confirm the payment to go on."


class AccountSuspended(DomainError):
    code = "account_suspended"
    http_status = 403
    text = "Your account is suspended. Contact support."


class AccountCanceled(DomainError):
    code = "account_canceled"
    http_status = 403
    text = "Your account is canceled. Order a plan to come back."
