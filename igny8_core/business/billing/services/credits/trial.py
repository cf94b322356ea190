"""The credits of a free trial: once for each mailbox, at signup or when the address is confirmed (setting)."""

from datetime import timedelta

from django.conf import settings

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, AccountStatus, User
from igny8_core.auth.selectors import user_with_id
from igny8_core.auth.services.trials import take_trial
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType
from igny8_core.business.billing.services.credits.granting import grant_credits
from igny8_core.common import clock
from igny8_core.common.db import service_transaction
from igny8_core.common.marks import gettext_noop
from igny8_core.events.models import Event

AT_SIGNUP, WHEN_VERIFIED = "at_signup", "when_verified"


@service_transaction
def begin_trial(account: Account, owner: User) -> None:
    """Give a new trial its credits, if its owner's mailbox has had none, and is confirmed where that is asked for."""
    is_due = settings.TRIAL_CREDITS == AT_SIGNUP or owner.email_verified_at is not None
    if is_due and account.plan.included_credits and take_trial(owner.email):
        _grant(account, owner)


def waits_for_credits(account: Account, person: User) -> bool:
    """Whether the account's trial gets its credits once this person, its owner, has confirmed their address."""
    is_late = settings.TRIAL_CREDITS == WHEN_VERIFIED and person.email_verified_at is None
    return is_late and account.owner_id == person.pk


def handle(event: Event) -> None:
    """Give the trial of who has just confirmed their address its credits. Called at least once for each event."""
    owner = user_with_id(event.object_id)
    if owner is not None and owner.account is not None:
        _begin_late(owner.account, owner)


@service_transaction
def _begin_late(account: Account, owner: User) -> None:
    account = lock_account(account.pk, "plan")
    if account.status == AccountStatus.TRIAL and account.owner_id == owner.pk and owner.email_verified_at is not None:
        begin_trial(account, owner)


def _grant(account: Account, owner: User) -> None:
    days = settings.TRIAL_CREDITS_DAYS
    grant_credits(
        account,
        account.plan.included_credits,
        kind=CreditGrantKind.PLAN,
        transaction_type=CreditTransactionType.TRIAL,
        source=f"signup:{account.pk}",
        description=gettext_noop("Free trial credits"),
        expires_at=clock.now() + timedelta(days=days) if days else None,
        actor=owner,
    )
