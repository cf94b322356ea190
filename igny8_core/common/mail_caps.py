"""How many mails somebody gets from us, whoever causes them: nobody's mailbox is flooded through our forms (OUT-09).

Each mail is noted before it is sent, under its Message-ID: a second try of the same mail is no second mail.
"""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from igny8_core.common import clock, limit_hits
from igny8_core.common.models import SentMail

DAY = timedelta(days=1)
KEPT_FOR = timedelta(days=2)
# Mails of a kind to one recipient in 24 hours, from all accounts together.
PER_RECIPIENT = {
    "documents": 40,
    "safety": 20,
    "invitation": 5,
    "password_reset": 5,
    "verification": 3,
    "billing_address": 3,
}
# A link for a new password works for an hour. Whoever uses up the five of a day for somebody else cannot keep them out:
# after half an hour there is another one, so the newest always works for half an hour at least.
AGAIN_AFTER = {"password_reset": timedelta(minutes=30)}


def may_send(kind: str, recipient: str, message_id: str, trial_account: int | None = None) -> bool:
    """Note a mail of a kind to a recipient. False if they got too many, or `trial_account` has caused too many.

    `trial_account`: the id of the account that it is about, while that has never paid. Raises RuntimeError inside a
    transaction.
    """
    mark = salted_hmac("igny8_core.common.sent_mail", recipient.strip().lower(), algorithm="sha256").hexdigest()
    with transaction.atomic(durable=True):
        if SentMail.objects.filter(message_id=message_id, recipient=mark).exists():
            return True
        refused_by = _limit_hit(kind, mark, trial_account) if settings.THROTTLING else ""
        if not refused_by:
            note = SentMail(recipient=mark, kind=kind, account_id=trial_account, message_id=message_id)
            SentMail.objects.bulk_create([note], ignore_conflicts=True)
    if refused_by:
        limit_hits.note(refused_by)
    return not refused_by


def forget_sent_mails() -> int:
    """Delete the notes of mails that count no more. Returns how many."""
    deleted, _ = SentMail.objects.filter(sent_at__lt=clock.now() - KEPT_FOR).delete()
    return deleted


def _limit_hit(kind: str, mark: str, trial_account: int | None) -> str:
    today = SentMail.objects.filter(sent_at__gt=clock.now() - DAY)
    if trial_account is not None and today.filter(account_id=trial_account).count() >= settings.TRIAL_MAILS_PER_DAY:
        return "mails_of_trial"
    sent = today.filter(recipient=mark, kind=kind)
    if sent.count() < PER_RECIPIENT[kind]:
        return ""
    pause = AGAIN_AFTER.get(kind)
    is_due = pause is not None and not sent.filter(sent_at__gt=clock.now() - pause).exists()
    return "" if is_due else f"mails_{kind}"
