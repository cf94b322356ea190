"""Spending credits through CreditService, against pgbench sending the same two statements in a transaction."""

import random
import time

import bench

PROCESSES = 8
ACCOUNTS = 10_000
CREDITS = 1_000_000
HOT = 1  # the account that everybody spends from
TEMPLATE = 900_000_001  # id of the account whose spend is written down as the script
KEY = 900_000_002  # stands for the key of the spend, which is another each time
LOTS, LOT = 1000, 4
GOAL = 0.5

GRANT_LOTS = """
WITH draft AS (
    SELECT id AS account_id, n FROM igny8_accounts, generate_series(1, %(grants)s) n
    WHERE id BETWEEN %(first)s AND %(last)s
), grant AS (
    INSERT INTO igny8_credit_grants (account_id, kind, source, amount, remaining, created_at)
    SELECT account_id, 'purchase', 'bench:' || n, %(amount)s, %(amount)s, now() FROM draft
), entry AS (
    INSERT INTO igny8_credit_transactions
        (account_id, transaction_type, amount, balance_after, description, source, metadata, created_at)
    SELECT account_id, 'purchase', %(amount)s, n * %(amount)s, 'Benchmark', 'bench:' || n, '{}', now()
    FROM draft ORDER BY account_id, n
    RETURNING id, account_id
), event AS (
    INSERT INTO igny8_events (type, account_id, object_type, object_id, data, request_id, created_at)
    SELECT 'credits.granted', account_id, 'billing.credittransaction', id, '{}', '', now() FROM entry
)
UPDATE igny8_accounts SET credits = %(grants)s * %(amount)s WHERE id BETWEEN %(first)s AND %(last)s
"""


def main() -> None:
    setup = bench.prepare(__doc__)
    bench.make_accounts([*range(1, ACCOUNTS + 1), ACCOUNTS + 1, TEMPLATE])
    grant()
    bench.analyze()
    script = template()
    seconds = setup.seconds
    for name, first, last in (
        (f"{ACCOUNTS:,} accounts", 1, ACCOUNTS),
        ("one hot account", HOT, HOT),
    ):
        bench.compare(
            f"spend, {name}, {PROCESSES} processes against {PROCESSES} clients",
            setup,
            lambda first=first, last=last: bench.in_processes(PROCESSES, Spends(first, last, seconds)),
            lambda first=first, last=last: bench.pgbench(
                f"\\set id random({first}, {last})\n\\set key random(1, 9000000000000000000)\n{script}",
                PROCESSES,
                "-T",
                str(max(1, round(seconds))),
            ),
            GOAL,
        )
    run_out()
    bench.finish()


class Spends:
    """What one of our processes does: spend 1 credit at a time from random accounts, for some seconds."""

    def __init__(self, first: int, last: int, seconds: float) -> None:
        self.first, self.last, self.seconds = first, last, seconds

    def __call__(self, number: int) -> int:
        from igny8_core.business.billing.services.credit_service import CreditService

        from igny8_core.auth.models import Account

        pick, done, end = random.Random(number), 0, time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            account = Account(pk=pick.randint(self.first, self.last))
            CreditService.spend(account, 1, operation_type="image_generation")
            done += 1
        return done


def template() -> str:
    """The statements of a spend as a pgbench script over :id and :key."""
    from igny8_core.business.billing.services.credit_service import CreditService

    from igny8_core.auth.models import Account

    account = Account(pk=TEMPLATE)
    statements = bench.sent_by(lambda: CreditService.spend(account, 1, operation_type="image_generation", key=str(KEY)))
    print(f"A spend is {len(statements)} statements, BEGIN and COMMIT included.")
    return bench.as_script(statements, {str(TEMPLATE): "id", str(KEY): "key"})


def grant() -> None:
    """One large grant for each account, and many small ones for the last, whose grants run out."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(GRANT_LOTS, {"first": 1, "last": ACCOUNTS, "grants": 1, "amount": CREDITS})
        cursor.execute(GRANT_LOTS, {"first": TEMPLATE, "last": TEMPLATE, "grants": 1, "amount": CREDITS})
        cursor.execute(GRANT_LOTS, {"first": ACCOUNTS + 1, "last": ACCOUNTS + 1, "grants": LOTS, "amount": LOT})


def run_out() -> None:
    """Spend an account's small grants to the end with all processes; every error but "no credits left" ends the run."""
    from igny8_core.business.billing.services.credit_service import CreditService

    from igny8_core.auth.models import Account
    from igny8_core.business.billing.errors import InsufficientCredits
    from igny8_core.business.billing.models import CreditTransaction

    account = Account(pk=ACCOUNTS + 1)

    def spend_until_empty(_: int) -> int:
        done = 0
        while True:
            try:
                CreditService.spend(account, 1, operation_type="image_generation")
            except InsufficientCredits:
                return done
            done += 1

    rate = bench.in_processes(PROCESSES, spend_until_empty)
    spent = CreditTransaction.objects.filter(account=account, transaction_type="usage").count()
    if spent != LOTS * LOT:
        raise SystemExit(f"{LOTS} grants of {LOT} gave {spent} spends.")
    print(
        f"grants that run out, {PROCESSES} processes: {LOTS} grants of {LOT}, {spent} spends, no error, {rate:,.0f}/s."
    )


if __name__ == "__main__":
    main()
