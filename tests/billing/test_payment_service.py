"""Confirming, approving and rejecting: every state, every effect, every refusal with nothing changed."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from igny8_core.auth.errors import LimitReached
from igny8_core.auth.models import Account, Subscription, User
from igny8_core.auth.services.sites import create_site
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditTransaction,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentStatus,
)
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.sql_trace import first_write
from tests.refusals import require_refusal

pytestmark = pytest.mark.django_db

approve, reject = PaymentService.approve_manual_payment, PaymentService.reject_manual_payment
confirm = PaymentService.create_manual_payment


def events_since(last: int) -> list[tuple[str, int | None]]:
    return sorted(Event.objects.filter(pk__gt=last).values_list("type", "actor_id"))


def last_event() -> int:
    return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


# --- Approving ----------------------------------------------------------------------------------------------------


def test_approval_pays_invoice_starts_subscription_activates_account_and_grants_credits(olga: User) -> None:
    payment, last = make.submitted_payment(), last_event()

    settlement = approve(payment, olga, admin_notes="Seen on the statement")

    account = settlement.account
    account.refresh_from_db()
    payment.refresh_from_db()
    assert (payment.status, payment.approved_by, payment.admin_notes) == ("succeeded", olga, "Seen on the statement")
    assert payment.approved_at == payment.processed_at == payment.invoice.paid_at
    assert payment.invoice.status == "paid"
    subscription = payment.invoice.subscription
    assert subscription.status == "active"
    assert subscription.billing_anchor == subscription.current_period_start == payment.processed_at
    assert subscription.external_payment_id == payment.manual_reference
    assert (account.status, account.credits) == ("active", 1000)
    assert (settlement.credits_added, settlement.total_credits) == (1000, 1000)
    assert events_since(last) == [
        (name, olga.pk)
        for name in (
            "account.activated", "credits.granted", "invoice.paid", "payment.approved", "subscription.activated",
        )
    ]  # fmt: skip


def test_an_approval_needs_at_most_ten_statements(olga: User, statements: list[str]) -> None:
    payment = make.submitted_payment()
    del statements[:]

    approve(payment, olga)

    # A connection prepares each statement once, so whichever test comes first has these as well.
    assert len([sql for sql in statements if "SAVEPOINT" not in sql and not sql.startswith("PREPARE")]) <= 10, (
        statements
    )


def test_the_account_is_locked_before_the_first_write(olga: User, statements: list[str]) -> None:
    for decide in (lambda payment: approve(payment, olga), lambda payment: reject(payment, "", olga)):
        payment = make.submitted_payment()
        del statements[:]
        decide(payment)

        words = [sql for sql in statements if "SAVEPOINT" not in sql]
        called = [sql for sql in words if sql.startswith("EXECUTE")]
        assert [sql.split()[1] for sql in called[:2]] == ["igny8_lock_account", "igny8_lock_payment"]
        assert first_write([sql for sql in words if not sql.startswith("PREPARE")]) == 2


@pytest.mark.parametrize("action", ["approve", "reject"])
@pytest.mark.parametrize("status", [status for status in PaymentStatus if status != PaymentStatus.PENDING_APPROVAL])
def test_a_payment_that_does_not_wait_for_approval_is_409_and_stays(olga: User, status: str, action: str) -> None:
    payment = make.submitted_payment()
    Payment.objects.filter(pk=payment.pk).update(status=status, next_check_at=timezone.now())

    # The caller's own copy still says pending: what counts is what the row says under the lock.
    decide: Callable[[], Any] = (lambda: approve(payment, olga)) if action == "approve" else lambda: reject(payment)
    refused = require_refusal(errors.PaymentNotPending, decide)

    assert (refused.http_status, refused.text) == (409, "Payment not pending approval")


@pytest.mark.parametrize("status", [status for status in InvoiceStatus if status not in {"pending", "uncollectible"}])
def test_a_payment_of_an_invoice_that_cannot_be_paid_is_409(olga: User, status: str) -> None:
    payment = make.submitted_payment()
    paid_at = timezone.now() if status == "paid" else None
    settled = payment.amount if status == "paid" else 0
    Invoice.objects.filter(pk=payment.invoice_id).update(status=status, paid_at=paid_at, settled_amount=settled)

    refused = require_refusal(errors.InvoiceNotPayable, lambda: approve(payment, olga))

    assert refused.http_status == 409
    assert reject(payment, "Void meanwhile", olga).status == "failed"


def test_a_payment_of_a_canceled_subscription_is_409(olga: User) -> None:
    payment = make.submitted_payment()
    Subscription.objects.update(status="canceled")

    refused = require_refusal(errors.SubscriptionNotPayable, lambda: approve(payment, olga))

    assert refused.http_status == 409


@pytest.mark.parametrize(
    ("status", "reason", "after"),
    [
        ("trial", "", "active"),
        ("pending_payment", "", "active"),
        ("active", "", "active"),
        ("past_due", "", "active"),
        ("suspended", "non_payment", "active"),
        ("suspended", "operator", "suspended"),
        ("canceled", "", "active"),
    ],
)
def test_approval_in_every_state_of_the_account(olga: User, status: str, reason: str, after: str) -> None:
    growth = make.plan("growth", price=Decimal("139"), included_credits=2000, max_sites=3)
    payment = make.submitted_payment(make.subscription(plan_ordered=growth).invoices.get())
    Account.objects.filter(pk=payment.account_id).update(status=status, suspended_reason=reason)

    approve(payment, olga)

    account = Account.objects.select_related("plan").get(pk=payment.account_id)
    payment.refresh_from_db()
    assert (account.status, account.suspended_reason) == (after, reason if after == "suspended" else "")
    assert (account.plan.slug, account.credits) == ("growth", 2000)
    assert (payment.status, payment.invoice.status, payment.invoice.subscription.status) == (
        "succeeded", "paid", "active",
    )  # fmt: skip
    assert Event.objects.filter(type="account.activated").exists() == (after != status)


def test_a_trial_keeps_its_plan_until_the_order_is_paid(olga: User) -> None:
    free = make.plan("free", price=0, max_sites=1)
    owner = make.owner({"status": "trial", "plan": free})
    payment = make.submitted_payment(make.subscription(owner.account).invoices.get())

    owner.account.refresh_from_db()
    assert (owner.account.status, owner.account.plan.slug) == ("trial", "free")
    reject(payment, "Not seen", olga)
    owner.account.refresh_from_db()
    assert (owner.account.status, owner.account.plan.slug) == ("trial", "free")
    approve(make.submitted_payment(payment.invoice), olga)
    owner.account.refresh_from_db()
    assert (owner.account.status, owner.account.plan.slug) == ("active", "starter")


def test_an_invoice_without_subscription_activates_nobody(olga: User) -> None:
    owner = make.owner({"status": "past_due"})

    settlement = approve(make.submitted_payment(make.invoice(owner.account)), olga)

    owner.account.refresh_from_db()
    assert (owner.account.status, settlement.credits_added, settlement.total_credits) == ("past_due", 0, 0)


def test_a_retired_plan_is_still_delivered_to_who_ordered_it(olga: User) -> None:
    payment = make.submitted_payment()
    plan = payment.invoice.subscription.plan
    plan.is_active = plan.is_public = False
    plan.save()

    assert approve(payment, olga).credits_added == 1000


# --- Credits of an invoice's lines --------------------------------------------------------------------------------

PACKAGE_LINE = {"description": "Pro Pack", "quantity": 1, "amount": "26.10", "kind": "credit_package", "credits": 2000}


def test_plan_credits_end_with_their_period(olga: User) -> None:
    settlement = approve(make.submitted_payment(), olga)

    grant = CreditGrant.objects.get()
    assert (grant.kind, grant.amount, grant.remaining) == ("plan", 1000, 1000)
    assert grant.expires_at == settlement.invoice.subscription.current_period_end
    assert CreditTransaction.objects.get().transaction_type == "subscription"


def test_plan_credits_that_roll_over_stay(olga: User) -> None:
    rolling = make.plan("rolling", credits_rollover=True)

    approve(make.submitted_payment(make.subscription(plan_ordered=rolling).invoices.get()), olga)

    assert CreditGrant.objects.get().expires_at is None


@pytest.mark.parametrize(("quantity", "credits"), [(1, 2000), (3, 6000)])
def test_bought_credits_do_not_expire_and_count_per_piece(olga: User, quantity: int, credits: int) -> None:
    invoice = make.invoice(line_items=[{**PACKAGE_LINE, "package": make.credit_package(), "quantity": quantity}])

    settlement = approve(make.submitted_payment(invoice), olga)

    grant, entry = CreditGrant.objects.get(), CreditTransaction.objects.get()
    assert (settlement.credits_added, grant.amount, grant.kind, grant.expires_at) == (
        credits,
        credits,
        "purchase",
        None,
    )
    assert (entry.transaction_type, entry.balance_after) == ("purchase", credits)
    assert entry.description == f"Pro Pack ({invoice.invoice_number})"
    assert entry.metadata == {"invoice_id": invoice.pk, "payment_id": settlement.payment.pk}


def test_lines_without_credits_grant_none(olga: User) -> None:
    assert approve(make.submitted_payment(make.invoice()), olga).credits_added == 0
    assert not CreditGrant.objects.exists()


# --- Who decides, and duplicates ----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_nobody_decides_a_payment_of_their_own_account(action: str) -> None:
    payment = make.submitted_payment()
    insider = make.operator(account=payment.account, role="owner")

    decide: Callable[[], Any] = (
        (lambda: approve(payment, insider)) if action == "approve" else lambda: reject(payment, "", insider)
    )
    refused = require_refusal(errors.OwnAccountPayment, decide)

    assert refused.http_status == 403


def test_a_repeated_reference_is_taken_and_flagged(olga: User) -> None:
    first = make.submitted_payment(reference="BT-1")

    second = make.submitted_payment(reference="bt 1")

    first.refresh_from_db()
    assert (first.is_flagged_duplicate, second.is_flagged_duplicate) == (True, True)
    assert (first.metadata, second.metadata) == ({}, {"duplicate_of": first.pk})


@pytest.mark.parametrize(("notes", "override"), [("", False), ("Two transfers seen", False), ("", True)])
def test_a_flagged_payment_needs_an_override_with_a_note(olga: User, notes: str, override: bool) -> None:
    first = make.submitted_payment(reference="BT-1")
    second = make.submitted_payment(reference="BT-1")

    refused = require_refusal(
        errors.DuplicateReference, lambda: approve(second, olga, admin_notes=notes, override_duplicate=override)
    )
    assert refused.http_status == 409

    first.refresh_from_db()
    require_refusal(
        errors.DuplicateReference, lambda: approve(first, olga, admin_notes=notes, override_duplicate=override)
    )

    approve(second, olga, admin_notes="Two transfers seen", override_duplicate=True)
    second.refresh_from_db()
    assert (second.status, second.admin_notes) == ("succeeded", "Two transfers seen")
    assert Event.objects.get(type="payment.approved").data["admin_notes"] == "Two transfers seen"


@pytest.mark.parametrize("status", PaymentStatus)
def test_only_live_payments_make_a_reference_a_repeat(status: str) -> None:
    first = make.submitted_payment(reference="BT-1")
    Payment.objects.filter(pk=first.pk).update(status=status, next_check_at=timezone.now())

    second = make.submitted_payment(reference="BT-1")

    live = {"pending_approval", "succeeded", "partially_refunded", "refunded", "disputed"}
    assert second.is_flagged_duplicate == (status in live)


def test_the_same_reference_by_another_method_is_a_repeat() -> None:
    make.payment_method(payment_method="local_wallet")
    bank = make.submitted_payment(reference="BT-1")

    wallet = confirm(make.subscription().invoices.get(), "local_wallet", "BT-1")

    bank.refresh_from_db()
    assert (bank.is_flagged_duplicate, wallet.is_flagged_duplicate) == (True, True)


# --- Rejecting ----------------------------------------------------------------------------------------------------


def test_a_rejection_changes_the_payment_only_and_the_customer_confirms_again(olga: User) -> None:
    payment, last = make.submitted_payment(), last_event()

    reject(payment, "Reference not found", olga)

    payment.refresh_from_db()
    assert (payment.status, payment.approved_by, payment.approved_at) == ("failed", olga, payment.failed_at)
    assert payment.failed_at is not None
    assert payment.failure_reason == payment.admin_notes == "Reference not found"
    assert (payment.invoice.status, payment.invoice.subscription.status) == ("pending", "pending_payment")
    account = Account.objects.get(pk=payment.account_id)
    assert (account.status, account.credits) == ("pending_payment", 0)
    assert events_since(last) == [("payment.rejected", olga.pk)]
    again = make.submitted_payment(payment.invoice, reference="BT-RIGHT")
    assert approve(again, olga).account.status == "active"


# --- The promise that the plan of an account follows what it paid ---------------------------------------------------


def test_an_active_account_that_orders_another_plan_gets_its_limits(olga: User) -> None:
    small = make.plan("small", max_sites=0)
    owner = make.owner({"plan": small})

    with pytest.raises(LimitReached):
        create_site(owner.account, owner, name="Shop", industry=make.industry())
    approve(make.submitted_payment(make.subscription(owner.account).invoices.get()), olga)

    create_site(owner.account, owner, name="Shop", industry=make.industry())


def test_an_approval_later_still_starts_the_period_at_the_approval(olga: User) -> None:
    payment = make.submitted_payment()
    Payment.objects.filter(pk=payment.pk).update(created_at=timezone.now() - timedelta(days=10))

    subscription = approve(payment, olga).invoice.subscription

    assert subscription.current_period_start > timezone.now() - timedelta(minutes=1)
