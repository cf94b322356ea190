"""Each dispute is a row of its own: several of a payment, each with its end, and what a lost one took as a refund."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fake_gateways.paypal_fake import FakePayPal
from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.errors import GatewayUnavailable
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Dispute, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from igny8_core.events.models import Event
from tests import make
from tests.billing.stripe_subscribers import said
from tests.billing.test_reconcile import approved_at_paypal, found, paid
from tests.rows import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(stripe: FakeStripe) -> Payment:
    """Paid by card, 89.00 USD."""
    invoice = make.subscription().invoices.get()
    make.customer_at_stripe(stripe, invoice.account)
    return paid(stripe, invoice)


def told_of(payment: Payment) -> list[str]:
    events = Event.objects.filter(object_type="billing.payment", object_id=str(payment.pk)).order_by("pk")
    return [kind for kind in events.values_list("type", flat=True) if "dispute" in kind]


def rows() -> list[tuple[Any, ...]]:
    return list(Dispute.objects.order_by("pk").values_list("gateway_dispute_id", "status", "amount", "currency"))


def test_two_disputes_of_a_payment_are_two_rows_and_each_has_its_end(stripe: FakeStripe, payment: Payment) -> None:
    lost, won = (stripe.open_dispute(payment.gateway_object_id, cents)["id"] for cents in (5000, 2000))
    for dispute in (lost, won):
        sync_dispute("stripe", dispute)
    opened = rows()
    stripe.close_dispute(lost, won=False)
    stripe.close_dispute(won, won=True)
    for dispute in (lost, won, lost, won):
        sync_dispute("stripe", dispute)

    assert opened == [(lost, "open", Decimal("50.00"), "USD"), (won, "open", Decimal("20.00"), "USD")]
    assert rows() == [(lost, "lost", Decimal("50.00"), "USD"), (won, "won", Decimal("20.00"), "USD")]
    assert (now(payment).refunded_amount, now(payment).needs_review) == (Decimal("50.00"), False)
    assert told_of(payment) == ["payment.disputed", "payment.disputed", "payment.dispute_lost", "payment.dispute_won"]
    assert broken_invariants() == []


def test_two_lost_disputes_take_no_more_than_came_in(stripe: FakeStripe, payment: Payment) -> None:
    for cents in (5000, 8900):
        dispute = stripe.open_dispute(payment.gateway_object_id, cents)["id"]
        stripe.close_dispute(dispute, won=False)
        sync_dispute("stripe", dispute)

    notes = payment.credit_notes.order_by("pk").values_list("amount", flat=True)
    assert list(notes) == [Decimal("50.00"), Decimal("39.00")]
    assert (now(payment).status, now(payment).refunded_amount) == ("refunded", Decimal("89.00"))
    assert broken_invariants() == []


def test_what_a_lost_dispute_took_is_the_refund_that_it_names(stripe: FakeStripe, payment: Payment) -> None:
    opened = stripe.open_dispute(payment.gateway_object_id, 5000)
    stripe.close_dispute(opened["id"], won=False)

    dispute = sync_dispute("stripe", opened["id"])

    assert dispute
    assert dispute.refund
    assert dispute.refund.credit_note
    assert (dispute.refund.gateway_refund_id, dispute.refund.credit_note.amount) == (opened["id"], Decimal("50.00"))
    assert (dispute.outcome, dispute.reason) == ("lost", "fraudulent")
    assert dispute.opened_at
    assert int(dispute.opened_at.timestamp()) == opened["created"]
    assert dispute.closed_at


def test_a_dispute_that_was_won_and_is_lost_after_all_is_booked(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    stripe.close_dispute(dispute, won=True)
    sync_dispute("stripe", dispute)
    stripe.close_dispute(dispute, won=False)

    sync_dispute("stripe", dispute)

    assert (Dispute.objects.get().status, now(payment).status) == ("lost", "refunded")
    assert broken_invariants() == []


def test_a_lost_dispute_is_final(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    stripe.close_dispute(dispute, won=False)
    sync_dispute("stripe", dispute)
    stripe.close_dispute(dispute, won=True)

    sync_dispute("stripe", dispute)

    assert Dispute.objects.get().status == "lost"
    assert told_of(payment) == ["payment.disputed", "payment.dispute_lost"]


@pytest.mark.parametrize("outcome", ["CANCELED_BY_BUYER", "NONE"])
def test_a_dispute_that_ends_without_a_decision_is_closed(paypal: FakePayPal, outcome: str) -> None:
    payment = PaymentService.complete_payment(approved_at_paypal(paypal)).payment
    dispute = paypal.open_dispute(payment.gateway_capture_id)
    sync_dispute("paypal", dispute)

    paypal.close_dispute(dispute, outcome)

    assert found() == [("dispute", True)]
    assert Dispute.objects.values_list("status", "outcome").get() == ("closed", outcome)
    assert told_of(payment) == ["payment.disputed", "payment.dispute_closed"]
    assert found() == []
    assert broken_invariants() == []


def test_a_second_lost_dispute_at_paypal_waits_for_its_own_money(paypal: FakePayPal) -> None:
    payment = PaymentService.complete_payment(approved_at_paypal(paypal)).payment
    first, second = (paypal.open_dispute(payment.gateway_capture_id) for _ in range(2))
    for dispute, amount in ((first, "30.00"), (second, "40.00")):
        paypal.disputes[dispute].amount = Decimal(amount)
        paypal.disputes[dispute].status, paypal.disputes[dispute].outcome = "RESOLVED", "RESOLVED_BUYER_FAVOUR"
    paypal.refund_in_dashboard(payment.gateway_capture_id, Decimal(30))
    sync_dispute("paypal", first)

    with pytest.raises(GatewayUnavailable):
        sync_dispute("paypal", second)
    paypal.refund_in_dashboard(payment.gateway_capture_id, Decimal(40))
    sync_dispute("paypal", second)

    assert now(payment).refunded_amount == Decimal("70.00")
    assert broken_invariants() == []


@pytest.mark.parametrize("changes", [{"amount": 9900}, {"currency": "eur"}])
def test_a_dispute_that_does_not_fit_its_payment_is_shown_to_operators(
    stripe: FakeStripe, payment: Payment, changes: dict[str, Any]
) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    said(stripe, dispute, **changes)

    sync_dispute("stripe", dispute)

    over = "99.00 USD" if "amount" in changes else "89.00 EUR"
    assert now(payment).review_reason == f"Dispute {dispute} is about {over}; the payment is 89.00 USD."
    assert Dispute.objects.count() == 1


def test_a_loss_in_other_money_is_left_to_an_operator_and_not_asked_for_for_ever(
    stripe: FakeStripe, payment: Payment
) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    said(stripe, dispute, currency="eur")
    stripe.close_dispute(dispute, won=False)

    assert sync_dispute("stripe", dispute)

    assert Dispute.objects.values_list("status", "currency", "refund").get() == ("lost", "EUR", None)
    assert (now(payment).needs_review, now(payment).refunded_amount) == (True, Decimal(0))
    assert broken_invariants() == []


# --- What the daily comparison asks for -----------------------------------------------------------------------------


def test_a_second_dispute_is_compared_like_the_first(stripe: FakeStripe, payment: Payment) -> None:
    for cents in (500, 700):
        stripe.open_dispute(payment.gateway_object_id, cents)

    assert found() == [("dispute", True), ("dispute", True)]
    assert [status for _, status, *_ in rows()] == ["open", "open"]
    assert not now(payment).needs_review
    assert found() == []


def test_a_dispute_of_which_only_the_id_is_known_is_asked_for(stripe: FakeStripe, payment: Payment) -> None:
    """As releases before this table left second ones."""
    first, second = (stripe.open_dispute(payment.gateway_object_id, cents)["id"] for cents in (4000, 2000))
    sync_dispute("stripe", first)
    known = {"account_id": payment.account_id, "payment": payment, "gateway": "stripe"}
    Dispute.objects.create(**known, gateway_dispute_id=second)
    for dispute in (first, second):
        said(stripe, dispute, created=int((timezone.now() - timedelta(days=40)).timestamp()))

    assert found() == []
    assert rows()[1] == (second, "open", Decimal("20.00"), "USD")
    stripe.close_dispute(second, won=False)
    assert found() == [("dispute", True)]
    assert now(payment).refunded_amount == Decimal("20.00")
    assert broken_invariants() == []


def test_disputes_to_ask_for_and_disputes_by_id_are_found_by_index(stripe: FakeStripe, payment: Payment) -> None:
    dispute = stripe.open_dispute(payment.gateway_object_id)["id"]
    sync_dispute("stripe", dispute)
    _many_decided(payment)
    with CaptureQueriesContext(connection) as sent:
        found()

    asked = [query["sql"] for query in sent if 'FROM "igny8_disputes"' in query["sql"]]
    assert not any('"metadata"' in query["sql"].partition(" WHERE ")[2] for query in sent)
    plans = {_index_of(sql) for sql in asked}
    assert plans == {"igny8_disputes_to_ask", "igny8_disputes_gateway_id_unique"}


def _many_decided(payment: Payment) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO igny8_disputes (account_id, payment_id, gateway, gateway_dispute_id, status, reason, amount, "
            "currency, outcome, created_at) "
            "SELECT %s, %s, 'stripe', 'du_' || number, 'won', '', 1, 'USD', 'won', now() "
            "FROM generate_series(1, 3000) number",
            [payment.account_id, payment.pk],
        )
        cursor.execute("ANALYZE igny8_disputes")


def _index_of(sql: str) -> str:
    """The index by which a statement finds disputes."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}".replace("%", "%%"))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    line = next(line for line in plan.splitlines() if "on igny8_disputes" in line)
    return line.partition("using ")[2].split()[0]


