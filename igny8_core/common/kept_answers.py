"""Answers to requests with an Idempotency-Key, kept for a repeat (docs/adr/0005)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from igny8_core.common import clock
from igny8_core.common.db import PreparedStatement, require_atomic
from igny8_core.common.models import IdempotentAnswer

KEPT_FOR = timedelta(hours=48)

# The function is made by migrations/0003, which says why it is one.
TAKE_KEY = PreparedStatement(
    name="igny8_take_key",
    types=("text", "text"),
    sql="SELECT taken, request_hash, status, body FROM igny8_take_key($1, $2)",
)
KEEP_ANSWERS = PreparedStatement(
    name="igny8_keep_answers",
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
class KeptAnswer:
    """The answer to a request, whose hash tells it from others with the same key."""

    request_hash: str
    status: int
    body: str


@dataclass(frozen=True)
class NewAnswer:
    """An answer that is to be kept under `key`."""

    key: str
    request_hash: str
    body: str


@dataclass(frozen=True)
class KeyHold:
    """Whether the key is ours until the transaction ends, and the answer that it got before."""

    taken: bool
    answer: KeptAnswer | None


def take_key(caller: str, key: str) -> KeyHold:
    """Hold the caller's key until the transaction ends, without waiting, and look for its answer; one statement.

    The key is not taken where another transaction holds it.
    """
    require_atomic()
    row = TAKE_KEY.fetch_one([caller, key])
    taken, request_hash, status, body = row or (False, None, 0, "")
    return KeyHold(taken, None if request_hash is None else KeptAnswer(request_hash, status, body))


def kept_answer(caller: str, key: str) -> KeptAnswer | None:
    """The answer that the caller's request with this key got, or None."""
    return kept_answers(caller, [key]).get(key)


def kept_answers(caller: str, keys: Sequence[str]) -> dict[str, KeptAnswer]:
    """The answers that the caller's requests with these keys got, by key."""
    rows = IdempotentAnswer.objects.filter(caller=caller, key__in=keys)
    return {row.key: KeptAnswer(row.request_hash, row.status, row.body) for row in rows}


def keep_answers(caller: str, status: int, answers: Sequence[NewAnswer]) -> bool:
    """Keep answers of one status, in the transaction of the work that they tell of.

    False where another answer to one of the keys is kept already.
    """
    columns = [[getattr(answer, name) for answer in answers] for name in ("key", "request_hash", "body")]
    keys, hashes, bodies = columns
    return len(KEEP_ANSWERS.fetch_all([caller, keys, hashes, status, bodies, clock.now()])) == len(answers)


def forget_old_answers() -> int:
    """Delete answers that are older than 48 hours; returns how many."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted
