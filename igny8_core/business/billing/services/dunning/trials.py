"""The end of trials: warnings before it, read only after it, then canceled; and operators' extensions.

Only trials that began with a setting TRIAL_DAYS, or got an end from an operator, end at all.
"""

from datetime import date, datetime, time, timedelta

from django.conf import settings

from igny8_core.auth.errors import AccountDeleted, NotOnTrial
from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import LIVE_STATUSES, Account, AccountStatus, Subscription, User
from igny8_core.auth.permissions import require_other_account
from igny8_core.business.billing.services.dunning.calendar import Calendar, current_calendar, local_time
from igny8_core.business.billing.services.subscriptions.transitions import transition_account
from igny8_core.common import clock
from igny8_core.common.batches import others_go_on
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.events import services as events

BATCH = 500
LONGEST_EXTENSION = timedelta(days=366)
# In the event of an account that was canceled because its trial was over.
TRIAL_ENDED = "trial_ended"


@service_transaction
def extend_trial(account: Account, until: date, reason: str, extended_by: User) -> Account:
    """Let a trial end with another day, the last one on which the account can be used. It can be used again at once.

    The customer is warned anew. Raises OwnAccount, AccountDeleted, NotOnTrial, InvalidInput for a day that is over or
    more than a year ahead.
    """
    account = lock_account(account.pk)
    require_other_account(extended_by, account.pk)
    if account.deleted_at:
        raise AccountDeleted()
    if account.status != AccountStatus.TRIAL:
        raise NotOnTrial()
    here = local_time(account, clock.now())
    if not here.date() <= until <= here.date() + LONGEST_EXTENSION:
        latest = here.date() + LONGEST_EXTENSION
        text = f"A day from {here.date()} (today, where the customer is) to {latest} is expected."
        raise InvalidInput(errors={"until": [text]})
    before = account.trial_ends_at
    account.trial_ends_at = datetime.combine(until + timedelta(days=1), time(), here.tzinfo)
    account.trial_stage = account.trial_stage_at = None
    account.save(update_fields=["trial_ends_at", "trial_stage", "trial_stage_at"])
    facts = {"from": before and before.isoformat(), "until": until.isoformat(), "reason": reason}
    events.record(events.about("account.trial_extended", account, extended_by, facts))
    return account


def take_trial_steps() -> int:
    """Warn of trials that end soon, and close those that are over. Returns of how many accounts."""
    calendar, taken, last = current_calendar(), 0, 0
    horizon = clock.now() + timedelta(days=max((*settings.TRIAL_WARNING_DAYS, 0)))
    ending = Account.objects.filter(status=AccountStatus.TRIAL, trial_ends_at__lte=horizon).order_by("pk")
    while True:
        accounts = list(ending.filter(pk__gt=last)[:BATCH])
        if not accounts:
            return taken
        last = accounts[-1].pk
        for account in accounts:
            if due_stage(account, clock.now(), calendar) is not None:
                taken += _took(account, calendar)


@service_transaction
def take_trial_step(account: Account, calendar: Calendar) -> bool:
    """Take the stage of a trial's end that is due now. Returns False if none is."""
    account = lock_account(account.pk)
    stage = due_stage(account, clock.now(), calendar)
    if stage is None or account.trial_ends_at is None:
        return False
    if stage == settings.TRIAL_READ_ONLY_DAYS:
        if Subscription.objects.filter(account=account, status__in=LIVE_STATUSES).exists():
            return False
        taken = {"trial_stage": stage, "trial_stage_at": clock.now()}
        transition_account(account, AccountStatus.CANCELED, "account.canceled", None, {"because": TRIAL_ENDED}, **taken)
        return True
    account.trial_stage, account.trial_stage_at = stage, clock.now()
    account.save(update_fields=["trial_stage", "trial_stage_at"])
    closes_at = account.trial_ends_at + timedelta(days=settings.TRIAL_READ_ONLY_DAYS)
    last_day = local_time(account, account.trial_ends_at - timedelta(seconds=1)).date()
    facts = {"last_day": last_day.isoformat(), "closes_on": local_time(account, closes_at).date().isoformat()}
    events.record(events.about("account.trial_ending" if stage < 0 else "account.trial_ended", account, None, facts))
    return True


def due_stage(account: Account, now: datetime, calendar: Calendar) -> int | None:
    """The newest stage that is due and was not taken, as days after the end of the trial; None if there is none.

    Like dunning, on business days and in the hours of the customer's day.
    """
    if account.status != AccountStatus.TRIAL or account.trial_ends_at is None:
        return None
    here = local_time(account, now)
    is_open = settings.DUNNING.opens <= here.hour < settings.DUNNING.closes
    if not (is_open and calendar.is_business_day(account.billing_country, here.date())):
        return None
    stages = [*(-days for days in settings.TRIAL_WARNING_DAYS), 0, settings.TRIAL_READ_ONLY_DAYS]
    due = [stage for stage in stages if _is_due(stage, account, now, calendar)]
    if not due or (account.trial_stage is not None and account.trial_stage >= due[-1]):
        return None
    if due[-1] <= 0:
        return due[-1]
    if account.trial_stage != 0 or account.trial_stage_at is None:
        # After a long stop the account is told first that its trial is over.
        return 0
    half = timedelta(days=settings.TRIAL_READ_ONLY_DAYS) / 2
    return due[-1] if account.trial_stage_at + half <= now else None


def _is_due(stage: int, account: Account, now: datetime, calendar: Calendar) -> bool:
    then = account.trial_ends_at + timedelta(days=stage) if account.trial_ends_at else now
    if stage >= 0:
        return then <= now
    # Before a weekend or holiday, not after it.
    warned_on = calendar.business_day_before(account.billing_country, local_time(account, then).date())
    return warned_on <= local_time(account, now).date()


def _took(account: Account, calendar: Calendar) -> bool:
    taken = False
    with others_go_on("the end of a trial", account=account.pk):
        taken = take_trial_step(account, calendar)
    return taken
