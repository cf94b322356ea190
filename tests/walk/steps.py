"""The steps of the walk: what customers, operators, gateways and time do, in any order.

A step does one thing through the services, and may be refused with a DomainError. `weight` is how often it is chosen,
`at_least` how often it has to have succeeded after a long walk, so that the walk is not hollow.
"""

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import time_machine
from django.db.models import ProtectedError

from fake_gateways.paypal_checks import Refusal as PayPalRefusal
from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from fake_gateways.stripe_parameters import Refusal as StripeRefusal
from igny8_core.auth.models import Account, Plan, Subscription, User
from igny8_core.auth.services.account_service import AccountService
from igny8_core.business.billing import models, selectors
from igny8_core.business.billing.errors import AmountMismatch, DuplicateReference, InsufficientCredits
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.models import CreditPackage, Invoice, Payment, PaymentMethodConfig, WebhookEvent
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_checks import PaymentCheckService
from igny8_core.business.billing.services.payment_method_config_service import PaymentMethodConfigService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.purchase_service import PurchaseService
from igny8_core.business.billing.services.reconcile_service import ReconcileService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.webhook_effects import PAYPAL_EFFECTS, STRIPE_EFFECTS
from igny8_core.business.billing.services.webhook_service import WebhookService
from igny8_core.business.signup.service import register
from igny8_core.common.errors import DomainError
from igny8_core.common.money import minor_units
from tests import make
from tests.walk.facts import CAPTURED, Facts, Order

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
        if kind in (STRIPE_EFFECTS if gateway == "stripe" else PAYPAL_EFFECTS):
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

    # --- Customers order ----------------------------------------------------------------------------------------------

    def sign_up(self, plan_slug: str = "", payment_method: str = "") -> int:
        if len(self.owners) >= MOST_ACCOUNTS:
            raise Idle
        number = len(self.owners) + 1
        done = register(
            email=f"walker{number}@example.com",
            password=make.PASSWORD,
            first_name="Wanda",
            last_name=f"Walker {number}",
            plan_slug=plan_slug,
            payment_method=payment_method,
            billing={"billing_country": self.pick.choice(COUNTRIES)},
        )
        self.owners.append(done.user.pk)
        if done.subscription:
            self.ordered_plan(done.subscription)
        else:
            self.facts.given[done.account.pk] += Plan.objects.get(slug="free").included_credits
        return done.account.pk

    @step(20)
    def sign_up_free(self) -> int:
        return self.sign_up()

    @step(20)
    def sign_up_with_plan(self) -> int:
        return self.sign_up(self.a_plan().slug, self.pick.choice(METHODS))

    @step(9, 4)
    def order_plan(self) -> int:
        account = self.an_account()
        order = SubscriptionService.create_subscription
        return self.ordered_plan(order(account, self.a_plan(), self.pick.choice(METHODS), self.owner(account)))

    @step(25, 40)
    def buy_credits(self) -> int:
        account = self.an_account()
        package = self.pick.choice(list(CreditPackage.objects.order_by("pk")))
        method = self.pick.choice(METHODS)
        how = PurchaseService.buy_credits(account, package.slug, method, self.owner(account))
        return self.ordered(how.invoice, package.final_price, package.credits, "credits")

    @step(4, 5)
    def bill_something_else(self) -> int:
        lines = [{"description": "Consulting", "quantity": self.pick.randint(1, 3), "amount": "33.10"}]
        invoice = InvoiceService.create_invoice(self.an_account(), lines, created_by=self.operator)
        return self.ordered(invoice, lines[0]["quantity"] * Decimal("33.10"), 0, "other")  # type: ignore[operator]

    # --- By bank and wallet -------------------------------------------------------------------------------------------

    def confirm(self, reference: str, **said: Any) -> Payment:
        invoice = self.an_invoice()
        method = self.pick.choice(("bank_transfer", "local_wallet"))
        said.setdefault("amount", self.facts.orders[invoice.pk].total)
        payment = PaymentService.create_manual_payment(invoice, method, reference, **said)
        self.references.append(reference)
        return payment

    @step(30, 25)
    def confirm_payment(self) -> int:
        return self.confirm(f"BT-{len(self.references)}").account_id

    @step(6, 5)
    def confirm_with_a_used_reference(self) -> int:
        if not self.references:
            raise Idle
        return self.confirm(self.pick.choice(self.references[-20:])).account_id

    @step(4, 5)
    def confirm_another_amount(self) -> int:
        wrong = self.pick.choice((Decimal("-0.01"), Decimal("0.01"), Decimal(10), Decimal("-88")))
        invoice = self.an_invoice()
        try:
            PaymentService.create_manual_payment(invoice, "bank_transfer", "BT-X", amount=invoice.total + wrong)
        except AmountMismatch:
            return invoice.account_id
        raise AssertionError("another amount was taken")

    @step(45, 30)
    def approve(self) -> int:
        payment = self.a_payment(("bank_transfer", "local_wallet"), "pending_approval")
        overriding: dict[str, Any] = {}
        if payment.is_flagged_duplicate:
            with suppress(DuplicateReference):
                PaymentService.approve_manual_payment(payment, self.operator)
                raise AssertionError("a flagged payment was approved without a word")
            overriding = {"override_duplicate": True, "admin_notes": "Seen on the statement"}
        PaymentService.approve_manual_payment(payment, self.operator, **overriding)
        self.facts.approved.add(payment.pk)
        return payment.account_id

    @step(8, 10)
    def reject(self) -> int:
        payment = self.a_payment(("bank_transfer", "local_wallet"), "pending_approval")
        return PaymentService.reject_manual_payment(payment, "Not on the statement", self.operator).account_id

    # --- By card ------------------------------------------------------------------------------------------------------

    @step(25, 12)
    def pay_by_card(self) -> int:
        """With a card that we name; the bank may decline it, or want the customer."""
        invoice, card = self.an_invoice(), self.pick.choice(CARDS)
        off_session = self.pick.random() < 0.3
        return PaymentService.create_stripe_payment(invoice, card, off_session=off_session).payment.account_id

    @step(4, 1)
    def pay_by_card_without_an_answer(self) -> int:
        invoice = self.an_invoice()
        self.stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")
        return PaymentService.create_stripe_payment(invoice, "pm_card_visa").payment.account_id

    @step(32, 10)
    def open_a_card_form(self) -> int:
        return PaymentService.create_stripe_payment(self.an_invoice(), save_card=True).payment.account_id

    @step(40, 5)
    def enter_a_card(self) -> int:
        """In the browser, maybe one that was left open for long; we hear of it by message, or when they come back."""
        payment = self.a_payment(("stripe",), "pending")
        if not payment.gateway_object_id:
            raise Idle
        if self.pick.random() < 0.15:
            self.stripe.leave_processing()
        secret = self.stripe.one(payment.gateway_object_id)["client_secret"]
        self.stripe.pay_in_browser(secret, self.pick.choice(CARDS))
        return self.come_back(payment)

    @step(25, 1)
    def go_on_at_the_bank(self) -> int:
        """What waits at Stripe for the customer or the bank is decided."""
        payment = self.a_payment(("stripe",), "pending", "processing")
        intent = payment.gateway_object_id and self.stripe.one(payment.gateway_object_id)
        if intent and intent["status"] == "processing":
            self.stripe.finish_processing(intent["id"], self.pick.choice(("", "", "generic_decline")))
        elif intent and intent["status"] == "requires_action":
            answer = self.pick.choice((self.stripe.authenticate, self.stripe.fail_authentication))
            answer(intent["id"])
        else:
            raise Idle
        return self.come_back(payment)

    def come_back(self, payment: Payment) -> int:
        """Half of the customers come back to our page."""
        if self.pick.random() < 0.5:
            PaymentService.complete_payment(payment)
        return payment.account_id

    # --- By PayPal ----------------------------------------------------------------------------------------------------

    @step(16, 12)
    def open_an_order_at_paypal(self) -> int:
        return PaymentService.create_paypal_payment(self.an_invoice()).payment.account_id

    @step(16, 8)
    def approve_at_paypal(self) -> int:
        """The payer agrees, also to an order that we gave up."""
        payment = self.a_payment(("paypal",), "canceled" if self.pick.random() < 0.1 else "pending")
        if payment.gateway_object_id not in self.paypal.orders:
            raise Idle
        if self.pick.random() < 0.1:
            self.paypal.decline_next_capture()
        if self.pick.random() < 0.15:
            self.paypal.hold_capture(payment.gateway_object_id)
        self.paypal.approve(payment.gateway_object_id)
        return self.come_back(payment)

    @step(4, 1)
    def paypal_decides(self) -> int:
        payment = self.a_payment(("paypal",), "processing")
        order = self.paypal.orders.get(payment.gateway_object_id)
        if not order or not order.taken or order.taken.status != "PENDING":
            raise Idle
        self.pick.choice((self.paypal.release, self.paypal.deny))(order.id)
        return payment.account_id

    @step(2, 1)
    def paypal_forgets_an_order(self) -> int:
        payment = self.a_payment(("paypal",), "pending")
        order = self.paypal.orders.get(payment.gateway_object_id)
        if order is None or order.captures:
            raise Idle
        self.paypal.expire(order.id)
        return payment.account_id

    # --- Money goes back ----------------------------------------------------------------------------------------------

    def refund(self, methods: tuple[str, ...]) -> Payment:
        payment = self.a_payment(methods, "succeeded", "partially_refunded")
        left = payment.amount - payment.refunded_amount
        amount = self.part_of(left, payment.currency) if self.pick.random() < 0.5 and left else None
        note = PaymentService.process_refund(payment, amount, reason="Goodwill", refunded_by=self.operator)
        assert note.amount == (left if amount is None else amount)
        if "bank_transfer" in methods:
            self.facts.given_back[payment.pk] += note.amount
        return payment

    @step(10, 10)
    def refund_by_hand(self) -> int:
        return self.refund(("bank_transfer", "local_wallet")).account_id

    @step(10, 10)
    def refund_at_the_gateway(self) -> int:
        return self.refund(("stripe", "paypal")).account_id

    @step(3, 2)
    def refund_more_than_was_paid(self) -> int:
        payment = self.a_payment(METHODS, *sorted(CAPTURED))
        with suppress(DomainError):
            PaymentService.process_refund(payment, payment.amount + 1, refunded_by=self.operator)
            raise AssertionError("more went back than came")
        return payment.account_id

    @step(4, 3)
    def refund_in_the_dashboard(self) -> int:
        payment = self.a_payment(("stripe", "paypal"), "succeeded", "partially_refunded")
        if not payment.gateway_object_id:
            raise Idle
        part = self.part_of(payment.amount - payment.refunded_amount, payment.currency)
        if payment.payment_method == "stripe":
            self.stripe.refund_in_dashboard(payment.gateway_object_id, int(part.scaleb(minor_units(payment.currency))))
        else:
            self.paypal.refund_in_dashboard(self.capture_of(payment).id, min(part, self.capture_of(payment).left))
        return payment.account_id

    def capture_of(self, payment: Payment) -> Any:
        """What PayPal took, of which something is left. Raises Idle."""
        order = self.paypal.orders.get(payment.gateway_object_id)
        capture = order.taken if order else None
        if capture is None or capture.status == "PENDING" or not capture.left:
            raise Idle
        return capture

    @step(5, 2)
    def a_refund_arrives_or_not(self) -> None:
        pending = [refund["id"] for refund in self.stripe.all("refund") if refund["status"] == "pending"]
        if not pending:
            raise Idle
        self.pick.choice((self.stripe.settle_refund, self.stripe.fail_refund))(self.pick.choice(pending))

    @step(6, 5)
    def open_a_dispute(self) -> int:
        payment = self.a_payment(("stripe", "paypal"), "succeeded", "partially_refunded", "disputed")
        if payment.payment_method == "paypal":
            self.disputes.append(("paypal", self.paypal.open_dispute(self.capture_of(payment).id)))
            return payment.account_id
        intent = self.stripe.one(payment.gateway_object_id) if payment.gateway_object_id else {}
        if not intent.get("latest_charge"):
            raise Idle
        charge = self.stripe.one(intent["latest_charge"])
        disputed = sum(each["amount"] for each in self.stripe.all("dispute") if each["charge"] == charge["id"])
        left = charge["amount_captured"] - charge["amount_refunded"] - disputed
        if left < 2:
            raise Idle
        amount = self.pick.choice((left, left, left // 2))
        self.disputes.append(("stripe", self.stripe.open_dispute(charge["id"], amount)["id"]))
        return payment.account_id

    @step(7, 4)
    def close_a_dispute(self) -> None:
        if not self.disputes:
            raise Idle
        gateway, dispute = self.disputes.pop(self.pick.randrange(len(self.disputes)))
        won = self.pick.random() < 0.4
        if gateway == "stripe":
            self.stripe.close_dispute(dispute, won=won)
        elif won or not self.paypal.disputes[dispute].capture.left:
            self.paypal.close_dispute(dispute, "RESOLVED_SELLER_FAVOUR")
        else:
            self.paypal.close_dispute(dispute)

    # --- Credits ------------------------------------------------------------------------------------------------------

    @step(35, 40)
    def spend(self) -> int:
        account = self.an_account()
        amount = self.pick.randint(1, max(1, account.credits * 2 // 3))
        key = f"spend {self.pick.random()}"
        for _ in range(self.pick.choice((1, 1, 2))):
            CreditService.spend(account, amount, operation_type="article", key=key)
        self.facts.spent[account.pk] += amount
        return account.pk

    @step(4, 5)
    def spend_more_than_there_is(self) -> int:
        account = self.an_account()
        with suppress(InsufficientCredits):
            CreditService.spend(account, account.credits + 1, operation_type="article")
            raise AssertionError("more was spent than there was")
        return account.pk

    @step(3, 3)
    def adjust_credits(self) -> int:
        account, amount = self.an_account(), self.pick.choice((50, 500, -20, -200))
        CreditService.adjust(account, amount, reason="Goodwill", adjusted_by=self.operator)
        if amount > 0:
            self.facts.given[account.pk] += amount
        return account.pk

    # --- Subscriptions ------------------------------------------------------------------------------------------------

    @step(40, 10)
    def upgrade(self) -> int:
        subscription = self.a_subscription("active")
        invoice = SubscriptionService.upgrade_subscription(subscription, self.a_plan(subscription.plan.currency))
        if invoice is None:
            return subscription.account_id
        credits = sum(line.get("credits", 0) * line["quantity"] for line in invoice.line_items)
        return self.ordered(invoice, invoice.total, credits, "upgrade")

    @step(7, 5)
    def downgrade(self) -> int:
        subscription = self.a_subscription("active")
        plan = self.a_plan(subscription.plan.currency)
        return SubscriptionService.downgrade_subscription(subscription, plan).account_id

    @step(3, 5)
    def cancel_at_the_end(self) -> int:
        return SubscriptionService.cancel_subscription(self.a_subscription("active")).account_id

    @step(4, 5)
    def cancel_at_once(self) -> int:
        subscription = self.a_subscription("active", "pending_payment", "past_due")
        return SubscriptionService.cancel_subscription(subscription, cancel_at_period_end=False).account_id

    @step(8, 5)
    def reactivate(self) -> int:
        before = self.a_subscription("active", "canceled")
        after = SubscriptionService.reactivate_subscription(before, self.pick.choice(("", *METHODS)))
        return after.account_id if after.pk == before.pk else self.ordered_plan(after)

    @step(12, 10)
    def void(self) -> int:
        return InvoiceService.mark_void(self.an_invoice(), "A mistake", self.operator).account_id

    # --- Operators ----------------------------------------------------------------------------------------------------

    @step(4, 5)
    def change_a_price(self) -> None:
        plan = self.a_plan()
        plan.price = self.part_of(plan.price * 2, plan.currency) + 5
        plan.included_credits = self.pick.randint(500, 5000)
        plan.save(update_fields=["price", "included_credits"])

    @step(2, 3)
    def rename_a_plan(self) -> None:
        plan = self.a_plan()
        if not hasattr(models, "InvoiceLine"):
            # An invoice names what it sells by its slug: with another one an open change of plan cannot be paid.
            changes = Invoice.objects.filter(status="pending", line_items__contains=[{"plan": plan.slug}])
            if changes.exists():
                raise Idle
        plan.slug = f"{plan.slug.partition('-')[0]}-{self.pick.randint(1, 10**6)}"
        plan.save(update_fields=["slug"])

    @step(2, 2)
    def delete_a_plan(self) -> None:
        plan = self.a_plan()
        if not Subscription.objects.filter(plan=plan).exists():
            raise Idle
        with suppress(ProtectedError):
            plan.delete()
            raise AssertionError("a plan that was ordered was deleted")

    @step(3, 4)
    def pause_or_resume_a_method(self) -> None:
        config = self.pick.choice(list(PaymentMethodConfig.objects.order_by("is_enabled", "pk")[:3]))
        PaymentMethodConfigService.update(config, self.operator, is_enabled=not config.is_enabled)

    @step(3, 4)
    def edit_bank_details(self) -> None:
        config = self.pick.choice(list(PaymentMethodConfig.objects.filter(payment_method="bank_transfer")))
        number = str(self.pick.randint(10**9, 10**10))
        PaymentMethodConfigService.update(config, self.operator, account_number=number)

    @step(3, 2)
    def suspend_or_reinstate(self) -> int:
        suspended = [pk for pk, status in self.facts.states["account"].items() if status == "suspended"]
        account = Account.objects.get(pk=self.chosen(suspended or [*self.facts.states["account"]]))
        is_suspended = account.status == "suspended"
        (AccountService.reinstate if is_suspended else AccountService.suspend)(account, "A look", self.operator)
        return account.pk

    @step(4, 5)
    def ask_the_gateway(self) -> int:
        payment = self.a_payment(("stripe", "paypal"), "pending", "processing", "unknown", "succeeded")
        return PaymentCheckService.check_now(payment, self.operator).account_id

    # --- Messages and time --------------------------------------------------------------------------------------------

    @step(45, 30)
    def messages_come(self) -> None:
        """Some of those that gateways have sent, in any order, some of them twice, some once more after that."""
        if not self.untold:
            raise Idle
        for _ in range(self.pick.randint(1, 6)):
            if self.untold:
                self.tell(self.untold.pop(self.pick.randrange(len(self.untold))))

    def tell(self, message: tuple[str, dict[str, Any]]) -> None:
        provider, event = message
        body = json.dumps(event).encode()
        read = gateway_of(provider).read_webhook(body)
        for _ in range(self.pick.choice((1, 1, 1, 2))):
            WebhookService.store(provider, read, body, read.event_id if provider == "paypal" else "")
        stored = WebhookEvent.objects.get(provider=provider, event_id=read.event_id)
        WebhookService.process(stored)
        if self.pick.random() < 0.1:
            WebhookService.replay_now(stored, self.operator)

    def all_messages_come(self) -> None:
        """Whatever gateways have sent arrives in the end, and is tried until it is done."""
        while self.untold:
            self.tell(self.untold.pop())
            self.workers()

    @step(12, 15)
    def time_passes(self) -> None:
        self.clock.shift(timedelta(hours=self.pick.choice((1, 6, 25, 80, 240))))
        self.workers()

    @step(1, 1)
    def gateways_are_compared(self) -> None:
        ReconcileService.reconcile()

    def workers(self) -> None:
        """All that runs by itself, which nobody can refuse."""
        try:
            WebhookService.process_due()
            PaymentCheckService.check_due()
            SubscriptionService.end_due_periods()
            CreditService.expire_due()
        except DomainError as refusal:
            raise AssertionError(f"a worker was refused: {refusal.code}") from refusal
