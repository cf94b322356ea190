"""Approving manual payments through PaymentService, against pgbench sending the same statements."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import bench

APPROVALS = 300  # of each of our processes in a run
TRANSACTIONS = 1000  # of each pgbench client in a run
TEMPLATE = 900_000_001  # id of the account, invoice and payment whose approval is written down as the script
OPERATOR = 900_000_002
LEDGER_ROW = 900_000_003  # id of the ledger row of that approval: in the script it is what the grant gave back
GOAL = 0.25


def main() -> None:
    setup = bench.prepare(__doc__)
    from igny8_core.auth.models import User

    sizes = (1, 4)
    needed = setup.repeats * sum(sizes) * (APPROVALS + TRANSACTIONS)
    ids = itertools.count(1)
    build([*range(1, needed + 1), TEMPLATE])
    User.objects.create(id=OPERATOR, email="olga@example.com", is_staff=True, is_superuser=True)
    bench.analyze()
    script = template()
    print(f"An approval is {len(script.splitlines())} statements, BEGIN and COMMIT included.")
    for size in sizes:
        bench.compare(
            f"approve, {size} process(es) against {size} client(s)",
            setup,
            lambda size=size: bench.in_processes(size, Approvals(take(ids, size * APPROVALS))),
            lambda size=size: bench.pgbench(
                numbered(script, take(ids, size * TRANSACTIONS)), size, "-D", "n=0", "-t", str(TRANSACTIONS)
            ),
            GOAL,
        )
    bench.finish()


def take(ids: Iterator[int], count: int) -> int:
    """The first of the next `count` ids."""
    first = next(ids)
    for _ in range(count - 1):
        next(ids)
    return first


class Approvals:
    """What one of our processes does: approve its share of the payments from `first` on."""

    def __init__(self, first: int) -> None:
        self.first = first

    def __call__(self, number: int) -> int:
        from igny8_core.business.billing.services.payment_service import PaymentService

        from igny8_core.auth.models import User
        from igny8_core.business.billing.models import Payment

        operator = User.objects.get(pk=OPERATOR)
        start = self.first + number * APPROVALS
        for number in range(start, start + APPROVALS):
            PaymentService.approve_manual_payment(Payment(pk=number, account_id=number), operator)
        return APPROVALS


def template() -> str:
    """The statements of an approval as a pgbench script over :id."""
    from igny8_core.business.billing.services.payment_service import PaymentService

    from igny8_core.auth.models import User
    from igny8_core.business.billing.models import Payment

    operator = User.objects.get(pk=OPERATOR)
    payment = Payment(pk=TEMPLATE, account_id=TEMPLATE)
    number_next_ledger_row(LEDGER_ROW)
    statements = bench.sent_by(lambda: PaymentService.approve_manual_payment(payment, operator))
    number_next_ledger_row(1)
    script = bench.as_script(statements, {str(TEMPLATE): "id", str(LEDGER_ROW): "granted_id"})
    return script.replace("RETURNING id, balance_after;", "RETURNING id, balance_after \\gset granted_")


def number_next_ledger_row(number: int) -> None:
    """Make the next row of the credit ledger get this id."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('igny8_credit_transactions_id_seq', %s, false)", [number])


def numbered(script: str, first: int) -> str:
    """The script with :id counting up from `first`, a range of its own for each client."""
    return f"\\set n :n + 1\n\\set id {first - 1} + :client_id * {TRANSACTIONS} + :n\n{script}"


def build(ids: list[int]) -> None:
    """For each id an account that ordered a plan and says it paid: all its rows carry the same id."""
    from igny8_core.auth.models import Plan, Subscription
    from igny8_core.business.billing.models import Invoice, InvoiceCounter, InvoiceLine, LineKind, Payment
    from igny8_core.business.billing.services.payments.offline import reference_key
    from igny8_core.events.models import Event

    now = datetime.now(UTC)
    month, plan = f"{now:%Y%m}", Plan.objects.get(slug="starter")
    shared = {"currency": plan.currency, "created_at": now}
    started = time.monotonic()
    bench.make_accounts(ids)
    Subscription.objects.bulk_create((Subscription(id=number, account_id=number, plan=plan) for number in ids), 1000)
    Invoice.objects.bulk_create(
        (
            Invoice(
                id=number,
                account_id=number,
                subscription_id=number,
                invoice_number=f"INV-{number}-{month}-0001",
                subtotal=plan.price,
                total=plan.price,
                invoice_date=now.date(),
                due_date=now.date() + timedelta(days=7),
                **shared,
            )
            for number in ids
        ),
        1000,
    )
    InvoiceLine.objects.bulk_create(
        (
            InvoiceLine(
                invoice_id=number,
                account_id=number,
                position=1,
                kind=LineKind.PLAN,
                description="Starter plan, monthly",
                unit_amount=plan.price,
                line_total=plan.price,
                plan=plan,
                billing_cycle=plan.billing_cycle,
                credits=plan.included_credits,
                credits_rollover=plan.credits_rollover,
                max_sites=plan.max_sites,
                max_users=plan.max_users,
            )
            for number in ids
        ),
        1000,
    )
    InvoiceCounter.objects.bulk_create(
        (InvoiceCounter(account_id=number, month=month, last_number=1) for number in ids), 1000
    )
    Payment.objects.bulk_create(
        (
            Payment(
                id=number,
                account_id=number,
                invoice_id=number,
                amount=plan.price,
                payment_method="bank_transfer",
                status="pending_approval",
                manual_reference=f"BT-{number}",
                reference_key=reference_key(f"BT-{number}"),
                **shared,
            )
            for number in ids
        ),
        1000,
    )
    history = {
        "igny8_auth.subscription": "subscription.created",
        "billing.invoice": "invoice.created",
        "billing.payment": "payment.submitted",
    }
    Event.objects.bulk_create(
        (
            Event(type=event_type, account_id=number, object_type=object_type, object_id=str(number), created_at=now)
            for number in ids
            for object_type, event_type in history.items()
        ),
        1000,
    )
    print(f"{len(ids):,} payments built in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
