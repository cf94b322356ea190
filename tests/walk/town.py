"""Where the walk goes: a few accounts, what they can order, an operator, both gateways, and how steps are counted.

A step does one thing through the services, and may be refused with a DomainError. `weight` is how often it is chosen,
`at_least` how often it has to have succeeded after a long walk, so that the walk is not hollow.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import time_machine

from fake_gateways.paypal_checks import Refusal as PayPalRefusal
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_parameters import Refusal as StripeRefusal
from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.business.billing import selectors
from igny8_core.business.billing.gateways import handler_of
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.common.money import minor_units
from tests import make
from tests.walk.facts import Facts, Order

START = datetime.fromisoformat("2026-01-31T12:00:00+00:00")
GATEWAY_REFUSALS = (StripeRefusal, PayPalRefusal)
METHODS = ("bank_transfer", "stripe", "paypal", "local_wallet")
COUNTRIES = ("US", "DE", "JP")
CARDS = ("pm_card_visa",) * 6 + ("pm_card_chargeDeclined", "pm_card_authenticationRequired", "pm_card_pendingRefund")
MOST_ACCOUNTS = 8


class Idle(Exception):
    """There is nothing to do this with."""


@dataclass(frozen=True)
class Step:
    """One thing that happens; `do` returns the account that it was about, None for all."""

    name: str
    weight: int
    at_least: int
    do: Callable[["Town"], int | None]


STEPS: list[Step] = []


def step(weight: int, at_least: int = 1) -> Callable[[Callable[["Town"], int | None]], Any]:
    """Make a method a step of the walk."""

    def added(do: Callable[["Town"], int | None]) -> Any:
        STEPS.append(Step(do.__name__, weight, at_least, do))
        return do

    return added


class Town:
    """A few accounts, what they can order in three currencies, an operator, both gateways, and the time."""

    def __init__(
        self, pick: random.Random, stripe: FakeStripe, paypal: FakePayPal, clock: time_machine.Traveller
    ) -> None:
        self.pick = pick
        self.stripe = stripe
        self.paypal = paypal
        self.clock = clock
        self.facts = Facts(stripe, paypal)
        self.untold: list[tuple[str, dict[str, Any]]] = []
        self.references: list[str] = []
        self.disputes: list[tuple[str, str]] = []
        self.owners: list[int] = []
        self.operator = make.operator(email="olga@example.com")
        stripe.on_event = lambda event: self.hear("stripe", event["type"], event)
        paypal.on_event = lambda event: self.hear("paypal", event["event_type"], event)
        make.plan("free", price=Decimal(0))
        for slug, price, currency, cycle, credits in (
            ("starter", "89.00", "USD", "monthly", 1000),
            ("growth", "139.00", "USD", "monthly", 2000),
            ("scale", "229.00", "USD", "monthly", 4000),
            ("yearly", "990.00", "USD", "annual", 12000),
            ("basis", "79.90", "EUR", "monthly", 1000),
            ("gross", "149.90", "EUR", "monthly", 2500),
            ("jahr", "799.00", "EUR", "annual", 12000),
        ):
            rolls = slug == "gross"
            make.plan(
                slug, price=Decimal(price), currency=currency, billing_cycle=cycle, included_credits=credits,
                credits_rollover=rolls,
            )  # fmt: skip
        self.plans = dict(Plan.objects.exclude(slug="free").order_by("pk").values_list("pk", "currency"))
        make.credit_package(slug="pro")
        make.credit_package(slug="euro", currency="EUR", price=Decimal("19.99"), credits=777, valid_days=30)
        make.credit_package(slug="yen", currency="JPY", price=Decimal(3000), credits=1000, discount_percentage=15)
        for method in METHODS:
            make.payment_method(payment_method=method, display_name=method)
        make.payment_method(country_code="DE", bank_name="Bank of Berlin", account_number="100200300")
        make.credit_cost()

    def hear(self, gateway: str, kind: str, event: dict[str, Any]) -> None:
        """A gateway has something to tell; what we never asked to be told is left out."""
        if handler_of(gateway, kind):
            self.untold.append((gateway, event))

    # --- Choosing what a step is about -------------------------------------------------------------------------------

    def one_of(self, kind: str, *statuses: str) -> int:
        """The id of one of the newest rows with such a status, now and then of any. Raises Idle."""
        rows = self.facts.states[kind]
        found = [pk for pk, status in rows.items() if status in statuses]
        if self.pick.random() < 0.04:
            found = list(rows)
        return self.chosen(found)

    def chosen(self, found: list[int]) -> int:
        """One of the newest. Raises Idle for none."""
        if not found:
            raise Idle
        return self.pick.choice(found[-12:])

    def an_account(self) -> Account:
        """Any account. Raises Idle."""
        return Account.objects.get(pk=self.chosen([*self.facts.states["account"]]))

    def an_invoice(self) -> Invoice:
        """An open invoice, mostly one that nobody has begun to pay. Raises Idle."""
        is_free = self.pick.random() < 0.7
        pk = self.chosen(self.facts.unpaid()) if is_free else self.one_of("invoice", "pending")
        return selectors.all_invoices().get(pk=pk)

    def a_payment(self, methods: tuple[str, ...], *statuses: str) -> Payment:
        """A payment by one of the methods, with such a status. Raises Idle."""
        rows, by = self.facts.states["payment"], self.facts.methods
        anything = self.pick.random() < 0.04
        found = [pk for pk, status in rows.items() if by[pk] in methods and (anything or status in statuses)]
        return Payment.objects.select_related("invoice").get(pk=self.chosen(found))

    def a_subscription(self, *statuses: str) -> Subscription:
        return selectors.all_subscriptions().get(pk=self.one_of("subscription", *statuses))

    def a_plan(self, currency: str = "") -> Plan:
        """Any plan that costs something, mostly one in the currency."""
        anything = not currency or self.pick.random() < 0.1
        return Plan.objects.get(
            pk=self.pick.choice([pk for pk, of in self.plans.items() if anything or of == currency])
        )

    def owner(self, account: Account) -> User:
        return User.objects.get(owned_accounts=account)

    def part_of(self, left: Decimal, currency: str) -> Decimal:
        """Some of an amount in the currency's decimals, at least its smallest unit."""
        unit = Decimal(1).scaleb(-minor_units(currency))
        return max(unit, (left * self.pick.randint(5, 95) / 100).quantize(unit))

    def ordered(self, invoice: Invoice, total: Decimal, credits: int, kind: str) -> int:
        """Note what was ordered, and that the invoice is over that."""
        assert invoice.total == total, f"{invoice} is over {invoice.total}, not {total}"
        self.facts.orders[invoice.pk] = Order(invoice.account_id, total, invoice.currency, credits, kind)
        return invoice.account_id

    def ordered_plan(self, subscription: Subscription) -> int:
        plan = Plan.objects.get(pk=subscription.plan_id)
        return self.ordered(subscription.invoices.get(), plan.price, plan.included_credits, "plan")
