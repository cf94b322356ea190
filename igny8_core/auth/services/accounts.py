"""Creating accounts with their first owner, suspending and reinstating them, changing their settings."""

import secrets
from datetime import timedelta

from django.conf import settings
from django.utils.text import slugify
from django.utils.translation import gettext as _

from igny8_core.auth.errors import (
    EmailTaken,
    MemberElsewhere,
    NotSuspended,
    SettingsChanged,
    SuspensionLiftedByPayment,
)
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import (
    ACCOUNT_TRANSITIONS,
    Account,
    AccountStatus,
    Plan,
    Role,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
    User,
)
from igny8_core.auth.permissions import require_other_account
from igny8_core.auth.selectors import settings_version
from igny8_core.common import clock
from igny8_core.common.db import refusing, service_transaction, set_changed
from igny8_core.common.errors import InvalidInput
from igny8_core.common.languages import current_language
from igny8_core.common.states import transition
from igny8_core.common.tax_ids import why_not_tax_id
from igny8_core.events import services as events

# By status: what an operator is told who tries to activate an account that is not suspended.
_HINTS: dict[str, str] = {
    AccountStatus.TRIAL: "It becomes active when it orders a plan and pays.",
    AccountStatus.PENDING_PAYMENT: "It becomes active when its open invoice is paid: approve that payment.",
    AccountStatus.PAST_DUE: "It becomes active when its open invoice is paid: approve that payment.",
    AccountStatus.CANCELED: "It becomes active again when it orders a plan and pays.",
    AccountStatus.ACTIVE: "There is nothing to do.",
}


@service_transaction
def create_account(
    *,
    email: str,
    password_hash: str,
    first_name: str,
    last_name: str,
    account_name: str,
    plan: Plan,
    status: AccountStatus,
    billing: dict[str, str],
    terms_version: str = "",
) -> Account:
    """Create an account and its owner.

    `billing` has the account's billing_* and tax_id columns. `password_hash` is the hash of a password that has been
    checked. `terms_version`: the terms that the owner agreed to just now; empty if that is not known. Raises
    InvalidInput for a wrong VAT number, EmailTaken for an address that is in use.
    """
    names = {"first_name": first_name, "last_name": last_name}
    owner = User(email=email, password=password_hash, role=Role.OWNER, **names)
    if terms_version:
        owner.terms_version, owner.terms_accepted_at = terms_version, clock.now()
    account = _new_account(account_name or owner.full_name, plan, status, billing)
    owner.account = account
    with refusing("igny8_users_email_unique", EmailTaken(errors={"email": [EmailTaken.text]})):
        owner.save()
    return _owned(account, owner)


@service_transaction
def create_account_of(
    owner: User, *, account_name: str, plan: Plan, status: AccountStatus, billing: dict[str, str]
) -> Account:
    """Create an account of somebody who has a login and belongs to no account.

    Raises InvalidInput for a wrong VAT number, MemberElsewhere for a member of an account.
    """
    account = _new_account(account_name or owner.full_name, plan, status, billing)
    # One conditional UPDATE: an invitation that is accepted at this moment, or a second click, finds them taken.
    unbound = User.objects.filter(pk=owner.pk, account=None, is_active=True)
    if not unbound.update(account=account, role=Role.OWNER):
        raise MemberElsewhere()
    owner.account, owner.role = account, Role.OWNER
    return _owned(account, owner)


@service_transaction
def suspend_account(account: Account, reason: str, suspended_by: User) -> Account:
    """Stop an account from using the product until an operator reinstates it. Its people can still log in and pay.

    Raises OwnAccount, TransitionNotAllowed if the account's status does not allow it.
    """
    account = lock_account(account.pk)
    require_other_account(suspended_by, account.pk)
    before = account.status
    transition(account, AccountStatus.SUSPENDED, ACCOUNT_TRANSITIONS, suspended_reason=SuspendedReason.OPERATOR)
    facts = {"from": before, "suspended_reason": SuspendedReason.OPERATOR.value, "reason": reason}
    events.record(events.about("account.suspended", account, suspended_by, facts))
    return account


