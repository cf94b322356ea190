"""What happens in the walk once money came: refunds, disputes, spending, changes of plan, operators, messages, time."""

import json
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db.models import ProtectedError

from igny8_core.auth.models import Account, Subscription
from igny8_core.auth.services.accounts import reinstate_account, suspend_account
from igny8_core.business.billing.errors import InsufficientCredits
from igny8_core.business.billing.gateways import gateway_of
from igny8_core.business.billing.models import Payment, PaymentMethodConfig, Renewal, WebhookEvent
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_methods.configuration import update_payment_method
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.daily import reconcile
from igny8_core.business.billing.services.reconciliation.polling import check_payment_now, poll_due
from igny8_core.business.billing.services.renewals.beginning import begin_due_periods
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.business.billing.services.webhook_inbox.inbox import (
    process_due_messages,
    process_message,
    replay_message_now,
    store_message,
)
from igny8_core.common import clock
from igny8_core.common.errors import DomainError
from igny8_core.common.money import minor_units
from tests.walk.customers import Customers
from tests.walk.facts import CAPTURED
from tests.walk.town import METHODS, Idle, step


class Walkers(Customers):
    """A town in which everything happens."""

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

    @step(25, 0)
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
        if has_lapsed(subscription):
            raise Idle
        invoice = SubscriptionService.upgrade_subscription(subscription, self.a_plan(subscription.plan.currency))
        if invoice is None:
            return subscription.account_id
        credits = sum(line.get("credits", 0) * line["quantity"] for line in invoice.line_items)
        return self.ordered(invoice, invoice.total, credits, "upgrade")

    # Rare: periods are renewed, or past due.
    @step(25, 0)
    def come_back_after_a_lapse(self) -> int:
        subscription = self.a_subscription("active")
        if not has_lapsed(subscription):
            raise Idle
        return self.ordered_plan(SubscriptionService.reactivate_subscription(subscription, self.pick.choice(METHODS)))

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
        update_payment_method(config, self.operator, is_enabled=not config.is_enabled)

    @step(3, 4)
    def edit_bank_details(self) -> None:
        config = self.pick.choice(list(PaymentMethodConfig.objects.filter(payment_method="bank_transfer")))
        number = str(self.pick.randint(10**9, 10**10))
        update_payment_method(config, self.operator, account_number=number)

    @step(3, 2)
    def suspend_or_reinstate(self) -> int:
        suspended = [pk for pk, status in self.facts.states["account"].items() if status == "suspended"]
        account = Account.objects.get(pk=self.chosen(suspended or [*self.facts.states["account"]]))
        is_suspended = account.status == "suspended"
        (reinstate_account if is_suspended else suspend_account)(account, "A look", self.operator)
        return account.pk

    @step(4, 5)
    def ask_the_gateway(self) -> int:
        payment = self.a_payment(("stripe", "paypal"), "pending", "processing", "unknown", "succeeded")
        return check_payment_now(payment, self.operator).account_id

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
            store_message(provider, read, body, read.event_id if provider == "paypal" else "")
        stored = WebhookEvent.objects.get(provider=provider, event_id=read.event_id)
        process_message(stored)
        if self.pick.random() < 0.1:
            replay_message_now(stored, self.operator)

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
        reconcile()

    def renewals_are_orders(self) -> None:
        """Note what the schedule has invoiced: nobody orders a further period, all pay for it."""
        for renewal in Renewal.objects.exclude(invoice__in=self.facts.orders).select_related("invoice"):
            line = renewal.invoice.lines.get()
            invoice = renewal.invoice
            self.ordered(invoice, line.unit_amount, line.credits, "renewal")

    def workers(self) -> None:
        """All that runs by itself, which nobody can refuse."""
        try:
            process_due_messages()
            poll_due()
            begin_due_periods()
            SubscriptionService.end_due_periods()
            invoice_due_renewals()
            self.renewals_are_orders()
            charge_due_renewals()
            CreditService.expire_due()
            take_due_steps()
        except DomainError as refusal:
            raise AssertionError(f"a worker was refused: {refusal.code}") from refusal


def has_lapsed(subscription: Subscription) -> bool:
    """Whether its period is over, and nobody renewed it."""
    return subscription.current_period_end is not None and subscription.current_period_end <= clock.now()
