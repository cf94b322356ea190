"""Who has had the credits of a trial: once for each mailbox, for good."""

from django.utils.crypto import salted_hmac

from igny8_core.auth.models import TrialTaken
from igny8_core.common.addresses import mailbox_of
from igny8_core.common.db import service_transaction
from igny8_core.common.signed_texts import keys


@service_transaction
def take_trial(email: str) -> bool:
    """Take the one trial of a mailbox, whichever of its addresses is given. False if it was taken before.

    Two that are taken at once: the second waits for the transaction of the first, and then finds it taken.
    """
    marks = [trial_mark(email, key) for key in keys()]
    if TrialTaken.objects.filter(mark__in=marks).exists():
        return False
    _, is_new = TrialTaken.objects.get_or_create(mark=marks[0])
    return is_new


def trial_mark(email: str, key: str) -> str:
    """The hash that stands for a mailbox. Without the server's key nobody finds out whose it is."""
    return salted_hmac("igny8_core.auth.trial", mailbox_of(email), secret=key, algorithm="sha256").hexdigest()
