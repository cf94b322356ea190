"""Ways to break what an invoice, the money against it and its credits say of each other; for test_invariants."""

from collections.abc import Callable
from typing import Any

from tests.billing.breaking import run, unguarded


def unpay_payment(world: Any) -> None:
    run("UPDATE igny8_payments SET amount = 88 WHERE id = %s", world.payment.pk)


def pay_without_settling(world: Any) -> None:
    unguarded("igny8_invoices")
    run("UPDATE igny8_invoices SET status = 'paid', paid_at = now() WHERE id = %s", world.waiting.invoice_id)


def settle_without_allocation(world: Any) -> None:
    run("UPDATE igny8_invoices SET settled_amount = 1 WHERE id = %s", world.waiting.invoice_id)


def release_from_paid(world: Any) -> None:
    unguarded("igny8_allocations")
    run("UPDATE igny8_allocations SET released_at = now() WHERE invoice_id = %s", world.invoice.pk)


def allocate_in_another_currency(world: Any) -> None:
    unguarded("igny8_allocations")
    run("UPDATE igny8_allocations SET currency = 'EUR' WHERE invoice_id = %s", world.invoice.pk)


def settle_void(world: Any) -> None:
    unguarded("igny8_invoices")
    run("UPDATE igny8_invoices SET settled_amount = 1 WHERE id = %s", world.void.pk)


def allocate_to_void(world: Any) -> None:
    unguarded("igny8_allocations")
    run("UPDATE igny8_allocations SET invoice_id = %s WHERE invoice_id = %s", world.void.pk, world.invoice.pk)


def cross_allocation(world: Any) -> None:
    unguarded("igny8_allocations")
    run("UPDATE igny8_allocations SET account_id = %s WHERE invoice_id = %s", world.trial.pk, world.invoice.pk)


def capture_and_deliver_nothing(world: Any) -> None:
    run("UPDATE igny8_payments SET status = 'succeeded' WHERE id = %s", world.waiting.pk)


def pay_in_another_currency(world: Any) -> None:
    run("UPDATE igny8_payments SET currency = 'EUR' WHERE id = %s", world.payment.pk)


def put_money_on_void(world: Any) -> None:
    run(
        "UPDATE igny8_payments SET status = 'succeeded', invoice_id = %s WHERE id = %s", world.void.pk, world.payment.pk
    )


def grant_twice(world: Any) -> None:
    """Once by the source of today, and once by the one before it."""
    run(
        "UPDATE igny8_credit_grants SET source = %s WHERE account_id = %s AND amount = 40",
        f"payment:{world.payment.pk}",
        world.paid.pk,
    )


def grant_other_amount(world: Any) -> None:
    run("UPDATE igny8_credit_grants SET amount = amount + 1 WHERE source = %s", f"invoice:{world.invoice.pk}")


def grant_for_unpaid(world: Any) -> None:
    source = f"invoice:{world.waiting.invoice_id}"
    run("UPDATE igny8_credit_grants SET source = %s WHERE account_id = %s", source, world.trial.pk)


def credit_more_than_the_invoice(world: Any) -> None:
    unguarded("igny8_credit_notes")
    run("UPDATE igny8_credit_notes SET amount = 1000 WHERE amount = 44.5")


SETTLED_BREAKS: list[tuple[int, Callable[[Any], object]]] = [
    (4, grant_twice),
    (4, grant_other_amount),
    (4, grant_for_unpaid),
    (5, unpay_payment),
    (5, pay_without_settling),
    (5, pay_in_another_currency),
    (5, settle_without_allocation),
    (5, release_from_paid),
    (5, allocate_in_another_currency),
    (6, put_money_on_void),
    (6, settle_void),
    (6, allocate_to_void),
    (13, cross_allocation),
    (23, credit_more_than_the_invoice),
    (18, capture_and_deliver_nothing),
    (18, allocate_to_void),
]
