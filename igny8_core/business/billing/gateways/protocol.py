"""The interface between billing and the payment gateways, in words of neither SDK.

Amounts are Decimals with the currency's decimals, currencies are ISO 4217 in capitals, times are aware and in UTC.
Gateways touch no database.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from igny8_core.common.network import Network


class ChargeState(StrEnum):
    """How far a gateway is with one attempt to take money."""

    AWAITING_CUSTOMER = "awaiting_customer"  # nothing was tried yet, or the customer may try again
    REQUIRES_ACTION = "requires_action"  # the customer has to authenticate or approve
    APPROVED = "approved"  # PayPal: the customer has approved, the money is not captured yet
    PROCESSING = "processing"  # the gateway will decide later
    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # refused for good
    CANCELED = "canceled"
    UNKNOWN = "unknown"  # the gateway's status is new to this release


class RefundState(StrEnum):
    """How far a gateway is with a refund."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"


class DisputeState(StrEnum):
    """How a gateway, or the bank behind it, has decided a dispute."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # it ended without a decision, and cost nothing


@dataclass(frozen=True)
class ChargeOrder:
    """What we ask a gateway to collect, once per `reference`.

    `reference`: our payment's UUID. The idempotency key is made from it, and the gateway stores it with the charge.
    `payment_method_id`: a saved card of `customer_id`, which is charged at once; if empty, the customer completes the
    payment. `off_session`: the customer is not present. `save_card`: keep the card for later charges.
    `return_url`, `cancel_url`: where the gateway sends the customer back to.
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
    """The state of one attempt, as the gateway itself reports it.

    `object_id`: the PaymentIntent or order. `capture_id`: the Charge or capture that can be refunded. `amount`: what
    was captured once `state` is SUCCEEDED, before that what was asked for. `refunded`: how much of it was refunded.
    `reference`: our payment's UUID as the gateway stores it. `client_secret` (Stripe) and `approve_url` (PayPal) let
    the customer continue. `failure_code` is the gateway's word, `failure_text` a sentence for the customer.
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
    """What we ask a gateway to refund of a charge, once per `reference` (our refund's UUID)."""

    reference: str
    object_id: str
    capture_id: str
    amount: Decimal
    currency: str
    invoice_number: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class GatewayRefund:
    """A refund as the gateway reports it. `reference` is empty if we did not order it."""

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
    """A customer's dispute at their bank or at PayPal. `outcome` is the gateway's word, empty while it is open."""

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
    """A saved card. Its number and security code never reach us."""

    payment_method_id: str
    customer_id: str
    brand: str
    last4: str
    exp_month: int | None = None
    exp_year: int | None = None


@dataclass(frozen=True)
class CardSetup:
    """A SetupIntent: the customer's browser saves a card with `client_secret`, which sets `payment_method_id`."""

    setup_id: str
    customer_id: str
    client_secret: str
    is_complete: bool
    payment_method_id: str = ""


@dataclass(frozen=True)
class WebhookMessage:
    """What a verified webhook message is about. It has ids and no content, because we ask the gateway for the content.

    `object_id`: the object in the message. `live`: None if messages do not say. `api_version`: empty if unknown.
    `related`: the ids that the object names, by kind: "payment_intent", "charge",
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
    """What a webhook message can be about."""

    ATTEMPT = "attempt"
    REFUND = "refund"
    DISPUTE = "dispute"
    CARD_SETUP = "card_setup"
    CARD_GONE = "card_gone"
    SUBSCRIPTION = "subscription"  # that the gateway bills by itself
    SUBSCRIPTION_INVOICE = "subscription_invoice"


@dataclass(frozen=True)
class News:
    """What a webhook message makes us ask the gateway for. If several ids are known, the first in this order counts.

    `object_id`: the object of this `kind`; for a refund, the attempt that was refunded. `capture_id`: the captured
    money that the refund or attempt belongs to.
    """

    kind: Kind
    object_id: str = ""
    capture_id: str = ""
    refund_id: str = ""


Handler = Callable[[WebhookMessage], News]


@dataclass(frozen=True)
class Traits:
    """How a gateway behaves, so that no service has to ask which gateway it is.

    `repeatable_for`, `refund_repeatable_for`: how long a repeated request with the same key gets the first answer.
    `declined_attempt_is_final`: after a decline, another card needs a new attempt.
    `can_end_attempts`: an attempt can be ended at the gateway; otherwise we simply never capture it.
    `forgets_open_attempts`: the gateway no longer knows an open attempt after some hours.
    `stays_open_after_failure`: an attempt that failed here can still succeed there until it is ended.
    `saves_cards`: the gateway is a CardGateway; a charge of another customer than the account's is not believed.
    `approves_elsewhere`: the customer goes to `approve_url`.
    `refunds_lost_disputes`: the gateway reports a lost dispute as a refund.
    `bills_subscriptions`: the gateway has its own subscriptions and invoices.
    `messages_say_mode`: each webhook message says whether it is live.
    `message_is`: how a webhook message is authenticated, for the API documentation.
    `passing_declines`: codes of declines that can pass, each with the pauses after which a renewal is charged again.
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
    passing_declines: Mapping[str, tuple[timedelta, ...]] = field(default_factory=dict)


class GatewayError(Exception):
    """A gateway did not do what we asked. `text`: a sentence for people. `code`: the gateway's own word."""

    def __init__(self, text: str, *, code: str = "", request_id: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.request_id = request_id


class Declined(GatewayError):
    """The gateway refused for good, and nothing was charged. `charge`: the attempt, if the gateway keeps it.

    `code` is "authentication_required" if the bank wants the customer to be present.
    """

    def __init__(self, text: str, *, code: str = "", request_id: str = "", charge: Charge | None = None) -> None:
        super().__init__(text, code=code, request_id=request_id)
        self.charge = charge


class Unavailable(GatewayError):
    """No answer, or none that tells the outcome. The same request may be repeated.

    `may_have_happened`: False if the request had no effect for certain (a rate limit, a refused connection).
    `retry_after`: in seconds.
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
    """The gateway refuses our key or our request. An operator or a developer has to act. Nothing was charged."""


class UnknownObject(GatewayError):
    """The gateway has no object with this id, or our key cannot see it."""


class BadSignature(Exception):
    """The webhook message does not come from the gateway, or was changed on its way."""


class SignatureUncheckable(Exception):
    """The signature cannot be checked now. The gateway will send the message again later."""


class Keys(Protocol):
    """The settings of a gateway."""

    @property
    def live(self) -> bool:
        """Whether the keys move real money."""

    @property
    def public_key(self) -> str:
        """The key that the card form in a browser needs; empty if the gateway has no such form."""

    @property
    def can_check_messages(self) -> bool:
        """Whether the secrets are set with which signatures of webhook messages are checked."""

    @property
    def form_targets(self) -> list[str]:
        """The origins that forms on our pages may be sent to: the gateway's own site, or a stand-in's."""


class Gateway(Protocol):
    """What every gateway can do. All methods may raise Unavailable and Misconfigured."""

    name: str
    live: bool

    def start(self, order: ChargeOrder) -> Charge:
        """Begin an attempt, or return the one that this reference began. Raises Declined."""

    def fetch(self, object_id: str) -> Charge:
        """The attempt as it is now. Raises UnknownObject."""

    def complete(self, object_id: str, reference: str) -> Charge:
        """Capture the money of an attempt that the customer has approved; otherwise like fetch. Raises Declined."""

    def find(self, order: ChargeOrder, created_at: datetime) -> Charge | None:
        """The attempt with the order's reference, begun at about `created_at`, or None."""

    def cancel(self, object_id: str) -> Charge:
        """End an attempt if that is still possible; returns its state now, which may be SUCCEEDED."""

    def refund(self, order: RefundOrder) -> GatewayRefund:
        """Refund money, once per reference. Raises Declined."""

    def charge_of_capture(self, capture_id: str) -> Charge:
        """The attempt of a capture; its `object_id` is empty if the gateway does not name it. Raises UnknownObject."""

    def refund_with_id(self, refund_id: str) -> GatewayRefund:
        """A refund, whoever ordered it. Raises UnknownObject."""

    def refunds_of(self, charge: Charge) -> list[GatewayRefund]:
        """All refunds of a charge, whoever ordered them."""

    def recent(self, since: datetime) -> Iterator[Charge]:
        """The attempts begun since then; empty if the gateway has no such list."""

    def dispute(self, dispute_id: str) -> GatewayDispute:
        """A dispute as it is now. Raises UnknownObject."""

    def recent_disputes(self, since: datetime) -> Iterator[str]:
        """The ids of disputes opened since then, also about payments that are not ours."""

    def verify_webhook(self, body: bytes, headers: Mapping[str, str], sender: Sequence[Network] = ()) -> None:
        """Check that bytes are the gateway's own, whose `sender` counts. Raises BadSignature, SignatureUncheckable."""

    def read_webhook(self, body: bytes) -> WebhookMessage:
        """What a verified message is about. Raises ValueError if it cannot be read."""

    def delivery_id(self, headers: Mapping[str, str]) -> str:
        """The gateway's id of one delivery; empty if it has none. The same id with another message is a forgery."""


class CardGateway(Gateway, Protocol):
    """A gateway that saves cards for its customers."""

    def create_customer(self, account_reference: str, email: str, name: str) -> str:
        """Create a customer for one of our accounts; returns its id."""

    def erase_customer(self, customer_id: str) -> None:
        """Erase a customer with name, address and cards. Raises UnknownObject if it is erased already, or unknown."""

    def begin_card_setup(self, customer_id: str, reference: str) -> CardSetup:
        """Begin to save a card, once per reference. The browser completes the setup with its client secret."""

    def card_setup(self, setup_id: str) -> CardSetup:
        """A card setup as it is now. Raises UnknownObject."""

    def card(self, payment_method_id: str) -> Card:
        """A card; its `customer_id` is empty if the card was detached. Raises UnknownObject."""

    def is_card_of(self, payment_method_id: str, customer_id: str) -> bool:
        """Whether this card may be used to charge this customer. Raises UnknownObject."""

    def forget_card(self, payment_method_id: str) -> None:
        """Detach a card from its customer, if it has one. Raises UnknownObject."""
