"""Operators' decisions about a customer's subscription. They do what the customer could order, and keep the reason."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Plan, Subscription, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.errors import NotAPlanChange, PaymentNotPending
from igny8_core.business.billing.locks import lock_payment
from igny8_core.business.billing.models import Invoice, LineKind, Payment, PaymentStatus, RejectionCode
from igny8_core.business.billing.pricing import plan_line_of
from igny8_core.business.billing.services.payment_states.transitions import reject
from igny8_core.business.billing.services.subscriptions.ending import cancel_subscription
from igny8_core.business.billing.services.subscriptions.ordering import downgrade_subscription, upgrade_subscription
from igny8_core.business.billing.services.subscriptions.plan_change import ChangeKind, offered_plan, quote_change
from igny8_core.business.billing.services.subscriptions.transitions import plan_facts, subscription_event
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.languages import in_language
from igny8_core.common.marks import gettext_noop
from igny8_core.common.money import amount_text
from igny8_core.events import services as events

# What the customer reads in the mail about the closed confirmation.
ORDERED_AGAIN = gettext_noop(
    "The change to %(plan)s starts later than ordered, so the price for the remaining time has changed. We have "
    "ordered it again for you at today's price, with a new invoice. Your transfer of %(paid)s is not lost: we will "
    "return it or settle the difference with you."
)


@dataclass(frozen=True)
class PlanChange:
    """A subscription for which a change was ordered, and the invoice that has to be paid first, if any."""

    subscription: Subscription
    invoice: Invoice | None

    @property
    def text(self) -> str:
        """What happens next, for the operator."""
        if self.invoice:
            due = amount_text(self.invoice.total, self.invoice.currency)
            return _("The larger plan starts when invoice %(invoice_number)s over %(due)s is paid.") % {
                "invoice_number": self.invoice.invoice_number,
                "due": due,
            }
        if self.subscription.pending_plan:
            return _("The smaller plan starts with the next period.")
        return _("The new plan is active now.")


@service_transaction
def end_for_customer(
    subscription: Subscription, ended_by: User, reason: str, *, at_period_end: bool = True
) -> Subscription:
    """End a customer's subscription, at the end of its period or at once.

    Raises OwnAccount if the operator belongs to the account, and what cancel_subscription raises.
    """
    subscription = _locked(subscription, ended_by)
    when = "period end" if at_period_end else "now"
    facts = {**plan_facts(subscription.plan), "when": when, "reason": reason}
    events.record(subscription_event("subscription.end_decided", subscription, ended_by, facts))
    return cancel_subscription(subscription, at_period_end, ended_by)


@service_transaction
def change_for_customer(subscription: Subscription, plan_slug: str, changed_by: User, reason: str) -> PlanChange:
    """Order another plan for a customer: a larger one with an invoice, a smaller one for the end of the period.

    Raises OwnAccount if the operator belongs to the account, PlanNotOffered, and what upgrade_subscription and
    downgrade_subscription raise.
    """
    subscription, plan = _locked(subscription, changed_by), offered_plan(plan_slug)
    kind = quote_change(subscription, plan, clock.now()).kind
    facts = plan_facts(subscription.plan, "from") | plan_facts(plan, "to") | {"reason": reason}
    events.record(subscription_event("subscription.change_decided", subscription, changed_by, facts))
    if kind == ChangeKind.DOWNGRADE:
        return PlanChange(downgrade_subscription(subscription, plan, changed_by), None)
    invoice = upgrade_subscription(subscription, plan, changed_by)
    return PlanChange(_read(subscription), invoice)


@service_transaction
def order_again(payment: Payment, ordered_by: User, note: str = "") -> PlanChange:
    """Void a change of plan whose payment waits for approval, and order the change again at today's price.

    For money that came too late for the price that was ordered (PlanChangeOutdated). The confirmation is rejected with
    a reason that the customer reads. The operator refunds the money, or settles the difference, by hand. `note` is kept
    with the event. Raises PaymentNotPending, NotAPlanChange, OwnAccount, and what upgrade_subscription raises.
    """
    account = lock_account(payment.account_id)
    require_other_account(ordered_by, account.pk)
    payment = lock_payment(account, payment.pk)
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        raise PaymentNotPending()
    line = plan_line_of(payment.invoice)
    is_change = line is not None and line.kind == LineKind.PLAN_CHANGE
    if line is None or line.plan_id is None or not is_change or payment.invoice.subscription is None:
        raise NotAPlanChange()
    subscription, plan = _read(payment.invoice.subscription), Plan.objects.get(pk=line.plan_id)
    facts = plan_facts(subscription.plan, "from") | plan_facts(plan, "to")
    reason = note or f"Payment {payment.pk} for invoice {payment.invoice.invoice_number} was made at an outdated price"
    events.record(
        subscription_event("subscription.change_decided", subscription, ordered_by, facts | {"reason": reason})
    )
    with in_language(payment.account.language):
        told = _(ORDERED_AGAIN) % {"plan": plan.name, "paid": _paid(payment)}
    reject(payment, ordered_by, RejectionCode.OTHER, told)
    # The paid order is withdrawn with all other open ones.
    invoice = upgrade_subscription(subscription, plan, ordered_by)
    return PlanChange(_read(subscription), invoice)


def _paid(payment: Payment) -> str:
    return amount_text(payment.amount, payment.currency)


def _locked(subscription: Subscription, operator: User) -> Subscription:
    """The subscription, read under its account's lock. Raises OwnAccount."""
    account = lock_account(subscription.account_id)
    require_other_account(operator, account.pk)
    return _read(subscription)


def _read(subscription: Subscription) -> Subscription:
    rows = Subscription.objects.select_related("account", "plan", "pending_plan")
    return rows.get(account_id=subscription.account_id, pk=subscription.pk)
