"""Each mail that the system sends can be looked at, in three languages, and looking leaves nothing behind."""

import pytest
from django.core import mail
from django.db import connection

from igny8_core.admin.mail_previews.samples import FACTS, draw_mail
from igny8_core.auth.services import mails as account_mails
from igny8_core.business.billing.services.notifications import mails as billing_mails

KINDS = sorted({*account_mails.HANDLERS, *billing_mails.HANDLERS})


def rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 'igny8%'")
        counted = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table}")
            counted[table] = cursor.fetchone()[0]
    return counted


def test_there_is_a_sample_of_every_mail() -> None:
    assert sorted(FACTS) == KINDS


@pytest.mark.stress
@pytest.mark.django_db
def test_every_mail_is_drawn_in_every_language_and_leaves_nothing(defaults: None) -> None:
    before = rows()

    for kind in KINDS:
        for language in ("en", "de", "ur"):
            drawn = draw_mail(kind, language)
            assert drawn, kind
            assert drawn.subject.strip(), kind
            assert drawn.recipients, kind
            assert "<html" in drawn.html, kind
            assert len(drawn.text) > 100, kind

    assert rows() == before
    assert mail.outbox == []


@pytest.mark.django_db
def test_a_mail_that_nobody_sends_has_no_preview(db: None) -> None:
    assert draw_mail("credits.spent", "en") is None
    assert draw_mail("nonsense", "en") is None


@pytest.mark.django_db
def test_customers_mails_speak_the_language_and_operators_read_english(defaults: None) -> None:
    german, urdu = draw_mail("payment.approved", "de"), draw_mail("payment.approved", "ur")
    assert german
    assert urdu
    assert german.subject.startswith("Zahlung")
    assert 'dir="rtl"' in urdu.html
    operators = draw_mail("payment.submitted", "de")
    assert operators
    assert operators.subject.startswith("Payment to review")
