"""Confirmations that nobody decides are brought to the operators' minds, once on each business day."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.business.billing.models import BusinessDay, Payment
from igny8_core.business.billing.services.dunning.undecided import remind_of_undecided
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]
THURSDAY, FRIDAY, SATURDAY, MONDAY, TUESDAY = (datetime(2026, 3, day, 10, tzinfo=UTC) for day in (5, 6, 7, 9, 10))


def confirmed_at(moment: datetime, name: str = "Acme") -> Payment:
    with time_machine.travel(moment, tick=False):
        tenant = make.owner({"name": name}).account
        return make.submitted_payment(make.invoice(tenant))


def reminded_at(moment: datetime) -> list[Any]:
    """What the operators get at that moment."""
    with time_machine.travel(moment, tick=False):
        mail.outbox.clear()
        remind_of_undecided()
        deliver_due()
        return [sent for sent in mail.outbox if "your decision" in sent.subject]


def test_after_two_business_days_operators_get_one_list_a_day_until_all_is_decided(olga: User, console: Client) -> None:
    first = confirmed_at(THURSDAY, "First Ltd")
    assert reminded_at(FRIDAY) == reminded_at(SATURDAY) == []
    second = confirmed_at(THURSDAY, "Second Ltd")
    confirmed_at(MONDAY, "Third Ltd")

    [sent] = reminded_at(MONDAY)

    assert (sent.subject, sent.to) == ("2 payments wait for your decision", [olga.email])
    assert f"First Ltd: 89.00 USD for {first.invoice.invoice_number}, for 4 days" in sent.body
    assert f"/admin/billing/payment/{second.pk}/change/" in sent.body
    assert "Third Ltd" not in sent.body
    # It tells of several customers, so it stands in the activities of none.
    assert Event.objects.get(type="payment.left_undecided").account is None
    assert reminded_at(MONDAY) == []
    with time_machine.travel(MONDAY, tick=False):
        shown = console.get("/admin/billing/payment/").content.decode()
    assert all(age in shown for age in ("4\N{NO-BREAK SPACE}days", "0\N{NO-BREAK SPACE}hours"))
    PaymentService.approve_manual_payment(first, olga)
    [again] = reminded_at(TUESDAY)
    assert again.subject == "1 payment waits for your decision"
    assert "Second Ltd" in again.body


def test_days_off_of_all_countries_do_not_count(olga: User) -> None:
    confirmed_at(THURSDAY)
    BusinessDay.objects.create(country_code="*", day=MONDAY.date(), name="Closed", is_business_day=False)

    assert reminded_at(MONDAY) == []
    assert len(reminded_at(TUESDAY)) == 1


def test_how_long_is_a_setting(settings: Any, olga: User) -> None:
    settings.CONFIRMATION_REMINDER_DAYS = 1
    confirmed_at(THURSDAY)

    assert len(reminded_at(FRIDAY)) == 1


def test_what_is_decided_before_the_mail_goes_out_sends_none(olga: User) -> None:
    payment = confirmed_at(THURSDAY)
    with time_machine.travel(TUESDAY, tick=False):
        assert remind_of_undecided() == 1
        PaymentService.approve_manual_payment(payment, olga)
        mail.outbox.clear()
        deliver_due()

    assert [sent for sent in mail.outbox if "your decision" in sent.subject] == []
