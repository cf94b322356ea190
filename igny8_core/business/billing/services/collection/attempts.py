"""Payment attempts at a gateway: commit one before the gateway is asked, and build its request."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import (
    BillingBoundReached,
    PaymentBeingChecked,
    RequestKeyReused,
)
from igny8_core.business.billing.gateways import traits_of
from igny8_core.business.billing.gateways.protocol import Charge, ChargeOrder, ChargeState
from igny8_core.business.billing.locks import lock_invoice
from igny8_core.business.billing.models import (
    GATEWAY_UNDER_WAY,
    PAYMENTS_UNDER_WAY,
    Invoice,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.services.invoices.pay_links import is_pay_link
from igny8_core.business.billing.services.payment_methods.availability import require_payable
from igny8_core.business.billing.services.payment_states.check_times import FIRST_CHECK
from igny8_core.business.billing.services.payment_states.transitions import start
from igny8_core.business.billing.services.payment_states.under_way import refusal_of_another
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction

logger = logging.getLogger(__name__)
# The begin of the request keys of charges for renewals. A caller's keys are hashes, which never begin like this.
RENEWAL_KEY = "renewal:"


class NextStep(StrEnum):
    """What the customer has to do next to complete a payment."""

    NONE = "none"  # the payment is decided
    ENTER_CARD = "enter_card"  # in Stripe's form, with the client secret
    AUTHENTICATE = "authenticate"  # identify themselves to the bank, with the client secret
    APPROVE = "approve"  # at PayPal
    WAIT = "wait"  # the gateway has not decided


@dataclass(frozen=True)
class Attempt:
    """A payment at a gateway. `charge` is the gateway's latest answer; None if there was no answer."""

    payment: Payment
    charge: Charge | None = None

    @property
    def next_step(self) -> NextStep:
        """What the customer has to do now."""
        if self.payment.needs_review:
            # The gateway may already have the money, so nobody is asked to pay again.
            return NextStep.WAIT
        if self.payment.status != PaymentStatus.PENDING:
            return NextStep.NONE if self.payment.status not in GATEWAY_UNDER_WAY else NextStep.WAIT
        if self.charge is None:
            return NextStep.WAIT
        if self.charge.state == ChargeState.REQUIRES_ACTION:
            is_elsewhere = traits_of(self.payment.payment_method).approves_elsewhere
            return NextStep.APPROVE if is_elsewhere else NextStep.AUTHENTICATE
        return NextStep.ENTER_CARD


def find_by_request_key(request_key: str, invoice: Invoice, payment_method: str) -> Payment | None:
    """The attempt that a request with this key began, or None.

    Raises RequestKeyReused if that attempt is for another invoice or payment method.
    """
    payment = Payment.objects.filter(request_key=request_key).first() if request_key else None
    if payment and (payment.invoice_id, payment.payment_method) != (invoice.pk, payment_method):
        raise RequestKeyReused()
    return payment


def open_attempt(invoice: Invoice) -> Payment | None:
    """The invoice's open attempt, which the customer can resume or replace; None if there is no payment under way.

    Raises ConfirmationAlreadyOpen or PaymentBeingChecked if a payment under way allows neither.
    """
    payment = Payment.objects.filter(invoice=invoice, status__in=PAYMENTS_UNDER_WAY).first()
    if payment is None:
        return None
    if payment.status != PaymentStatus.PENDING or payment.needs_review:
        raise refusal_of_another(payment)
    return payment


def is_resumable(earlier: Payment, payment_method: str, charge_request: dict[str, Any]) -> bool:
    """Whether a new request can resume an open attempt: same method, card and options, and the same way back."""
    begun: dict[str, Any] | None = earlier.metadata.get("order")
    if earlier.payment_method != payment_method or begun is None:
        return False
    ways_back = {begun["return_url"], charge_request["return_url"]}
    # Each link to the payment page carries the time it was made, so two links to one page differ as text.
    is_same_way = len(ways_back) == 1 or all(is_pay_link(address) for address in ways_back)
    return is_same_way and begun | {"return_url": ""} == charge_request | {"return_url": ""}


@service_transaction
def begin_attempt(
    invoice: Invoice, payment_method: str, charge_request: dict[str, Any], started_by: User | None, request_key: str
) -> Payment:
    """Commit a new attempt; the gateway is asked afterwards. A repeated `request_key` returns the first attempt.

    `charge_request` holds what the gateway's request is built from (charge_order_of).
    Raises RequestKeyReused, InvoiceNotPayable, BillingBoundReached, and PaymentBeingChecked if the invoice has another
    payment under way.
    """
    account = lock_account(invoice.account_id)
    invoice = lock_invoice(account, invoice.pk)
    # The same request may have been handled by another thread first.
    begun = find_by_request_key(request_key, invoice, payment_method)
    if begun:
        return begun
    require_payable(invoice)
    _require_within_bound(invoice)
    with refusing("igny8_payments_one_under_way", PaymentBeingChecked()):
        return start(
            account,
            invoice,
            started_by,
            payment_method=payment_method,
            request_key=request_key,
            next_check_at=clock.now() + FIRST_CHECK,
            metadata={"order": charge_request},
        )


def _require_within_bound(invoice: Invoice) -> None:
    """Limit the attempts per invoice and day, so that neither a thief with stolen cards nor a loop goes on (AMT-12)."""
    today = Payment.objects.filter(invoice=invoice, created_at__gt=clock.now() - timedelta(days=1))
    if today.count() >= settings.MAX_ATTEMPTS_OF_INVOICE_PER_DAY:
        logger.error("too many attempts to pay an invoice", extra={"invoice": invoice.pk})
        raise BillingBoundReached()


def charge_order_of(payment: Payment) -> ChargeOrder:
    """The request of an attempt. It is the same at every repeat, because gateways refuse a changed one for one key."""
    charge_request = payment.metadata["order"]
    back = charge_request["return_url"]
    return ChargeOrder(
        reference=str(payment.uuid),
        amount=payment.amount,
        currency=payment.currency,
        invoice_number=payment.invoice.invoice_number,
        metadata={"invoice_id": str(payment.invoice_id), "account_id": str(payment.account_id)},
        customer_id=charge_request.get("customer", ""),
        payment_method_id=charge_request["card"],
        off_session=charge_request["off_session"],
        save_card=charge_request["save_card"],
        return_url=back,
        cancel_url=back,
    )
