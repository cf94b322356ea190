"""Which statements a call sends, in short words."""

import re
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

ACCOUNT_LOCK = re.compile(r"\bigny8_accounts\b.*FOR NO KEY UPDATE|EXECUTE igny8_lock_(account|balance)", re.DOTALL)
WRITE = re.compile(r"\b(INSERT INTO|UPDATE (?!OF\b)|DELETE FROM|EXECUTE igny8_(?!lock_))")


def sent_by(call: Callable[[], object]) -> list[str]:
    """The SQL of each statement, BEGIN and COMMIT included."""
    with CaptureQueriesContext(connection) as trace:
        call()
    return [query["sql"].replace('"', "") for query in trace.captured_queries]


def summary(sql: str) -> str:
    """The verb, the first table or prepared name, and whether rows are locked: "SELECT igny8_accounts LOCK".

    What is read along by a query within the statement is not its table.
    """
    verb, outer = sql.split()[0], sql
    while (shorter := re.sub(r"\([^()]*\)", "", outer)) != outer:
        outer = shorter
    table = re.search(r"\b(?:FROM|UPDATE|INTO|EXECUTE|PREPARE) (igny8_\w+)", outer)
    # A move's name ends with a hash of its columns.
    name = re.sub(r"_[0-9a-f]{8}$", "", table[1]) if table else ""
    words = [verb, name, "LOCK" if verb == "SELECT" and "FOR NO KEY UPDATE" in sql else ""]
    return " ".join(word for word in words if word)


def first_write(statements: list[str]) -> int:
    """Position of the first statement that writes a row; locking one is no write."""
    unlocked = [statement.replace("FOR NO KEY UPDATE", "") for statement in statements]
    return next(number for number, sql in enumerate(unlocked) if WRITE.search(sql))
