"""Deleting an account in one transaction: orders and subscription end, people are erased, invoices are kept."""

from datetime import datetime

from django.utils.translation import gettext as _

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
from igny8_core.auth.services.login_guard import forget_places
from igny8_core.auth.services.second_factor import forget_second_factor
from igny8_core.auth.services.sessions import end_sessions
from igny8_core.auth.services.users import check_own_password
from igny8_core.business.billing.errors import MoneyOpen
from igny8_core.business.billing.models import PLAN_LINES, UNUSED_TIME, Invoice, InvoiceStatus, LineKind
from igny8_core.business.billing.selectors import invoices_of, live_subscription_of, payments_under_way_of
from igny8_core.business.billing.services.invoices.lifecycle import mark_void
from igny8_core.business.billing.services.payment_methods.gateway_customers import release_customer
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
from igny8_core.common.marks import gettext_noop
from igny8_core.common.states import transition
from igny8_core.events import services as events

# Kinds of lines that deliver nothing before they are paid.
ORDER_LINES = frozenset({*PLAN_LINES, UNUSED_TIME, LineKind.CREDIT_PACKAGE})


def delete_account(account: Account, owner: User, password: str | None) -> None:
    """Delete the account for its owner, who confirms with their password; completely or not at all.

    Unpaid orders are voided, the subscription ends at once, members are logged out and erased, and the billing details
    are blanked. Invoices, credit transactions and events are kept. Open payment attempts are closed first. The
    account's customer at the card gateway is erased there after the commit, tried again until that succeeds.

    Raises InvalidInput for a wrong password, OwnersOnly, MoneyOpen, SubscriptionBilledByStripe (end it at Stripe
    first), AccountSuspended if an operator suspended the account; InvoicePaidMeanwhile, PaymentBeingChecked and
    AttemptNotClosed if an open attempt was paid, may have been paid, or cannot be closed.
    """
    check_own_password(password, owner)
    _delete(account, owner)


@service_transaction
def _delete(account: Account, owner: User) -> None:
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
    if account.stripe_customer_id:
        release_customer(account, account.stripe_customer_id)
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
    """Raise MoneyOpen, naming the open payment or invoice, or AttemptOpen."""
    undecided = [payment for payment in payments_under_way_of(account) if not is_open(payment)]
    if undecided:
        raise MoneyOpen(
            _("%(why_undecided)s Wait until that is decided.") % {"why_undecided": why_undecided(undecided[0])}
        )
    subscription = live_subscription_of(account)
    is_past_due = subscription is not None and subscription.status == SubscriptionStatus.PAST_DUE
    for invoice in _unpaid(account):
        belongs_to_debt = is_past_due and subscription is not None and invoice.subscription_id == subscription.pk
        if belongs_to_debt or not _is_mere_order(invoice):
            raise MoneyOpen(
                _("Invoice %(invoice_number)s is owed. Pay it first, or ask support to void it.")
                % {"invoice_number": invoice.invoice_number}
            )
    # Checked last, so that no attempt is closed if the account stays.
    require_no_open_attempt(account)


def _unpaid(account: Account) -> list[Invoice]:
    # Invoices that were written off as uncollectible do not count.
    unpaid = invoices_of(account).filter(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.PENDING])
    return list(unpaid.prefetch_related("lines").order_by("pk"))


def _is_mere_order(invoice: Invoice) -> bool:
    """Whether nothing was delivered for the invoice: it is an unpaid order, or a draft."""
    kinds = {line.kind for line in invoice.lines.all()}
    return invoice.status == InvoiceStatus.DRAFT or kinds <= ORDER_LINES


def _end_orders(account: Account, actor: User) -> None:
    for invoice in _unpaid(account):
        mark_void(invoice, gettext_noop("The account was deleted"), actor)
    subscription = live_subscription_of(account)
    if subscription:
        cancel_subscription(subscription, cancel_at_period_end=False, canceled_by=actor)


def _blank(account: Account, now: datetime, staying: set[int]) -> None:
    for column in BILLING_DETAILS:
        setattr(account, column, "")
    account.name, account.slug, account.timezone = f"Deleted account {account.pk}", f"deleted-{account.pk}", "UTC"
    # An owner who is an operator keeps their login and leaves the account.
    if account.owner_id not in staying:
        account.owner = None
    account.confirmed_billing_email = ""
    account.save(update_fields=[*BILLING_DETAILS, "confirmed_billing_email", "name", "slug", "timezone", "owner"])
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
    """Erase a person. They can no longer log in, and their address can sign up again."""
    end_sessions(member, "account_deleted")
    forget_second_factor(member)
    forget_places(member)
    member.email, member.first_name, member.last_name = erased_address(member.pk), "", ""
    member.email_before = ""
    member.is_active, member.email_verified_at = False, None
    member.set_unusable_password()
    erased = ["email", "email_before", "first_name", "last_name", "is_active", "email_verified_at", "password"]
    member.save(update_fields=erased)
