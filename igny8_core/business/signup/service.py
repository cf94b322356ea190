"""Signing up: creates account and owner, and grants trial credits or orders a paid plan, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, AccountStatus, Plan, Subscription, User
from igny8_core.auth.selectors import has_made_an_account, public_plans
from igny8_core.auth.services.accounts import create_account, create_account_of, update_account_settings
from igny8_core.auth.services.users import hashed
from igny8_core.business.billing.errors import PaymentMethodNotAvailable, PlanNotOffered
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.offers import offered_for, usual_method
from igny8_core.business.billing.services.credits.trial import begin_trial
from igny8_core.business.billing.services.subscriptions.ordering import create_subscription
from igny8_core.common import limit_hits, rate_limits
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import TooManyRequests
from igny8_core.common.marks import gettext_noop
from igny8_core.events import services as events
from igny8_core.events.models import Event

SIGNUPS_STOPPED = gettext_noop("Very many people are signing up right now. Please come back within the hour.")


@dataclass(frozen=True)
class Signup:
    """The result of a signup; subscription and invoice are None for a free plan."""

    user: User
    account: Account
    subscription: Subscription | None = None
    invoice: Invoice | None = None


def register(
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    account_name: str = "",
    plan_slug: str = "",
    payment_method: str = "",
    billing: dict[str, str] | None = None,
    terms_accepted: bool = False,
) -> Signup:
    """Sign up a new customer, completely or not at all.

    Without `plan_slug`, or with that of a free plan, a trial starts, with the plan's credits at once or when the
    address is confirmed (setting TRIAL_CREDITS), where the mailbox has had none before; a paid plan is ordered and
    waits for payment, by `payment_method` or else the first one available in the billing country.
    `terms_accepted`: the person agrees to the terms in their present version, which is kept with the time.
    Raises PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, EmailTaken, InvalidInput,
    TooManyRequests.
    """
    _plan(plan_slug)
    person = {"email": email, "first_name": first_name, "last_name": last_name}
    password_hash = hashed(password, User(**person), field="password")
    with _counted():
        return _register(
            person,
            password_hash,
            plan_slug=plan_slug,
            account_name=account_name,
            payment_method=payment_method,
            billing=billing or {},
            terms_version=settings.TERMS_VERSION if terms_accepted else "",
        )


def begin_account(
    person: User,
    *,
    account_name: str = "",
    plan_slug: str = "",
    payment_method: str = "",
    billing: dict[str, str] | None = None,
) -> Signup:
    """Begin an account of somebody who has a login and belongs to no account, such as a former member of a team.

    As `register`, without a new login. The credits of a trial are given once to a person: who has begun an account
    before starts with none. Raises PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, MemberElsewhere,
    InvalidInput, TooManyRequests.
    """
    with _counted():
        return _begin_account(person, account_name, plan_slug, payment_method, billing or {})


@service_transaction
def order_plan(
    person: User, account: Account, *, plan_slug: str, payment_method: str, billing: dict[str, str]
) -> Signup:
    """Order a paid plan for an account that has none, such as a trial, with the billing details that its invoice needs.

    Raises PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, SubscriptionAlreadyLive, PaymentUnderWay,
    InvalidInput, with nothing changed.
    """
    plan = _plan(plan_slug)
    account = update_account_settings(account, person, **billing)
    subscription = create_subscription(account, plan, payment_method, created_by=person)
    return Signup(person, subscription.account, subscription, subscription.invoices.get())


@service_transaction
def _begin_account(
    person: User, account_name: str, plan_slug: str, payment_method: str, billing: dict[str, str]
) -> Signup:
    plan = _plan(plan_slug)
    had_trial = has_made_an_account(person)
    account = create_account_of(
        person, account_name=account_name, plan=plan, status=_first_status(plan), billing=billing
    )
    if not plan.is_free:
        return _order(account, plan, payment_method)
    return Signup(person, account) if had_trial else _start_trial(account)


@service_transaction
def _register(
    person: dict[str, str],
    password_hash: str,
    *,
    plan_slug: str,
    account_name: str,
    payment_method: str,
    billing: dict[str, str],
    terms_version: str,
) -> Signup:
    plan = _plan(plan_slug)
    account = create_account(
        **person,
        password_hash=password_hash,
        account_name=account_name,
        plan=plan,
        status=_first_status(plan),
        billing=billing,
        terms_version=terms_version,
    )
    return _start_trial(account) if plan.is_free else _order(account, plan, payment_method)


def _plan(slug: str) -> Plan:
    # The trial plan is found by its mark, because operators can edit slugs.
    plan = (public_plans().filter(slug=slug) if slug else public_plans().filter(is_trial=True)).first()
    if plan is None:
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})
    return plan


def _first_status(plan: Plan) -> AccountStatus:
    return AccountStatus.TRIAL if plan.is_free else AccountStatus.PENDING_PAYMENT


def _start_trial(account: Account) -> Signup:
    owner = _owner(account)
    begin_trial(account, owner)
    return Signup(owner, account)


@contextmanager
def _counted() -> Iterator[None]:
    """Count a signup among all of the hour, if it succeeds. Raises TooManyRequests; the operators are told then."""
    if not settings.THROTTLING:
        yield
        return
    counted = rate_limits.count("signups", "everybody")
    if counted.wait is not None:
        _tell_operators()
        raise TooManyRequests(SIGNUPS_STOPPED, retry_after=counted.wait)
    is_done = False
    try:
        yield
        is_done = True
    finally:
        if not is_done:
            rate_limits.give_back(counted)


@service_transaction
def _tell_operators() -> None:
    """Have the operators told, once an hour."""
    hit = limit_hits.of_this_hour("signups")
    if not Event.objects.filter(type="signups.stopped", object_id=str(hit.pk)).exists():
        events.record(events.NewEvent("signups.stopped", hit, None))


def _order(account: Account, plan: Plan, payment_method: str) -> Signup:
    owner = _owner(account)
    method = payment_method or usual_method(offered_for(account.billing_country, plan.price, plan.currency), "")
    if not method:
        raise PaymentMethodNotAvailable(_("No payment method is available in your country yet. Please contact us."))
    subscription = create_subscription(account, plan, method, created_by=owner)
    return Signup(owner, subscription.account, subscription, subscription.invoices.get())


def _owner(account: Account) -> User:
    if account.owner is None:
        raise RuntimeError(f"Account {account.pk} was created without an owner.")
    return account.owner
