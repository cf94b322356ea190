"""Withdraw unpaid orders and renewals of a subscription. The caller holds the account's lock."""

from django.utils.translation import gettext as _

from igny8_core.auth.models import Subscription, User
from igny8_core.business.billing.errors import PaymentUnderWay
from igny8_core.business.billing.models import (
    RENEWAL_TRANSITIONS,
    Invoice,
    InvoiceStatus,
    Renewal,
    RenewalStatus,
)
from igny8_core.business.billing.selectors import undecided_renewal_of
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_states.under_way import payment_being_decided, why_undecided
from igny8_core.common.marks import gettext_noop
from igny8_core.common.states import transition
from igny8_core.events import services as events

UNPAID = frozenset({InvoiceStatus.PENDING, InvoiceStatus.UNCOLLECTIBLE})


def withdraw_orders(
    invoices: list[Invoice], actor: User | None, reason: str = gettext_noop("The order was withdrawn")
) -> None:
    """Void unpaid invoices. Raises PaymentUnderWay, AttemptOpen."""
    payment = payment_being_decided(*invoices) if invoices else None
    if payment:
        raise PaymentUnderWay(
            _("%(why_undecided)s Wait until it is decided, then try again.") % {"why_undecided": why_undecided(payment)}
        )
    for invoice in invoices:
        mark_void(invoice, reason, actor)


def withdraw_renewal(subscription: Subscription, reason: str, actor: events.Actor = None) -> None:
    """Void the unpaid invoice for the next period, because the period will not be like that, or not at all.

    If the period is renewed after all, it is invoiced again. Does nothing if no renewal is open.
    Raises PaymentUnderWay, AttemptOpen.
    """
    renewal = undecided_renewal_of(subscription)
    if renewal is None or renewal.is_paid:
        return
    if renewal.invoice.status in UNPAID:
        payment = payment_being_decided(renewal.invoice)
        if payment:
            raise PaymentUnderWay(
                _("%(why_undecided)s Wait until it is decided, then try again.")
                % {"why_undecided": why_undecided(payment)}
            )
        mark_void(renewal.invoice, reason, actor)
    _withdraw(renewal, reason, actor)


def end_renewal(subscription: Subscription, actor: events.Actor) -> None:
    """Withdraw an unpaid renewal of a subscription that has ended. Its invoice is the caller's business."""
    renewal = undecided_renewal_of(subscription)
    if renewal and not renewal.is_paid:
        _withdraw(renewal, gettext_noop("The subscription has ended"), actor)


def withdraw_voided(renewal: Renewal, actor: events.Actor = None) -> None:
    """Withdraw a renewal whose invoice somebody voided by itself: the period is invoiced again if it is renewed."""
    _withdraw(renewal, gettext_noop("Its invoice was voided"), actor)


def _withdraw(renewal: Renewal, reason: str, actor: events.Actor) -> None:
    transition(renewal, RenewalStatus.WITHDRAWN, RENEWAL_TRANSITIONS, next_charge_at=None)
    facts = {"reason": reason, "invoice_number": renewal.invoice.invoice_number}
    events.record(events.about("renewal.withdrawn", renewal, actor, facts))
