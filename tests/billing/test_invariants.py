"""Every invariant can fire, and none does in a healthy world."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.invariants import INVARIANTS, broken_invariants
from igny8_core.business.billing.models import (
    CreditGrant,
    CreditTransaction,
    Invoice,
    Payment,
    WebhookEvent,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.signup.service import register
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.billing.breaking import forget_event, run, unguarded
from tests.billing.dunning_breaks import DUNNING_BREAKS
from tests.billing.renewal_breaks import RENEWAL_BREAKS
from tests.billing.settled_breaks import SETTLED_BREAKS
from tests.billing.test_gateway_invariants import BREAKS as GATEWAY_BREAKS
from tests.snapshots import restored

pytestmark = pytest.mark.django_db


@dataclass
class World:
    """Accounts in all the states that this release can bring them into."""

    trial: Account
    paid: Account
    payment: Payment
    invoice: Invoice
    rejected: Payment
    waiting: Payment
    void: Invoice
    refunded: Payment


@pytest.fixture
def world(db: None) -> World:
    return restored("a world whose books balance", build)


def build() -> World:
    make.plan("free", price=0)
    olga = make.operator()
    trial = register(email="t@example.com", password=make.PASSWORD, first_name="T", last_name="T").account
    approved, rejected, waiting, refunded = (make.submitted_payment() for _ in range(4))
    PaymentService.approve_manual_payment(approved, olga)
    PaymentService.approve_manual_payment(refunded, olga)
    CreditService.spend(refunded.account, 600, operation_type="image_generation")
    for amount in ("44.50", "4.45"):
        PaymentService.process_refund(refunded, Decimal(amount), reason="Goodwill")
    for credits in (5, -2):
        CreditService.adjust(refunded.account, credits, reason="Goodwill", adjusted_by=olga)
    PaymentService.reject_manual_payment(rejected, "Not on the statement", olga)
    void = make.invoice(approved.account)
    InvoiceService.mark_void(void, "Mistake", olga)
    CreditService.spend(approved.account, 30, operation_type="image_generation", key="one")
    make.credits(approved.account, 40, expires_at=timezone.now() + timedelta(milliseconds=1))
    CreditGrant.objects.filter(amount=40).update(expires_at=timezone.now() - timedelta(days=1))
    CreditService.expire(approved.account)
    approved.refresh_from_db()
    return World(trial, approved.account, approved, approved.invoice, rejected, waiting, void, refunded)


def test_nothing_is_broken_in_a_healthy_world(world: World) -> None:
    assert broken_invariants() == []
    assert {entry.transaction_type for entry in CreditTransaction.objects.all()} == {
        "trial",
        "subscription",
        "usage",
        "adjustment",
        "expiry",
        "refund",
    }


Break = Callable[[World], object]


def unbalance_account(world: World) -> None:
    run("UPDATE igny8_accounts SET credits = credits + 1 WHERE id = %s", world.paid.pk)


def unbalance_grants(world: World) -> None:
    run(
        "UPDATE igny8_credit_grants SET remaining = remaining - 1 WHERE account_id = %s AND remaining > 0",
        world.paid.pk,
    )


def break_chain(world: World) -> None:
    unguarded("igny8_credit_transactions")
    first = CreditTransaction.objects.filter(account=world.paid).order_by("pk")[0]
    run("UPDATE igny8_credit_transactions SET balance_after = balance_after + 1 WHERE id = %s", first.pk)


def go_below_zero(world: World) -> None:
    unguarded("igny8_credit_grants")
    run("UPDATE igny8_credit_grants SET remaining = -5 WHERE account_id = %s", world.trial.pk)


def lose_grant(world: World) -> None:
    run("UPDATE igny8_credit_grants SET source = 'long ago' WHERE source = %s", f"invoice:{world.invoice.pk}")


def grant_without_payment(world: World) -> None:
    run("UPDATE igny8_credit_grants SET source = 'payment:999' WHERE account_id = %s", world.trial.pk)


def leave_message_to_an_operator(world: World) -> None:
    WebhookEvent.objects.create(
        provider="stripe", event_id="evt_2", type="invoice.paid", body="{}", state="needs_review"
    )


def refund_too_much(world: World) -> None:
    unguarded("igny8_payments")
    run("UPDATE igny8_payments SET refunded_amount = 90, status = 'refunded' WHERE id = %s", world.payment.pk)


def refund_without_status(world: World) -> None:
    run("UPDATE igny8_payments SET refunded_amount = 10 WHERE id = %s", world.payment.pk)


def refund_without_credit_note(world: World) -> None:
    run("UPDATE igny8_payments SET refunded_amount = 60 WHERE id = %s", world.refunded.pk)


def refund_all_and_call_it_a_part(world: World) -> None:
    unguarded("igny8_credit_notes")
    run("UPDATE igny8_payments SET refunded_amount = 89 WHERE id = %s", world.refunded.pk)
    run("UPDATE igny8_credit_notes SET amount = 84.55 WHERE amount = 44.5")


def credit_note_in_another_currency(world: World) -> None:
    unguarded("igny8_credit_notes")
    run("UPDATE igny8_credit_notes SET currency = 'EUR' WHERE amount = 44.5")


def credit_note_that_says_more_than_the_ledger(world: World) -> None:
    unguarded("igny8_credit_notes")
    run("UPDATE igny8_credit_notes SET credits_taken_back = 500, credits_not_recovered = 0 WHERE amount = 44.5")


def credit_note_over_more_credits_than_were_granted(world: World) -> None:
    unguarded("igny8_credit_notes")
    run("UPDATE igny8_credit_notes SET credits_not_recovered = 1000 WHERE amount = 44.5")


def cancel_account(world: World) -> None:
    run("UPDATE igny8_accounts SET status = 'canceled' WHERE id = %s", world.paid.pk)


def subscribe_twice(world: World) -> None:
    run("DROP INDEX igny8_subscriptions_one_live")
    Subscription.objects.create(account=world.paid, plan=world.paid.plan)


def leave_gap(world: World) -> None:
    run("UPDATE igny8_invoice_counters SET last_number = last_number + 1 WHERE account_id = %s", world.paid.pk)


def lines_that_do_not_add_up(world: World) -> None:
    unguarded("igny8_invoice_lines")
    run("UPDATE igny8_invoice_lines SET unit_amount = 88, line_total = 88 WHERE account_id = %s", world.paid.pk)


def skip_number(world: World) -> None:
    number = world.waiting.invoice.invoice_number.replace("-0001", "-0002")
    run("UPDATE igny8_invoices SET invoice_number = %s WHERE id = %s", number, world.waiting.invoice_id)


def repeat_number(world: World) -> None:
    unguarded("igny8_invoices", kinds="cfu")
    number = world.rejected.invoice.invoice_number
    run("UPDATE igny8_invoices SET invoice_number = %s WHERE id = %s", number, world.waiting.invoice_id)


def lose_owner(world: World) -> None:
    run("UPDATE igny8_users SET is_active = FALSE WHERE account_id = %s", world.paid.pk)


def cross_invoice(world: World) -> None:
    unguarded("igny8_payments")
    run("UPDATE igny8_payments SET account_id = %s WHERE id = %s", world.trial.pk, world.waiting.pk)


def cross_subscription(world: World) -> None:
    unguarded("igny8_invoices")
    other = world.rejected.invoice.subscription_id
    run("UPDATE igny8_invoices SET subscription_id = %s WHERE id = %s", other, world.waiting.invoice_id)


def cross_owner(world: World) -> None:
    unguarded("igny8_accounts")
    run("UPDATE igny8_accounts SET owner_id = %s WHERE id = %s", world.paid.owner_id, world.trial.pk)


def cross_site_access(world: World) -> None:
    site = make.site(world.paid)
    run(
        "INSERT INTO igny8_site_user_access (user_id, site_id, created_at) VALUES (%s, %s, now())",
        world.trial.owner_id,
        site.pk,
    )


def cross_usage(world: World) -> None:
    unguarded("igny8_credit_usage_log")
    run("UPDATE igny8_credit_usage_log SET site_id = %s", make.site(world.trial).pk)


def cross_invitation(world: World) -> None:
    assert world.paid.owner
    invitation = world.paid.invitations.create(
        email="x@example.com",
        role="viewer",
        token_hash="0" * 64,
        invited_by=world.paid.owner,
        expires_at=timezone.now() + timedelta(days=7),
    )
    run(
        "INSERT INTO igny8_team_invitations_sites (teaminvitation_id, site_id) VALUES (%s, %s)",
        invitation.pk,
        make.site(world.trial).pk,
    )


def stop_delivery(world: World) -> None:
    unguarded("igny8_event_deliveries")
    event = Event.objects.order_by("pk")[0]
    Delivery.objects.create(event=event, consumer="nobody", next_attempt_at=None)


def leave_delivery_waiting(world: World) -> None:
    event = Event.objects.order_by("pk")[0]
    Delivery.objects.create(event=event, consumer="nobody", next_attempt_at=timezone.now() - timedelta(hours=2))


def leave_webhook_waiting(world: World) -> None:
    WebhookEvent.objects.create(
        provider="stripe",
        event_id="evt_1",
        type="invoice.paid",
        body="{}",
        state="waiting",
        next_attempt_at=timezone.now() - timedelta(hours=2),
    )


EVENTS = [
    "payment.submitted",
    "payment.approved",
    "payment.rejected",
    "invoice.created",
    "invoice.paid",
    "invoice.voided",
    "subscription.created",
    "subscription.activated",
    "credits.granted",
    "credits.spent",
    "credits.expired",
    "credits.taken_back",
    "credits.adjusted",
    "payment.refunded",
]

BREAKS: list[tuple[int, Break]] = [
    (1, unbalance_account),
    (1, unbalance_grants),
    (2, break_chain),
    (3, go_below_zero),
    (4, lose_grant),
    (4, grant_without_payment),
    (7, refund_too_much),
    (7, refund_without_status),
    (7, refund_without_credit_note),
    (7, refund_all_and_call_it_a_part),
    (7, credit_note_in_another_currency),
    (7, credit_note_that_says_more_than_the_ledger),
    (7, credit_note_over_more_credits_than_were_granted),
    (8, cancel_account),
    (8, subscribe_twice),
    (11, leave_gap),
    (11, skip_number),
    (20, lines_that_do_not_add_up),
    (11, repeat_number),
    (12, lose_owner),
    (13, cross_invoice),
    (13, cross_subscription),
    (13, cross_owner),
    (13, cross_site_access),
    (13, cross_usage),
    (13, cross_invitation),
    (15, stop_delivery),
    (15, leave_delivery_waiting),
    (15, leave_webhook_waiting),
    (19, leave_message_to_an_operator),
    *DUNNING_BREAKS,
    *SETTLED_BREAKS,
    *RENEWAL_BREAKS,
    *((16, forget_event(event_type)) for event_type in EVENTS),
]


@pytest.mark.parametrize(("number", "break_it"), BREAKS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_what_breaks_an_invariant_is_found_and_named(number: int, break_it: Break, world: World) -> None:
    break_it(world)

    broken = {result.number: result for result in broken_invariants()}
    assert number in broken, broken
    assert broken[number].violations >= 1
    assert broken[number].examples


def test_every_invariant_has_been_broken_by_the_cases_above() -> None:
    assert {number for number, _ in [*BREAKS, *GATEWAY_BREAKS]} == {invariant.number for invariant in INVARIANTS}


def check_invariants(*options: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = StringIO()
    try:
        call_command("check_invariants", *options, stdout=out)
    except SystemExit as end:
        return int(str(end.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_command_prints_a_line_per_invariant_and_succeeds_when_all_hold(world: World) -> None:
    code, text = check_invariants()

    lines = text.splitlines()
    assert code == 0
    assert len(lines) == len(INVARIANTS)
    assert all(line.endswith(": holds") for line in lines)


def test_the_command_fails_and_shows_what_is_broken(world: World) -> None:
    unbalance_account(world)

    code, text = check_invariants()

    assert code == 1
    assert "BROKEN, 1 time(s)" in text
    assert f"account {world.paid.pk}: balance 971" in text


@pytest.mark.parametrize(("break_it", "code"), [(None, 0), (cancel_account, 1)], ids=["healthy", "broken"])
def test_the_command_writes_json(world: World, break_it: Break | None, code: int) -> None:
    if break_it:
        break_it(world)

    exit_code, text = check_invariants("--json")

    results = json.loads(text)
    assert exit_code == code
    assert [result["number"] for result in results] == [invariant.number for invariant in INVARIANTS]
    assert {result["number"] for result in results if result["violations"]} == ({8} if break_it else set())
    assert set(results[0]) == {"number", "name", "violations", "examples"}
