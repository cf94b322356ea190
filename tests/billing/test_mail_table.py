"""The table of mails in docs/events.md: which event sends which, one at most, and one for one act."""

import ast
import re
from pathlib import Path

import pytest
from django.core import mail

import igny8_core
from igny8_core.auth.models import User
from igny8_core.auth.services import mails as auth_mails
from igny8_core.business.billing.services.notifications import mails as billing_mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.deliveries import deliver_due
from tests import make
from tests.billing.dunning import settled_mails
from tests.test_rules import page, table_after

ROOT = Path(igny8_core.__file__).parent
# Parts of other mails.
PARTS = {"layout", "pay_online", "manual_payment_instructions"}


def table() -> dict[str, list[str]]:
    """The templates of each event's mail."""
    rows = table_after(page("events.md"), "mails")
    return {event.strip("`"): re.findall(r"`(\w+)`", templates) for event, templates, *_ in rows}


def test_the_table_names_every_event_with_a_mail_once() -> None:
    rows = [row[0].strip("`") for row in table_after(page("events.md"), "mails")]
    handled = [*billing_mails.HANDLERS, *auth_mails.HANDLERS]

    assert rows == sorted(rows)
    assert len(handled) == len(set(handled)), "two consumers would send two mails about one event"
    assert set(rows) == set(handled)


def test_the_table_names_every_template_that_is_there_as_text_and_html() -> None:
    files = [path for path in ROOT.rglob("templates/emails/*") if path.stem not in PARTS]

    assert {path.stem for path in files} == {name for names in table().values() for name in names}
    assert len(files) == 2 * len({path.stem for path in files})


def test_every_template_that_the_code_writes_with_is_in_the_table() -> None:
    written = set()
    for path in [*(ROOT / "business/billing/services/notifications").glob("*.py"), ROOT / "auth/services/mails.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                written.add(node.value)

    assert {name for names in table().values() for name in names} <= written


def test_the_templates_that_were_promised_are_there() -> None:
    promised = {
        *("invoice_created", "payment_success", "payment_failed", "subscription_created", "subscription_cancelled"),
        *("manual_payment_instructions", "manual_payment_approved"),
    }
    folder = ROOT / "business/billing/templates/emails"

    assert {path.stem for path in folder.glob("*.html")} >= promised
    assert {path.stem for path in folder.glob("*.txt")} >= promised


@pytest.mark.django_db
def test_an_approval_sends_one_mail(olga: User) -> None:
    payment = make.submitted_payment()
    settled_mails()

    PaymentService.approve_manual_payment(payment, olga)
    deliver_due()

    assert [sent.subject for sent in mail.outbox] == [f"Payment received for invoice {payment.invoice.invoice_number}"]