@service_transaction
def reinstate_account(account: Account, reason: str, reinstated_by: User) -> Account:
    """Lift an operator's suspension. The account's status then follows from its subscription.

    Raises NotSuspended, OwnAccount, SuspensionLiftedByPayment if the account is suspended for non-payment.
    """
    account = lock_account(account.pk, "plan")
    require_other_account(reinstated_by, account.pk)
    if account.status != AccountStatus.SUSPENDED:
        raise NotSuspended(
            _("The account is %(status)s. %(get)s")
            % {"status": account.status, "get": _(_HINTS.get(account.status, NotSuspended.text))}
        )
    if account.suspended_reason != SuspendedReason.OPERATOR:
        raise SuspensionLiftedByPayment()
    last = Subscription.objects.filter(account=account).order_by("-pk").first()
    to = _status_behind(account, last)
    transition(account, to, ACCOUNT_TRANSITIONS, suspended_reason="")
    facts = {"from": AccountStatus.SUSPENDED.value, "to": to.value, "reason": reason}
    events.record(events.about("account.reinstated", account, reinstated_by, facts))
    if to == AccountStatus.CANCELED and last and last.status == SubscriptionStatus.PENDING_PAYMENT:
        # It ordered a plan while it was suspended, so it waits for that payment.
        transition(account, AccountStatus.PENDING_PAYMENT, ACCOUNT_TRANSITIONS)
        events.record(events.about("account.awaiting_payment", account, reinstated_by, {"from": to.value}))
    return account


@service_transaction
def update_account_settings(account: Account, changed_by: User, *, version: str = "", **changes: str) -> Account:
    """Change name, timezone, language, tax_id or billing_* columns. Invoices keep what they were issued with.

    `version`: what settings_version gave for the settings that were looked at; empty: whatever they are now. Raises
    InvalidInput for a wrong VAT number, SettingsChanged if they have another version by now.
    """
    account = lock_account(account.pk)
    if version and version != settings_version(account):
        raise SettingsChanged()
    changed = set_changed(account, changes)
    if not changed:
        return account
    if {"tax_id", "billing_country"} & set(changed):
        _require_tax_id(account.tax_id, account.billing_country)
    account.save(update_fields=changed)
    if "billing_email" in changed:
        _billing_email_given(account, changed_by)
    # Names of fields, not values: events are kept when an account is deleted, addresses are not.
    facts = {"changed": changed}
    events.record(events.about("account.updated", account, changed_by, facts))
    return account


def _billing_email_given(account: Account, given_by: User) -> None:
    """Have a billing address confirmed by whose it is: mails about money go to no stranger before (OUT-09)."""
    email = account.billing_email
    if not email:
        return
    member = User.objects.filter(account=account, email=email, is_active=True).first()
    # Who belongs to the account and has confirmed the address need not do so again.
    if member is not None and member.email_verified_at is not None:
        account.confirmed_billing_email = email
        account.save(update_fields=["confirmed_billing_email"])
    elif not account.is_billing_email_confirmed and (member is None or member.pk != account.owner_id):
        events.record(events.about("account.billing_email_given", account, given_by))


def _status_behind(account: Account, last: Subscription | None) -> AccountStatus:
    """The status of a suspended account once its suspension is lifted, from its last subscription."""
    if last is None or account.plan.is_free or last.status == SubscriptionStatus.ACTIVE:
        return AccountStatus.ACTIVE
    # A subscription that ended meanwhile, or was ordered meanwhile and not paid, gives no rights.
    return AccountStatus.PAST_DUE if last.status == SubscriptionStatus.PAST_DUE else AccountStatus.CANCELED


def _new_account(name: str, plan: Plan, status: AccountStatus, billing: dict[str, str]) -> Account:
    _require_tax_id(billing.get("tax_id", ""), billing.get("billing_country", ""))
    ends_at = None
    if status == AccountStatus.TRIAL and settings.TRIAL_DAYS:
        ends_at = clock.now() + timedelta(days=settings.TRIAL_DAYS)
    return Account.objects.create(
        name=name,
        slug=_slug(name),
        plan=plan,
        status=status,
        trial_ends_at=ends_at,
        # In which the person signs up: of the page, or what the program asked for.
        language=current_language(),
        **billing,
    )


def _owned(account: Account, owner: User) -> Account:
    account.owner = owner
    account.save(update_fields=["owner"])
    facts = {"plan": account.plan.slug, "status": account.status}
    events.record(events.about("account.created", account, owner, facts))
    _billing_email_given(account, owner)
    return account


def _require_tax_id(tax_id: str, country: str) -> None:
    if refusal := why_not_tax_id(tax_id, country):
        raise InvalidInput(errors={"tax_id": [refusal]})


def _slug(name: str) -> str:
    return f"{slugify(name)[:60] or 'account'}-{secrets.token_hex(3)}"
