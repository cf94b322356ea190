"""StripeGateway: money that goes back, by us, by hand or by a bank."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from igny8_core.business.billing.gateways.protocol import Declined, RefundState, Unavailable, UnknownObject
from tests.gateways.stripe_cast import Shop


def test_part_of_a_payment_goes_back() -> None:
    shop = Shop()
    charge = shop.pay()

    refund = shop.gateway.refund(shop.refund_order(charge, "2.34"))

    assert (refund.state, refund.amount, refund.currency) == (RefundState.SUCCEEDED, Decimal("2.34"), "USD")
    assert (refund.reference, refund.capture_id, refund.object_id) == ("refund-1", charge.capture_id, charge.object_id)
    assert shop.gateway.fetch(charge.object_id).refunded == Decimal("2.34")
    assert shop.gateway.refund_with_id(refund.refund_id) == refund


def test_a_refund_can_name_the_charge_alone() -> None:
    shop = Shop()
    charge = shop.pay()

    refund = shop.gateway.refund(replace(shop.refund_order(charge, "1.00"), object_id=""))

    assert refund.object_id == charge.object_id


def test_a_refund_whose_answer_was_lost_is_made_once() -> None:
    shop = Shop()
    charge = shop.pay()
    order = shop.refund_order(charge, "5.00")
    shop.fake.lose_next_answers(3, method="POST")

    with pytest.raises(Unavailable):
        shop.gateway.refund(order)
    refund = shop.gateway.refund(order)

    assert shop.gateway.refunds_of(charge) == [refund]
    keys = {asked.idempotency_key for asked in shop.fake.requests("POST", "/v1/refunds")}
    assert keys == {"refund:refund-1:create"}


def test_a_refund_is_made_once_even_when_stripe_has_forgotten_its_key() -> None:
    shop = Shop()
    order = shop.refund_order(shop.pay(), "5.00")
    refund = shop.gateway.refund(order)

    with time_machine.travel(datetime.now(UTC) + timedelta(days=2)):
        again = shop.gateway.refund(order)

    assert again == refund
    assert len(shop.fake.all("refund")) == 1


def test_asking_again_tells_what_the_refund_has_become_since() -> None:
    shop = Shop()
    order = shop.refund_order(shop.pay(card="pm_card_pendingRefund"), "5.00")

    pending = shop.gateway.refund(order)
    shop.fake.settle_refund(pending.refund_id)

    assert pending.state is RefundState.PENDING
    assert shop.gateway.refund(order).state is RefundState.SUCCEEDED


def test_a_refund_can_fail_after_it_had_succeeded() -> None:
    shop = Shop()
    charge = shop.pay()
    refund = shop.gateway.refund(shop.refund_order(charge, "5.00"))

    shop.fake.fail_refund(refund.refund_id)

    failed = shop.gateway.refund_with_id(refund.refund_id)
    assert (failed.state, failed.failure_code) == (RefundState.FAILED, "lost_or_stolen_card")
    assert shop.gateway.fetch(charge.object_id).refunded == 0


@pytest.mark.parametrize("before", ["12.34", "12.00"])
def test_more_than_is_left_is_declined(before: str) -> None:
    shop = Shop()
    charge = shop.pay()
    shop.gateway.refund(shop.refund_order(charge, before))

    with pytest.raises(Declined):
        shop.gateway.refund(shop.refund_order(charge, "1.00", "refund-2"))

    assert len(shop.gateway.refunds_of(charge)) == 1


def test_a_disputed_payment_cannot_be_refunded() -> None:
    shop = Shop()
    charge = shop.pay()
    shop.fake.open_dispute(charge.object_id)

    with pytest.raises(Declined) as refused:
        shop.gateway.refund(shop.refund_order(charge, "1.00"))

    assert refused.value.code == "charge_disputed"


def test_a_refund_of_an_unknown_payment_is_unknown() -> None:
    shop = Shop()
    charge = replace(shop.pay(), object_id="pi_nobody")

    with pytest.raises(UnknownObject):
        shop.gateway.refund(shop.refund_order(charge, "1.00"))


def test_refunds_by_hand_are_seen_without_a_reference() -> None:
    shop = Shop()
    charge = shop.pay()
    ours = shop.gateway.refund(shop.refund_order(charge, "1.00"))

    by_hand = shop.fake.refund_in_dashboard(charge.object_id)

    refunds = shop.gateway.refunds_of(charge)
    assert [refund.refund_id for refund in refunds] == [by_hand["id"], ours.refund_id]
    assert [refund.reference for refund in refunds] == ["", "refund-1"]
    assert shop.gateway.fetch(charge.object_id).refunded == charge.amount


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_is_open_until_the_bank_decides(won: bool) -> None:
    shop = Shop()
    charge = shop.pay()
    opened = shop.fake.open_dispute(charge.object_id)

    before = shop.gateway.dispute(opened["id"])
    shop.fake.close_dispute(opened["id"], won=won)
    after = shop.gateway.dispute(opened["id"])

    assert (before.state, before.outcome) == ("open", "")
    assert (before.amount, before.reason) == (Decimal("12.34"), "fraudulent")
    assert (before.object_id, before.capture_id) == (charge.object_id, charge.capture_id)
    assert after.state == ("won" if won else "lost")
    assert shop.gateway.fetch(charge.object_id).is_disputed
