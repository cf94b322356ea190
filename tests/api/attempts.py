"""An account with an order that can be paid, and the attempts at gateways that can be open for it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from rest_framework.test import APIClient

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.rows import now
from tests.snapshots import restored

Login = Callable[[User], APIClient]


class Stage:
    """An account that runs on a plan and has ordered a larger one: its invoice is what the attempts are for."""

    def __init__(self, as_user: Login, stripe: FakeStripe, paypal: FakePayPal) -> None:
        self.stripe, self.paypal = stripe, paypal
        self.account, self.invoice, operator = restored("an order for a larger plan", _larger_plan_ordered)
        make.customer_at_stripe(stripe, self.account)
        assert self.account.owner
        self.client, self.operator = as_user(self.account.owner), as_user(operator)

    def post(self, path: str, key: str = "", *, client: APIClient | None = None, **body: Any) -> Any:
        extra = {"HTTP_IDEMPOTENCY_KEY": key} if key else {}
        return (client or self.client).post(f"/api/v1/{path}", body, format="json", **extra)

    def taken(self) -> int:
        """How often money was taken at a gateway."""
        return sum(charge["paid"] for charge in self.stripe.all("charge")) + len(self.paypal.captures)


def _larger_plan_ordered() -> tuple[Account, Invoice, User]:
    """The account, its open invoice, and an operator."""
    for method, name in [("paypal", "PayPal"), ("stripe", "Card")]:
        make.payment_method(payment_method=method, display_name=name)
    for slug, price, credits in [("mini", "29.00", 100), ("growth", "139.00", 2000), ("scale", "229.00", 4000)]:
        make.plan(slug, price=Decimal(price), included_credits=credits)
    operator, subscription = make.operator(), make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(subscription.invoices.get()), operator)
    running = Subscription.objects.get(pk=subscription.pk)
    invoice = SubscriptionService.upgrade_subscription(running, make.plan("growth"))
    assert invoice
    return Account.objects.get(pk=running.account_id), Invoice.objects.get(pk=invoice.pk), operator


def card_form(stage: Stage) -> Payment:
    return PaymentService.create_stripe_payment(stage.invoice).payment


def bank_asks(stage: Stage) -> Payment:
    card = stage.stripe.save_card(now(stage.account).stripe_customer_id, "pm_card_authenticationRequired")
    return PaymentService.create_stripe_payment(stage.invoice, card).payment


def order(stage: Stage) -> Payment:
    return PaymentService.create_paypal_payment(stage.invoice).payment


def approved_order(stage: Stage) -> Payment:
    payment = order(stage)
    stage.paypal.approve(payment.gateway_object_id)
    return payment


ATTEMPTS = [card_form, bank_asks, order, approved_order]
