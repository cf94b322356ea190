"""The idempotency store: answers to requests with an Idempotency-Key, for repeats of the request (docs/adr/0005)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.models import IdempotentAnswer

KEPT_FOR = timedelta(hours=48)

# The function is made by migrations/0004, which says why it is a function.
TAKE_KEY = PreparedStatement(
    name="igny8_take_key",
    types=("text", "text"),
    sql="SELECT taken, request_hash, status, body FROM igny8_take_key($1, $2)",
)
STORE_ANSWERS = PreparedStatement(
    name="igny8_store_answers",
    types=("text", "text[]", "text[]", "smallint", "text[]", "timestamptz"),
    sql="""
        INSERT INTO igny8_idempotent_answers (caller, key, request_hash, status, body, created_at)
        SELECT $1, key, request_hash, $4, body, $6
        FROM unnest($2, $3, $5) AS answer (key, request_hash, body)
        ON CONFLICT (caller, key) DO NOTHING
        RETURNING key
    """,
)


@dataclass(frozen=True)
class StoredAnswer:
    """The stored answer to a request; `request_hash` shows whether a repeat is the same request."""

    request_hash: str
    status: int
    body: str


@dataclass(frozen=True)
class NewAnswer:
    """An answer to store under `key`."""

    key: str
    request_hash: str
    body: str


@dataclass(frozen=True)
class KeyHold:
    """The result of take_key(): whether we hold the key, and the answer that is stored under it, if any."""

    taken: bool
    answer: StoredAnswer | None


def take_key(caller: str, key: str) -> KeyHold:
    """Take the caller's key until the transaction ends, and read its answer, in one statement.

    Does not wait: if another transaction holds the key, `taken` is False.
    """
    require_atomic()
    row = TAKE_KEY.fetch_one([caller, key])
    taken, request_hash, status, body = row or (False, None, 0, "")
    return KeyHold(taken, None if request_hash is None else StoredAnswer(request_hash, status, body))


def stored_answer(caller: str, key: str) -> StoredAnswer | None:
    """The stored answer to the caller's request with this key, or None."""
    return stored_answers(caller, [key]).get(key)


def stored_answers(caller: str, keys: Sequence[str]) -> dict[str, StoredAnswer]:
    """The stored answers to the caller's requests with these keys, by key."""
    rows = IdempotentAnswer.objects.filter(caller=caller, key__in=keys)
    return {row.key: StoredAnswer(row.request_hash, row.status, row.body) for row in rows}


def store_answers(caller: str, status: int, answers: Sequence[NewAnswer]) -> bool:
    """Store answers that have the same HTTP status, in the transaction of the work that they report.

    False if an answer to one of the keys is stored already.
    """
    columns = [[getattr(answer, name) for answer in answers] for name in ("key", "request_hash", "body")]
    keys, hashes, bodies = columns
    return len(STORE_ANSWERS.fetch_all([caller, keys, hashes, status, bodies, clock.now()])) == len(answers)


def forget_old_answers() -> int:
    """Delete answers older than 48 hours. Returns how many."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted
