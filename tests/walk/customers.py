"""What customers do in the walk: they sign up, order and pay."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService

from igny8_core.auth.models import Plan
from igny8_core.business.billing.errors import AmountMismatch, DuplicateReference
from igny8_core.business.billing.models import CreditPackage, Payment
from igny8_core.business.billing.services.payments.credit_orders import buy_credits
from igny8_core.business.signup.service import register
from tests import make
from tests.walk.town import CARDS, COUNTRIES, METHODS, MOST_ACCOUNTS, Idle, Town, step


class Customers(Town):
    """A town whose people order and pay."""

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
        how = buy_credits(account, package.slug, method, self.owner(account))
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

    @step(12, 5)
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

    @step(22, 6)
    def open_an_order_at_paypal(self) -> int:
        return PaymentService.create_paypal_payment(self.an_invoice()).payment.account_id

    @step(22, 4)
    def approve_at_paypal(self) -> int:
        """The payer agrees, also to an order that we gave up."""
        payment = self.a_payment(("paypal",), "canceled" if self.pick.random() < 0.1 else "pending")
        if payment.gateway_object_id not in self.paypal.orders:
            raise Idle
        if self.pick.random() < 0.1:
            self.paypal.decline_next_capture()
        if self.pick.random() < 0.3:
            self.paypal.hold_capture(payment.gateway_object_id)
        self.paypal.approve(payment.gateway_object_id)
        return self.come_back(payment)

    @step(25, 0)
    def paypal_decides(self) -> int:
        payment = self.a_payment(("paypal",), "processing")
        order = self.paypal.orders.get(payment.gateway_object_id)
        if not order or not order.taken or order.taken.status != "PENDING":
            raise Idle
        self.pick.choice((self.paypal.release, self.paypal.deny))(order.id)
        return payment.account_id

    @step(4, 0)
    def paypal_forgets_an_order(self) -> int:
        payment = self.a_payment(("paypal",), "pending")
        order = self.paypal.orders.get(payment.gateway_object_id)
        if order is None or order.captures:
            raise Idle
        self.paypal.expire(order.id)
        return payment.account_id
