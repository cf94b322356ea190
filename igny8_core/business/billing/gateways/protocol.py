"""What billing and the payment gateways say to each other, in words that belong to neither SDK.

Amounts are Decimals in the currency's own decimals, currencies are ISO 4217 in capitals, times are aware and in UTC.
Adapters keep no state of ours and touch no database.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol


class ChargeState(StrEnum):
    """How far a gateway is with one attempt to take money."""

    AWAITING_CUSTOMER = "awaiting_customer"  # nothing was tried yet, or the customer may try again
    REQUIRES_ACTION = "requires_action"  # the customer has to prove who they are, or to approve
    APPROVED = "approved"  # PayPal: the customer has agreed, the money is not taken yet
    PROCESSING = "processing"  # the gateway decides, later
    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # refused for good
    CANCELED = "canceled"
    UNKNOWN = "unknown"  # a status that this release does not know


class RefundState(StrEnum):
    """How far a gateway is with giving money back."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeState(StrEnum):
    """How a gateway, or the bank behind it, has decided a complaint."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # it ended without a decision, and cost nothing


@dataclass(frozen=True)
class ChargeOrder:
    """What we ask a gateway to collect, once per `reference`.

    `reference` is our payment's UUID: the idempotency key is made of it and it travels with the money. With a
    `payment_method_id` (a saved card of `customer_id`) the charge is made at once; without, the customer completes it.
    `off_session` says that the customer is not there. `save_card` keeps the card for later charges without them.
    """

    reference: str
    amount: Decimal
    currency: str
    invoice_number: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    customer_id: str = ""
    payment_method_id: str = ""
    off_session: bool = False
    save_card: bool = False
    return_url: str = ""
    cancel_url: str = ""


@dataclass(frozen=True)
class Charge:
    """What a gateway holds of one attempt, as it told us itself.

    `amount` is what it took once `state` is SUCCEEDED (before, what it was asked for); `refunded` is what went back of
    that. `object_id` is the PaymentIntent or order, `capture_id` the Charge or capture from which money can be given
    back. `reference` is our payment's UUID as the gateway has it. With `client_secret` (Stripe) or `approve_url`
    (PayPal) the customer goes on. `failure_code` is the gateway's word, `failure_text` a sentence for the customer.
    """

    object_id: str
    state: ChargeState
    amount: Decimal
    currency: str
    reference: str
    live: bool
    capture_id: str = ""
    customer_id: str = ""
    payment_method_id: str = ""
    refunded: Decimal = Decimal(0)
    is_disputed: bool = False
    client_secret: str = ""
    approve_url: str = ""
    failure_code: str = ""
    failure_text: str = ""
    raw_status: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class RefundOrder:
    """What we ask a gateway to give back of a charge, once per `reference` (our refund's UUID)."""

    reference: str
    object_id: str
    capture_id: str
    amount: Decimal
    currency: str
    invoice_number: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayRefund:
    """Money that a gateway gave back, or tries to. `reference` is empty for one that was not ordered by us."""

    refund_id: str
    state: RefundState
    amount: Decimal
    currency: str
    reference: str = ""
    capture_id: str = ""
    object_id: str = ""
    failure_code: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class GatewayDispute:
    """A customer's complaint at their bank or at PayPal. `outcome` is the gateway's word, empty while it is open."""

    dispute_id: str
    state: DisputeState
    amount: Decimal
    currency: str
    reason: str = ""
    object_id: str = ""
    capture_id: str = ""
    outcome: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True)
class Card:
    """A saved card. Number and check digits never reach us."""

    payment_method_id: str
    customer_id: str
    brand: str
    last4: str
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True)
class CardSetup:
    """A SetupIntent: the customer's browser saves a card with `client_secret`; then `payment_method_id` is there."""

    setup_id: str
    customer_id: str
    client_secret: str
    is_complete: bool
    payment_method_id: str = ""


@dataclass(frozen=True)
class WebhookMessage:
    """What a verified message is about: only ids, because what it says is asked for again.

    `object_id` is the id of the object inside, `related` the ids that it names, by kind: "payment_intent", "charge",
    "refund", "order", "capture", "subscription", "invoice", "customer", "payment_method", "setup_intent", "dispute".
    """

    event_id: str
    type: str
    object_id: str
    live: bool | None
    related: Mapping[str, str] = field(default_factory=dict)
    api_version: str = ""
    created_at: datetime | None = None


class GatewayError(Exception):
    """A gateway did not do what it was asked. `text` is a sentence for people, `code` the gateway's own word."""

    def __init__(self, text: str, *, code: str = "", request_id: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.request_id = request_id


class Declined(GatewayError):
    """A final no, with nothing charged. `charge` is the attempt, where the gateway keeps one.

    `code` is "authentication_required" where the bank wants the customer to be there.
    """

    def __init__(self, text: str, *, code: str = "", request_id: str = "", charge: Charge | None = None) -> None:
        super().__init__(text, code=code, request_id=request_id)
        self.charge = charge


class Unavailable(GatewayError):
    """No answer, or none that says what became of the request; the same request may be sent again.

    `may_have_happened` is False where the gateway said that it did nothing (a rate limit, an address that nobody
    listens at); `retry_after` is in seconds.
    """

    def __init__(
        self,
        text: str,
        *,
        code: str = "",
        request_id: str = "",
        may_have_happened: bool = True,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(text, code=code, request_id=request_id)
        self.may_have_happened = may_have_happened
        self.retry_after = retry_after


class Misconfigured(GatewayError):
    """The gateway refuses our key or our request: an operator or a developer has to act. Nothing was charged."""


class UnknownObject(GatewayError):
    """The gateway has no object with this id, or not for our key."""


class BadSignature(Exception):
    """A message that does not come from the gateway, or was changed on its way."""


class SignatureUncheckable(Exception):
    """The signature cannot be checked now; the gateway sends the message again later."""


class Gateway(Protocol):
    """What every gateway does. All methods may raise Unavailable and Misconfigured."""

    name: str
    live: bool

    def start(self, order: ChargeOrder) -> Charge:
        """Begin an attempt, or get the one that this reference began. Raises Declined."""

    def fetch(self, object_id: str) -> Charge:
        """The attempt as the gateway has it now. Raises UnknownObject."""

    def complete(self, object_id: str, reference: str) -> Charge:
        """Take the money of an attempt that the customer has approved; otherwise as fetch. Raises Declined."""

    def find(self, order: ChargeOrder, created_at: datetime) -> Charge | None:
        """The attempt that carries the order's reference, begun at about `created_at`; None where there is none."""

    def cancel(self, object_id: str) -> Charge:
        """End an attempt, where it can still be ended; returns what it is now, which may be SUCCEEDED."""

    def refund(self, order: RefundOrder) -> GatewayRefund:
        """Give money back, once per reference. Raises Declined."""

    def refunds_of(self, charge: Charge) -> list[GatewayRefund]:
        """Everything that went back of a charge, whoever ordered it."""

    def recent(self, since: datetime) -> Iterator[Charge]:
        """Attempts begun since then; empty for a gateway that has no such list."""

    def dispute(self, dispute_id: str) -> GatewayDispute:
        """A customer's complaint as the gateway has it now. Raises UnknownObject."""

    def recent_disputes(self, since: datetime) -> Iterator[str]:
        """The ids of complaints made since then, also about payments that are not ours."""

    def verify_webhook(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Check that the raw bytes come from the gateway. Raises BadSignature, SignatureUncheckable."""

    def read_webhook(self, body: bytes) -> WebhookMessage:
        """What a verified message is about. Raises ValueError for one that cannot be read."""
