"""What billing and the payment gateways say to each other, in words that belong to neither SDK.

Amounts are Decimals in the currency's own decimals, currencies are ISO 4217 in capitals, times are aware and in UTC.
Adapters keep no state of ours and touch no database.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
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


class Kind(StrEnum):
    """What a message of a gateway can be news of."""

    ATTEMPT = "attempt"
    REFUND = "refund"
    DISPUTE = "dispute"
    CARD_SETUP = "card_setup"
    CARD_GONE = "card_gone"
    SUBSCRIPTION = "subscription"  # that the gateway bills by itself
    SUBSCRIPTION_INVOICE = "subscription_invoice"


@dataclass(frozen=True)
class News:
    """What a message makes us ask for, by the gateway's ids; where several are known, the first in this order counts.

    `object_id` is of what `kind` says. Of a refund it is that of the attempt, as `capture_id` is that of its money.
    """

    kind: Kind
    object_id: str = ""
    capture_id: str = ""
    refund_id: str = ""


Handler = Callable[[WebhookMessage], News]


@dataclass(frozen=True)
class Traits:
    """What a gateway is like, so that no service has to ask which one it is.

    `repeatable_for`, `refund_repeatable_for`: for so long the same request under the same key gets the first answer.
    `declined_attempt_is_final`: another way to pay needs another attempt. `can_end_attempts`: an attempt can be ended
    there; otherwise we only never take its money. `forgets_open_attempts`: one that nobody went on with is unknown
    there after a while. `stays_open_after_failure`: what has failed here could still succeed there, until it is ended.
    `saves_cards`: it is a CardGateway, and charges of another customer than the account's are not believed.
    `approves_elsewhere`: the customer goes to `approve_url`. `refunds_lost_disputes`: what a lost dispute took is a
    refund there. `bills_subscriptions`: it has subscriptions and invoices of its own. `messages_say_mode`: each message
    says whether it is live. `message_is`: how a message is known, for the description of its address.
    """

    repeatable_for: timedelta
    refund_repeatable_for: timedelta
    declined_attempt_is_final: bool
    can_end_attempts: bool
    forgets_open_attempts: bool
    stays_open_after_failure: bool
    saves_cards: bool
    approves_elsewhere: bool
    refunds_lost_disputes: bool
    bills_subscriptions: bool
    messages_say_mode: bool
    message_is: str


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


class Keys(Protocol):
    """The settings of a gateway. `public_key` is what a browser's form for cards needs, empty where there is none."""

    @property
    def live(self) -> bool:
        """Whether the keys move real money."""

    @property
    def public_key(self) -> str:
        """See above."""

    @property
    def can_check_messages(self) -> bool:
        """Whether there is what the signature of a message is checked with."""

    @property
    def form_targets(self) -> list[str]:
        """Where a form on our pages may lead to: the gateway's own page, or a stand-in's."""


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

    def charge_of_capture(self, capture_id: str) -> Charge:
        """The attempt that a capture belongs to; `object_id` is empty where it does not say. Raises UnknownObject."""

    def refund_with_id(self, refund_id: str) -> GatewayRefund:
        """A refund, whoever ordered it. Raises UnknownObject."""

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

    def delivery_id(self, headers: Mapping[str, str]) -> str:
        """The gateway's number of one delivery: with another message it is a forgery. Empty where it has none."""


class CardGateway(Gateway, Protocol):
    """A gateway that saves cards for customers that it knows."""

    def create_customer(self, account_reference: str, email: str, name: str) -> str:
        """The id of a new customer for one of our accounts."""

    def begin_card_setup(self, customer_id: str, reference: str) -> CardSetup:
        """Begin to save a card, once per reference; the browser completes it with the client secret."""

    def card_setup(self, setup_id: str) -> CardSetup:
        """What became of it. Raises UnknownObject."""

    def card(self, payment_method_id: str) -> Card:
        """A card with its owner, whose `customer_id` is empty for one that was given up. Raises UnknownObject."""

    def is_card_of(self, payment_method_id: str, customer_id: str) -> bool:
        """Whether a customer may be charged with a card. Raises UnknownObject."""

    def forget_card(self, payment_method_id: str) -> None:
        """Take a card from its customer; nothing happens to one that has none. Raises UnknownObject."""
