"""Customers of before: their billing addresses have got mails and go on to, and whose trial was given has had it."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.db import migrations
from django.db.models import F

from igny8_core.auth.services.trials import trial_mark
from igny8_core.common.signed_texts import keys

ROWS_AT_ONCE = 5_000


def confirm_billing_addresses(apps: Any, schema_editor: Any) -> None:
    """In batches, so that no account is locked for long. Who has never paid confirms the address first."""
    accounts = apps.get_model("igny8_auth", "Account").objects
    paying = accounts.exclude(billing_email="").exclude(status__in=["trial", "pending_payment"])
    for ids in _batches(paying.order_by("pk").values_list("pk", flat=True).iterator()):
        accounts.filter(pk__in=ids).update(confirmed_billing_email=F("billing_email"))


def note_trials(apps: Any, schema_editor: Any) -> None:
    """Every owner's mailbox has had its trial. Of erased owners nothing is left to note."""
    trials = apps.get_model("igny8_auth", "TrialTaken")
    owners = apps.get_model("igny8_auth", "User").objects.filter(role="owner").order_by("pk")
    emails = owners.exclude(email__endswith="@deleted.invalid").values_list("email", flat=True)
    for some in _batches(emails.iterator()):
        rows = [trials(mark=mark) for mark in {trial_mark(email, keys()[0]) for email in some}]
        trials.objects.bulk_create(rows, ignore_conflicts=True)


def _batches(values: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(values)
    while some := list(islice(left, ROWS_AT_ONCE)):
        yield some


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("igny8_auth", "0014_abuse")]

    operations = [
        migrations.RunPython(confirm_billing_addresses, migrations.RunPython.noop),
        migrations.RunPython(note_trials, migrations.RunPython.noop),
    ]
