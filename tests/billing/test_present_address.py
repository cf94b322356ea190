"""Mails go where the customer is reached today; documents keep the address that they were made with."""

from functools import partial
from typing import Any

import pytest
from django.core import mail

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.models import Invoice, Payment
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.corrections import credit_unpaid
from igny8_core.business.billing.services.invoices.lifecycle import send_again
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.notifications.gateway_mails import FOR_OPERATORS, GATEWAY_NOTICES
from igny8_core.business.billing.services.notifications.subscription_mails import SUBSCRIPTION_NOTICES
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.common.db import service_transaction
from igny8_core.events import services as events
from igny8_core.events.models import Event
from tests import make
from tests.snapshots import restored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]

TYPO, RIGHT = "acounts@acme.example", "accounts@acme.example"
OWNERS = "owner@acme.example"
TO_CUSTOMERS = sorted(
    set(mails.HANDLERS)
    - FOR_OPERATORS
    - {"payment.submitted", "payment.left_undecided", "webhook.dead", "webhook.needs_review", "credits.low"}
    - {"books.broken"}
    - {kind for kind in mails.HANDLERS if kind.startswith("payment_method_config.")}
    # Those of dunning and trials take the address in the same way; test_dunning.py and test_trials.py look at them.
    - {kind for kind in mails.HANDLERS if kind.startswith(("account.", "invoice.o", "invoice.r"))}
)
OF_SUBSCRIPTIONS = {
    "at": "2099-04-01",
    "to": "starter",
    "plan": "starter",
    "reason": "Too many sites",
    "plan_name": "Starter",
    "from": "2099-04-01",
    "old_price": "89.00 USD",
    "new_price": "99.00 USD",
    "billing_cycle": "monthly",
}


def made_with_typo() -> Account:
    return make.owner({"billing_email": TYPO, "status": "pending_payment"}, email=OWNERS).account  # type: ignore[return-value]


@pytest.fixture
def account() -> Account:
    return made_with_typo()


@pytest.fixture
def told(stripe: FakeStripe) -> Account:
    """Whom we have told of everything that customers are told of, while the address was the wrong one."""
    return restored("what customers are told of, at a wrong address", partial(tell_everything, stripe))


def tell_everything(stripe: FakeStripe) -> Account:
    account, olga = made_with_typo(), make.operator()
    subscription = make.subscription(account)
    first = subscription.invoices.get()
    PaymentService.reject_manual_payment(make.submitted_payment(first), "Not found", olga)
    send_again(first, olga)
    paid = PaymentService.approve_manual_payment(make.submitted_payment(first), olga).payment
    PaymentService.process_refund(paid, reason="Half used")
    credit_unpaid(make.invoice(account), "Ordered twice", olga)
    make.customer_at_stripe(stripe, account)
    PaymentService.create_stripe_payment(make.invoice(account), "pm_card_visa")
    waiting = PaymentService.create_stripe_payment(make.invoice(account)).payment
    for kind in GATEWAY_NOTICES.keys() - FOR_OPERATORS:
        record(waiting, kind, reason="Because", code="card_declined", returned="89.00", off_session="yes")
    subscription.refresh_from_db()
    for kind in SUBSCRIPTION_NOTICES:
        note(subscription, kind, OF_SUBSCRIPTIONS)
    declined = {"code": "expired_card", "reason": "The card has expired.", "declines": 1, "next_charge_at": None}
    note(make.renewal(subscription), "renewal.charge_failed", declined)
    card = account.payment_methods.get(is_default=True)
    note(card, "payment_method.expiring", {"brand": "visa", "last4": "4242", "exp_year": 2099, "exp_month": 12})
    return account


@service_transaction
def record(payment: Payment, kind: str, **data: str) -> None:
    events.record(transitions.payment_event(kind, payment, **data))


@service_transaction
def note(subject: Any, kind: str, data: dict[str, Any]) -> None:
    events.record(events.about(kind, subject, None, data))


def recipients(kind: str) -> list[str]:
    mail.outbox.clear()
    mails.handle(Event.objects.filter(type=kind).latest("pk"))
    [sent] = mail.outbox
    return sent.to


@pytest.mark.parametrize("kind", TO_CUSTOMERS)
def test_each_mail_goes_to_the_address_as_it_was_corrected(told: Account, kind: str) -> None:
    assert recipients(kind) == [TYPO]

    Account.objects.filter(pk=told.pk).update(billing_email=RIGHT, confirmed_billing_email=RIGHT)
    assert recipients(kind) == [RIGHT]

    Account.objects.filter(pk=told.pk).update(billing_email="")
    assert recipients(kind) == [OWNERS]


def test_the_kinds_of_mail_are_those_that_customers_get() -> None:
    assert set(TO_CUSTOMERS) == {
        *(
            "invoice.created",
            "invoice.sent",
            "invoice.credited",
            "payment.approved",
            "payment.succeeded",
            "payment.rejected",
            "payment.refunded",
        ),
        *("payment.failed", "payment.action_required", "payment.returned", *SUBSCRIPTION_NOTICES),
        *("renewal.charge_failed", "payment_method.expiring"),
    }


def test_the_invoice_keeps_the_address_that_it_was_made_with(account: Account, as_user: Any) -> None:
    invoice = make.invoice(account)
    Account.objects.filter(pk=account.pk).update(billing_email=RIGHT, confirmed_billing_email=RIGHT)

    seen = as_user(account.owner).get(f"/api/v1/billing/invoices/{invoice.pk}/").json()["data"]

    assert (seen["billing_email"], seen["billing_snapshot"]["email"]) == (TYPO, TYPO)


def test_an_invoice_that_is_sent_again_goes_to_the_address_of_today(account: Account) -> None:
    invoice = make.invoice(account)
    Account.objects.filter(pk=account.pk).update(billing_email=RIGHT, confirmed_billing_email=RIGHT)

    InvoiceService.send_invoice_email(Invoice.objects.get(pk=invoice.pk))

    assert mail.outbox[-1].to == [RIGHT]


def test_low_credits_are_told_to_the_owner(account: Account) -> None:
    Account.objects.filter(pk=account.pk).update(status="active")
    make.credits(account, 1000)
    CreditService.spend(account, 950, operation_type="article", key="k")

    assert recipients("credits.low") == [OWNERS]


def test_who_deleted_the_account_is_reached_where_the_invoice_went(olga: User) -> None:
    owner = make.owner({"billing_email": RIGHT}, email=OWNERS)
    assert owner.account
    paid = PaymentService.approve_manual_payment(make.submitted_payment(make.invoice(owner.account)), olga).payment
    delete_account(owner.account, owner, make.PASSWORD)
    PaymentService.process_refund(Payment.objects.get(pk=paid.pk), reason="Left")

    assert recipients("payment.refunded") == [RIGHT]
