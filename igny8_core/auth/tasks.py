"""Scheduled work of auth. The schedule is in igny8_core/celery.py."""

from celery import shared_task

from igny8_core.auth.services.invitations import forget_expired_invitations
from igny8_core.auth.services.login_guard import forget_old_tries
from igny8_core.auth.services.sessions import forget_old_sessions
from igny8_core.common.idempotency_store import forget_old_answers
from igny8_core.common.limit_hits import forget_old_hits
from igny8_core.common.mail_caps import forget_sent_mails
from igny8_core.common.queue_table import forget_taken_messages
from igny8_core.common.rate_limits import forget_old_windows


@shared_task(name="auth.forget_old_rows", ignore_result=True)
def forget_old_rows() -> None:
    """Delete old sessions, tries to log in, invitations, counters, hits, notes of mails, answers and messages."""
    forget_old_sessions()
    forget_old_tries()
    forget_expired_invitations()
    forget_old_windows()
    forget_old_hits()
    forget_sent_mails()
    forget_old_answers()
    forget_taken_messages()
