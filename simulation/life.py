"""What customers do beside paying: they sign up, spend, change plans, cancel, come back, and want money back."""

from datetime import timedelta

from igny8_core.auth.models import Account, AccountStatus, Plan, Subscription, SubscriptionStatus, User
from igny8_core.auth.services.accounts import update_account_settings
from igny8_core.business.billing.models import CAPTURED_STATUSES, Payment
from igny8_core.business.billing.selectors import last_subscription_of, live_subscription_of
from igny8_core.business.billing.services.credits.spending import use_credits
from igny8_core.business.billing.services.payments.credit_orders import buy_credits
from igny8_core.business.billing.services.refunds.refunding import process_refund
from igny8_core.business.billing.services.subscriptions.ending import cancel_subscription, reactivate_subscription
from igny8_core.business.billing.services.subscriptions.ordering import downgrade_subscription, upgrade_subscription
from igny8_core.business.signup.service import order_plan, register
from igny8_core.common import clock
from simulation.money import Purse
from simulation.operators import Operators
from simulation.people import Person

PASSWORD = "a password of nobody, 4711"  # noqa: S105 - of people who do not exist
OPERATION = "idea_generation"
LADDER = ("starter", "growth", "scale")
YEARLY, YEARS = "growth-yearly", 0.3
PACKAGES = ("starter", "pro", "business")
DISPUTE_TAKES = timedelta(days=20)


class Life:
    """Carries out what a person wants to do. What is refused is counted, and life goes on."""

    def __init__(self, purse: Purse, operators: Operators) -> None:
        self._purse = purse
        self._operators = operators

    def sign_up(self, person: Person) -> None:
        """Register with a plan, or for a trial."""
        billing = {"billing_country": person.country, "billing_email": person.email, "billing_city": "Testville"}
        wants = {"plan_slug": "" if person.is_trial else person.plan, "payment_method": person.method}

        def signed() -> None:
            done = register(
                email=person.email,
                password=PASSWORD,
                first_name="Pat",
                last_name=f"Person {person.number}",
                terms_accepted=True,
                billing=billing,
                **wants if wants["plan_slug"] else {},
            )
            person.owner = done.user
            update_account_settings(done.account, done.user, timezone=person.zone.key)

        self._purse.attempt("signed up for a trial" if person.is_trial else "signed up with a plan", signed)

    def order(self, person: Person, account: Account) -> None:
        """After a trial: order a plan."""
        details = {"billing_address_line1": "Main Street 1", "billing_country": person.country}
        self._purse.attempt(
            "ordered a plan after a trial",
            lambda: order_plan(
                _owner(person), account, plan_slug=person.plan, payment_method=person.method, billing=details
            ),
        )

    def do(self, person: Person, account: Account, wish: str) -> None:
        """One of the wishes of people.LIFE, if there is something to do it with."""
        getattr(self, f"_{wish}")(person, account)

    def _spend(self, person: Person, account: Account) -> None:
        self._purse.attempt(
            "spent credits", lambda: use_credits(account, OPERATION, person.pick.randint(1, 8), user=_owner(person))
        )

    def _upgrade(self, person: Person, account: Account) -> None:
        running, larger = self._running(account), self._step(person, account, 1)
        if running and larger:
            self._purse.attempt("ordered a larger plan", lambda: upgrade_subscription(running, larger, _owner(person)))

    def _downgrade(self, person: Person, account: Account) -> None:
        running, smaller = self._running(account), self._step(person, account, -1)
        if running and smaller:
            self._purse.attempt(
                "ordered a smaller plan", lambda: downgrade_subscription(running, smaller, _owner(person))
            )

    def _cancel_at_end(self, person: Person, account: Account) -> None:
        running = self._running(account)
        if running:
            self._purse.attempt(
                "canceled for the period's end", lambda: cancel_subscription(running, canceled_by=_owner(person))
            )

    def _cancel_now(self, person: Person, account: Account) -> None:
        running = live_subscription_of(account)
        if running:
            self._purse.attempt(
                "canceled at once",
                lambda: cancel_subscription(running, cancel_at_period_end=False, canceled_by=_owner(person)),
            )

    def _come_back(self, person: Person, account: Account) -> None:
        last = last_subscription_of(account)
        if last and not person.stopped and (last.status == SubscriptionStatus.CANCELED or last.cancel_at_period_end):
            self._purse.attempt("came back", lambda: reactivate_subscription(last, person.method, _owner(person)))

    def _buy_credits(self, person: Person, account: Account) -> None:
        if account.status == AccountStatus.ACTIVE:
            package = person.pick.choice(PACKAGES)
            self._purse.attempt("ordered credits", lambda: buy_credits(account, package, person.method, _owner(person)))

    def _ask_for_refund(self, person: Person, account: Account) -> None:
        payment = self._last_payment(account)
        if payment:
            left = payment.amount - payment.refunded_amount
            part = None if person.pick.random() < 0.5 else (left / 2).quantize(left)
            self._purse.attempt(
                "got money back",
                lambda: process_refund(payment, part, reason="Goodwill", refunded_by=self._operators.somebody),
            )

    def _dispute(self, person: Person, account: Account) -> None:
        payment = self._last_payment(account)
        if payment and payment.payment_method == "stripe" and payment.status == "succeeded":
            dispute = self._purse.stripe.open_dispute(payment.gateway_object_id)
            self._purse.done["disputed a charge"] += 1
            self._operators.decided_by_bank(dispute["id"], clock.now() + DISPUTE_TAKES, won=person.pick.random() < 0.4)

    def _running(self, account: Account) -> Subscription | None:
        subscription = live_subscription_of(account)
        return subscription if subscription and subscription.status == SubscriptionStatus.ACTIVE else None

    def _step(self, person: Person, account: Account, step: int) -> Plan | None:
        """The next plan on the ladder, or for a year; from outside of it the second rung up, the first down."""
        running = self._running(account)
        slug = running.plan.slug if running else ""
        if step > 0 and slug in LADDER and person.pick.random() < YEARS:
            return Plan.objects.get(slug=YEARLY)
        place = LADDER.index(slug) + step if slug in LADDER else (1 if step > 0 else 0)
        return Plan.objects.get(slug=LADDER[place]) if 0 <= place < len(LADDER) else None

    def _last_payment(self, account: Account) -> Payment | None:
        captured = Payment.objects.filter(account=account, status__in=CAPTURED_STATUSES).exclude(status="refunded")
        return captured.select_related("account", "invoice").order_by("-pk").first()


def _owner(person: Person) -> User:
    if person.owner is None:
        raise RuntimeError(f"{person.email} has not signed up.")
    return person.owner
