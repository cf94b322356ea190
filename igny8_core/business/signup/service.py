"""Signing up: creates account and owner, and grants trial credits or orders a paid plan, in one transaction."""

from dataclasses import dataclass

from igny8_core.auth.models import Account, AccountStatus, Plan, Subscription, User
from igny8_core.auth.selectors import public_plans
from igny8_core.auth.services.accounts import create_account
from igny8_core.auth.services.users import hashed
from igny8_core.business.billing.errors import PaymentMethodNotAvailable, PlanNotOffered
from igny8_core.business.billing.models import CreditGrantKind, CreditTransactionType, Invoice
from igny8_core.business.billing.offers import offered_for, usual_method
from igny8_core.business.billing.services.credits.granting import grant_credits
from igny8_core.business.billing.services.subscriptions.ordering import create_subscription
from igny8_core.common.db import service_transaction


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
) -> Signup:
    """Sign up a new customer, completely or not at all.

    Without `plan_slug`, or with the slug of a free plan, a trial starts with the plan's credits. A paid plan is ordered
    and waits for payment, by `payment_method` or else the first one that the billing country offers.
    Raises PlanNotOffered, PaymentMethodNotAvailable, GatewayNotConfigured, EmailTaken, InvalidInput.
    """
    _plan(plan_slug)
    person = {"email": email, "first_name": first_name, "last_name": last_name}
    password_hash = hashed(password, User(**person), field="password")
    return _register(
        person,
        password_hash,
        plan_slug=plan_slug,
        account_name=account_name,
        payment_method=payment_method,
        billing=billing or {},
    )


@service_transaction
def _register(
    person: dict[str, str],
    password_hash: str,
    *,
    plan_slug: str,
    account_name: str,
    payment_method: str,
    billing: dict[str, str],
) -> Signup:
    plan = _plan(plan_slug)
    account = create_account(
        **person,
        password_hash=password_hash,
        account_name=account_name,
        plan=plan,
        status=AccountStatus.TRIAL if plan.is_free else AccountStatus.PENDING_PAYMENT,
        billing=billing,
    )
    return _start_trial(account, plan) if plan.is_free else _order(account, plan, payment_method)


def _plan(slug: str) -> Plan:
    # The trial plan is found by its mark, because operators can edit slugs.
    plan = (public_plans().filter(slug=slug) if slug else public_plans().filter(is_trial=True)).first()
    if plan is None:
        raise PlanNotOffered(errors={"plan_slug": [PlanNotOffered.text]})
    return plan


def _start_trial(account: Account, plan: Plan) -> Signup:
    owner = _owner(account)
    if plan.included_credits:
        grant_credits(
            account,
            plan.included_credits,
            kind=CreditGrantKind.PLAN,
            transaction_type=CreditTransactionType.TRIAL,
            source=f"signup:{account.pk}",
            description="Free trial credits",
            actor=owner,
        )
    return Signup(owner, account)


def _order(account: Account, plan: Plan, payment_method: str) -> Signup:
    owner = _owner(account)
    method = payment_method or usual_method(offered_for(account.billing_country, plan.price, plan.currency), "")
    if not method:
        raise PaymentMethodNotAvailable("No payment method is available in your country yet. Please contact us.")
    subscription = create_subscription(account, plan, method, created_by=owner)
    return Signup(owner, subscription.account, subscription, subscription.invoices.get())


def _owner(account: Account) -> User:
    if account.owner is None:
        raise RuntimeError(f"Account {account.pk} was created without an owner.")
    return account.owner
