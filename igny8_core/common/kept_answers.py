"""Answers to requests with an Idempotency-Key, kept for a repeat (docs/adr/0005)."""

from datetime import timedelta

from igny8_core.common import clock
from igny8_core.common.models import IdempotentAnswer

KEPT_FOR = timedelta(hours=48)


def kept_answer(caller: str, key: str) -> IdempotentAnswer | None:
    """The answer that the caller's request with this key got, or None."""
    return IdempotentAnswer.objects.filter(caller=caller, key=key).first()


def keep_answer(answer: IdempotentAnswer) -> None:
    """Keep an answer, in the transaction of the work that it tells of."""
    answer.save(force_insert=True)


def forget_old_answers() -> int:
    """Delete answers that are older than 48 hours; returns how many."""
    deleted, _ = IdempotentAnswer.objects.filter(created_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted
