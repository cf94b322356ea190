"""The page of the plan offers to cancel it exactly where canceling is not refused, and says before why it is not."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, Role, Subscription, User
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.cases import some_of
from tests.web.people import browser_of, says

pytestmark = pytest.mark.django_db

BILLING, CANCEL = "/account/billing", "/api/v1/billing/subscriptions/cancel/"


def ordered() -> Invoice:
    return make.subscription().invoices.get()


def change_of_plan() -> Invoice:
    subscription = make.running_subscription()
    larger = make.plan("growth", price=Decimal("139.00"), included_credits=2000)
    invoice = SubscriptionService.upgrade_subscription(subscription, larger)
    assert invoice
    return invoice


def next_period() -> Invoice:
    return make.renewal().invoice


def past_due() -> Invoice:
    invoice = make.renewal().invoice
    Subscription.objects.update(status="past_due")
    return invoice


def something_else() -> Invoice:
    return make.invoice(make.running_subscription().account)


def offers_to_cancel(owner: User) -> bool:
    return "data-cancel=" in browser_of(owner).get(BILLING).content.decode()


def is_refused(owner: User, as_user: Callable[[User], APIClient]) -> bool:
    """Whether the API would refuse to cancel; what it does is undone."""
    with transaction.atomic():
        answer = as_user(owner).post(CANCEL, {}, format="json")
        transaction.set_rollback(True)
    assert answer.status_code in {200, 409}, answer.content
    return bool(answer.status_code == 409)


@pytest.mark.parametrize("order", some_of([ordered, change_of_plan, next_period, past_due, something_else], each=4))
def test_what_canceling_would_be_refused_for_is_said_before(
    order: Callable[[], Invoice], as_user: Callable[[User], APIClient], olga: User
) -> None:
    make.payment_method()
    invoice = order()
    account = Account.objects.get(pk=invoice.account_id)
    owner = account.owner or make.user(account=account, role=Role.OWNER)
    assert (offers_to_cancel(owner), is_refused(owner, as_user)) == (True, False)

    payment = make.submitted_payment(invoice)

    blocks = order is not something_else
    page = browser_of(owner).get(BILLING)
    assert (offers_to_cancel(owner), is_refused(owner, as_user)) == (not blocks, blocks)
    why = f"A payment confirmation for invoice {invoice.invoice_number} waits for review."
    assert says(page, f"{why} The plan can be canceled once that is decided.") is blocks
    PaymentService.reject_manual_payment(payment, "No such transfer", olga)
    assert (offers_to_cancel(owner), is_refused(owner, as_user)) == (True, False)


def test_a_plan_that_ends_already_says_nothing_of_canceling(olga: User) -> None:
    invoice = next_period()
    owner = make.user(account=invoice.account, role=Role.OWNER)
    Subscription.objects.update(cancel_at_period_end=True)
    make.submitted_payment(invoice)

    assert not says(browser_of(owner).get(BILLING), "The plan can be canceled")