# --- What the database refuses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"status": "unheard"}, "igny8_disputes_status_known"),
        ({"gateway": "bank_transfer"}, "igny8_disputes_gateway_known"),
        ({"gateway_dispute_id": ""}, "igny8_disputes_has_gateway_id"),
        ({"amount": Decimal(0)}, "igny8_disputes_amount_positive"),
        ({"currency": ""}, "igny8_disputes_amount_has_currency"),
        ({"amount": None}, "igny8_disputes_amount_has_currency"),
        ({"outcome": "won"}, "igny8_disputes_open_has_no_end"),
        ({"gateway_dispute_id": "du_known"}, "igny8_disputes_gateway_id_unique"),
    ],
)
def test_a_dispute_that_cannot_be_is_refused(payment: Payment, changes: dict[str, Any], constraint: str) -> None:
    facts = {"payment": payment, "gateway": "stripe", "amount": Decimal(5), "currency": "USD"}
    Dispute.objects.create(account_id=payment.account_id, gateway_dispute_id="du_known", **facts)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Dispute.objects.create(
            **{"account_id": payment.account_id, "gateway_dispute_id": "du_other", **facts, **changes}
        )

    assert Dispute.objects.count() == 1


def test_a_dispute_is_of_the_account_of_its_payment(payment: Payment, charlie: User) -> None:
    with pytest.raises(IntegrityError, match="igny8_disputes_payment_same_account"), transaction.atomic():
        Dispute.objects.create(account=charlie.account, payment=payment, gateway="stripe", gateway_dispute_id="du_1")


def test_a_dispute_is_never_deleted(stripe: FakeStripe, payment: Payment) -> None:
    dispute = sync_dispute("stripe", stripe.open_dispute(payment.gateway_object_id)["id"])
    assert dispute

    with pytest.raises(IntegrityError), transaction.atomic():
        dispute.delete()

    assert Dispute.objects.count() == 1
