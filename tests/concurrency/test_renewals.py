"""Schedulers that run at once or are killed renew each period once, and charge it once (DAT-05, DAT-06)."""

import time
from collections.abc import Iterator
from datetime import timedelta
from random import randrange
from typing import Any

import pytest
from django.utils import timezone

from fake_gateways import stripe_server
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.gateways.stripe.settings import StripeSettings
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Invoice, Payment, Renewal
from igny8_core.business.billing.services.payment_methods.saved import make_default
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.reconciliation.polling import poll_due
from igny8_core.business.billing.services.renewals.charging import charge_due_renewals
from igny8_core.business.billing.services.renewals.invoicing import invoice_due_renewals
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.concurrency.killed import killed_before
from tests.concurrency.race import all_at_once

SCHEDULERS = 4
RUNS = 600
MOST_STEPS = 120
cancel = SubscriptionService.cancel_subscription


@pytest.fixture
def stripe_at_a_port(settings: Any) -> Iterator[FakeStripe]:
    """The stand-in for Stripe behind a port: it lives on when a worker dies."""
    fake = FakeStripe()
    server = stripe_server.serve(fake)
    settings.STRIPE = StripeSettings("sk_test_key", "pk_test_key", ("whsec_test",), live=False, api_base=server.address)
    yield fake
    server.stop()


def paid(ends_in: timedelta) -> Subscription:
    """A subscription that was paid for, whose period ends then."""
    ordered = make.subscription()
    PaymentService.approve_manual_payment(make.submitted_payment(ordered.invoices.get()), make.operator())
    end = timezone.now() + ends_in
    start = end - timedelta(days=30)
    Subscription.objects.filter(pk=ordered.pk).update(
        current_period_start=start, current_period_end=end, billing_anchor=start
    )
    return Subscription.objects.get(pk=ordered.pk)


def with_card(stripe: FakeStripe, subscription: Subscription) -> Subscription:
    account = Account.objects.get(pk=subscription.account_id)
    make_default(account, make.saved_card(stripe, account).pk, account.owner)
    return subscription


@pytest.mark.usefixtures("books_balance")
def test_schedulers_that_run_at_once_invoice_each_period_once() -> None:
    due = [paid(timedelta(days=3)) for _ in range(10)]

    made = all_at_once([lambda: invoice_due_renewals(3)] * SCHEDULERS)
    # What one scheduler held while the others came by is left for the next run.
    made.append(invoice_due_renewals())

    assert sum(made) == len(due)  # type: ignore[arg-type]
    assert Renewal.objects.count() == len(due)
    assert Invoice.objects.filter(status="pending").count() == len(due)


@pytest.mark.usefixtures("books_balance")
def test_a_renewal_is_made_or_its_subscription_ends_never_both() -> None:
    for _ in range(4):
        subscription = paid(timedelta(days=3))
        all_at_once([invoice_due_renewals, lambda subscription=subscription: cancel(subscription, False)])

        renewals = Renewal.objects.filter(subscription=subscription)
        assert [each.status for each in renewals] in ([], ["withdrawn"])
        assert not Invoice.objects.filter(subscription=subscription, status="pending").exists()


@pytest.mark.usefixtures("books_balance")
def test_workers_that_charge_at_once_charge_each_renewal_once(stripe_at_a_port: FakeStripe) -> None:
    due = [with_card(stripe_at_a_port, paid(timedelta(seconds=-5))) for _ in range(4)]
    invoice_due_renewals()

    tried = all_at_once([charge_due_renewals] * SCHEDULERS)

    assert sum(tried) == len(due)  # type: ignore[arg-type]
    assert sum(charge["paid"] for charge in stripe_at_a_port.all("charge")) == len(due)
    assert {renewal.status for renewal in Renewal.objects.all()} == {"begun"}


@pytest.mark.stress
@pytest.mark.django_db(transaction=True)
def test_a_scheduler_killed_at_any_step_loses_nothing_and_does_nothing_twice(pace: int) -> None:
    for step in range(randrange(pace), MOST_STEPS, pace):
        due = [paid(timedelta(days=3)) for _ in range(3)]

        was_killed = killed_before(step, lambda: invoice_due_renewals(2))

        renewals = Renewal.objects.filter(subscription__in=due)
        # Runs skip what is locked, and the server takes a moment to notice that the killed one is gone.
        for _ in range(RUNS):
            invoice_due_renewals()
            if renewals.count() == len(due):
                break
            time.sleep(0.1)
        assert renewals.count() == len(due)
        assert Invoice.objects.filter(subscription__in=due, status="pending").count() == len(due)
        if not was_killed:
            break
    else:
        pytest.fail(f"There are more than {MOST_STEPS} steps.")
    assert step > 10
    assert broken_invariants() == []


@pytest.mark.stress
@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_charges_has_charged_once(stripe_at_a_port: FakeStripe, pace: int) -> None:
    for step in range(randrange(pace), MOST_STEPS, pace):
        subscription = with_card(stripe_at_a_port, paid(timedelta(seconds=-5)))
        invoice_due_renewals()

        was_killed = killed_before(step, charge_due_renewals)

        # What the scheduled tasks do once leases and pauses are over.
        for _ in range(2):
            Payment.objects.filter(next_check_at__isnull=False).update(next_check_at=timezone.now())
            poll_due()
            Renewal.objects.filter(next_charge_at__isnull=False).update(next_charge_at=timezone.now())
            charge_due_renewals()
        renewal = Renewal.objects.select_related("invoice").get(subscription=subscription)
        assert (renewal.status, renewal.invoice.status) == ("begun", "paid")
        number = str(renewal.invoice_id)
        intents = stripe_at_a_port.all("payment_intent")
        ours = {each["id"] for each in intents if each["metadata"].get("invoice_id") == number}
        charges = stripe_at_a_port.all("charge")
        assert sum(charge["paid"] and charge["payment_intent"] in ours for charge in charges) == 1
        if not was_killed:
            break
    else:
        pytest.fail(f"There are more than {MOST_STEPS} steps.")
    assert step > 10
    assert broken_invariants() == []
