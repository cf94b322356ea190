"""Deleting an account: its order ends, its people are erased, its books are kept; in one transaction."""

from datetime import datetime

from igny8_core.auth.errors import AccountSuspended
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    ACCOUNT_TRANSITIONS,
    BILLING_DETAILS,
    Account,
    AccountStatus,
    SubscriptionStatus,
    SuspendedReason,
    User,
)
from igny8_core.auth.selectors import members_of
from igny8_core.auth.services import team_policy
from igny8_core.auth.services.invitations import withdraw_invitations
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.auth.services.users import check_own_password
from igny8_core.business.billing.errors import MoneyOpen
from igny8_core.business.billing.models import PLAN_LINES, UNUSED_TIME, Invoice, InvoiceStatus, LineKind
from igny8_core.business.billing.selectors import invoices_of, live_subscription_of, payments_under_way_of
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_methods.saved import forget_all_methods
from igny8_core.business.billing.services.payment_states.under_way import (
    is_open,
    require_no_open_attempt,
    why_undecided,
)
from igny8_core.business.billing.services.subscriptions.ending import cancel_subscription
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.mail import erased_address
from igny8_core.common.states import transition
from igny8_core.events import services as events

# Lines of an order of which nothing was delivered as long as it is not paid.
ORDER_LINES = frozenset({*PLAN_LINES, UNUSED_TIME, LineKind.CREDIT_PACKAGE})


def delete_account(account: Account, owner: User, password: str) -> None:
    """Delete the account for its owner, who says their password: all of it or nothing.

    An order that nobody paid for is voided, the subscription ends at once, everybody is logged out and erased, and the
    billing details are blanked. Invoices with their snapshots, the ledger and the events stay.
    Attempts to pay that are open are closed first.
    Raises InvalidInput for a wrong password, OwnersOnly, MoneyOpen, SubscriptionBilledByStripe (it has to end there
    first), AccountSuspended while an operator holds it; InvoicePaidMeanwhile, PaymentBeingChecked and AttemptNotClosed
    where an attempt was paid, may be, or cannot be closed.
    """
    check_own_password(password, owner)
    _close(account, owner)


@service_transaction
def _close(account: Account, owner: User) -> None:
    account = lock_account(account.pk)
    actor = team_policy.acting_member(account, owner)
    team_policy.require_owner(actor)
    if account.status == AccountStatus.SUSPENDED and account.suspended_reason == SuspendedReason.OPERATOR:
        raise AccountSuspended()
    _require_settled(account)
    _end_orders(account, actor)
    account = lock_account(account.pk)
    now = clock.now()
    withdraw_invitations(account)
    forget_all_methods(account)
    members = list(members_of(account).order_by("pk"))
    _blank(account, now, {member.pk for member in members if not _is_operator(member)})
    for member in members:
        if _is_operator(member):
            _let_go(member)
        else:
            _erase(member)
    facts = {"members": len(members)}
    events.record(events.about("account.deleted", account, actor, facts))


def _require_settled(account: Account) -> None:
    """Raises MoneyOpen, saying which payment or invoice is open, and AttemptOpen."""
    undecided = [payment for payment in payments_under_way_of(account) if not is_open(payment)]
    if undecided:
        raise MoneyOpen(f"{why_undecided(undecided[0])} Wait until that is decided.")
    subscription = live_subscription_of(account)
    is_past_due = subscription is not None and subscription.status == SubscriptionStatus.PAST_DUE
    for invoice in _unpaid(account):
        belongs_to_debt = is_past_due and subscription is not None and invoice.subscription_id == subscription.pk
        if belongs_to_debt or not _is_mere_order(invoice):
            raise MoneyOpen(f"Invoice {invoice.invoice_number} is owed. Pay it first, or ask support to void it.")
    # Last, so that nothing is closed where the account stays.
    require_no_open_attempt(account)


def _unpaid(account: Account) -> list[Invoice]:
    # What was written off as uncollectible is owed to nobody who waits for it.
    unpaid = invoices_of(account).filter(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.PENDING])
    return list(unpaid.prefetch_related("lines").order_by("pk"))


def _is_mere_order(invoice: Invoice) -> bool:
    """Whether nothing was delivered for the invoice: an order that is not paid, or one that was never sent."""
    kinds = {line.kind for line in invoice.lines.all()}
    return invoice.status == InvoiceStatus.DRAFT or kinds <= ORDER_LINES


def _end_orders(account: Account, actor: User) -> None:
    for invoice in _unpaid(account):
        mark_void(invoice, "The account was deleted", actor)
    subscription = live_subscription_of(account)
    if subscription:
        cancel_subscription(subscription, cancel_at_period_end=False, canceled_by=actor)


def _blank(account: Account, now: datetime, staying: set[int]) -> None:
    for column in BILLING_DETAILS:
        setattr(account, column, "")
    account.name, account.slug, account.timezone = f"Deleted account {account.pk}", f"deleted-{account.pk}", "UTC"
    # Only of a platform operator who owned an account of their own: they keep their login, and leave.
    if account.owner_id not in staying:
        account.owner = None
    account.save(update_fields=[*BILLING_DETAILS, "name", "slug", "timezone", "owner"])
    if account.status == AccountStatus.CANCELED:
        account.deleted_at = now
        account.save(update_fields=["deleted_at"])
    else:
        transition(account, AccountStatus.CANCELED, ACCOUNT_TRANSITIONS, suspended_reason="", deleted_at=now)


def _is_operator(member: User) -> bool:
    return member.is_staff or member.is_superuser


def _let_go(member: User) -> None:
    User.objects.filter(pk=member.pk).update(account=None, role="")
    end_sessions(member, "account_deleted")


def _erase(member: User) -> None:
    """Blank a person: they cannot log in any more, and their address can sign up anew."""
    end_sessions(member, "account_deleted")
    member.email, member.first_name, member.last_name = erased_address(member.pk), "", ""
    member.is_active, member.email_verified_at = False, None
    member.set_unusable_password()
    member.save(update_fields=["email", "first_name", "last_name", "is_active", "email_verified_at", "password"])
