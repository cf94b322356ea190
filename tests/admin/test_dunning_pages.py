"""Operators see how an account stands, exempt it, extend a trial and a deadline, in the console and by API."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import BusinessDay, DunningPause
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with
from tests.billing.dunning import day, due_renewal, dun

pytestmark = pytest.mark.django_db
UNTIL = timezone.now().date() + timedelta(days=30)


def press(console: Client, model: str, pk: int, button: str, **values: object) -> str:
    """Send the dialog of a button of a row's page; the message that the page shows then."""
    console.post(reverse(f"admin:{model}_{button}", args=[pk]), {"_form_submitted": "True", **values})
    [message] = console.get(reverse(f"admin:{model}_change", args=[pk])).context["messages"]
    return str(message)


def test_the_page_of_an_account_tells_what_was_done_and_what_comes_next(console: Client, olga: User) -> None:
    invoice = due_renewal(billing_country="DE")
    dun(-3, 1)

    with day(2):
        console.force_login(olga)
        page = console.get(reverse("admin:billing_dunningaccount_change", args=[invoice.account_id])).content.decode()

    for said in (
        invoice.invoice_number,
        "89.00 USD, due on 2027-02-01, day +2.",
        "Done: 2027-01-29 reminder, 2027-02-02 overdue notice",
        "Next: 2027-02-04 overdue notice",
        "<div>+14, Wed 2027-02-24: the account is suspended</div>",
    ):
        assert said in page


def test_operators_exempt_extend_a_trial_and_a_deadline_in_the_console(console: Client) -> None:
    invoice = make.invoice()
    trial = make.owner({"status": "trial"}).account
    assert trial
    decision = {"until": UNTIL.isoformat(), "reason": "Agreed by phone"}

    assert "is exempt until" in press(console, "billing_dunningaccount", invoice.account_id, "exempt", **decision)
    later = (UNTIL + timedelta(days=10)).isoformat()
    said = press(console, "billing_invoice", invoice.pk, "extend_deadline", **decision | {"until": later})
    assert "Nothing is done about invoice" in said
    assert "The trial ends with" in press(console, "billing_dunningaccount", trial.pk, "extend_trial", **decision)

    pauses = DunningPause.objects.order_by("pk")
    assert [(pause.invoice_id, pause.until.isoformat()) for pause in pauses] == [
        (None, UNTIL.isoformat()),
        (invoice.pk, later),
    ]
    assert Account.objects.get(pk=trial.pk).trial_ends_at
    kinds = {"account.dunning_exempted", "invoice.deadline_extended", "account.trial_extended"}
    assert set(Event.objects.filter(data__reason="Agreed by phone").values_list("type", flat=True)) == kinds


def test_who_may_only_look_gets_no_buttons(client: Client) -> None:
    clerk = operator_with("igny8_auth.view_account", "billing.view_invoice")
    client.force_login(clerk)
    invoice = make.invoice()

    page = client.get(reverse("admin:billing_dunningaccount_change", args=[invoice.account_id]))
    refused = client.post(
        reverse("admin:billing_dunningaccount_exempt", args=[invoice.account_id]),
        {"until": UNTIL.isoformat(), "reason": "Mine"},
    )

    assert page.status_code == 200
    assert "pause_circle" not in page.content.decode()
    assert refused.status_code == 403
    assert not DunningPause.objects.exists()


def test_a_business_day_is_entered_and_told_as_an_event(console: Client) -> None:
    answer = console.post(
        reverse("admin:billing_businessday_add"), {"country_code": "PK", "day": "2027-03-12", "name": "Eid al-Fitr"}
    )

    assert answer.status_code == 302
    assert not BusinessDay.objects.get().is_business_day
    assert Event.objects.get(type="business_day.created").data["changed"]["name"] == "Eid al-Fitr"


def test_the_api_tells_the_same_and_replaces_an_exemption(olga: User, as_user: Callable[[User], APIClient]) -> None:
    invoice = due_renewal(billing_country="DE")
    dun(-3, 1)
    with day(2):
        api, address = as_user(olga), f"/api/v1/admin/accounts/{invoice.account_id}"
        shown = api.get(f"{address}/dunning/").json()["data"]
        for until in ("2027-02-20", "2027-02-10"):
            sent = {"until": until, "reason": "Agreed"}
            exempt = api.post(f"{address}/exempt/", sent, format="json").json()["data"]

    [row] = shown["invoices"]
    assert (shown["status"], row["subject"], row["amount_due"], row["clock_day"]) == ("past_due", "renewal", "89.00", 2)
    assert [(step["stage"], step["is_skipped"]) for step in row["steps"]] == [
        (-7, True),
        (-3, False),
        (0, True),
        (1, False),
    ]
    assert row["next"] == {"stage": 3, "kind": "overdue", "day": "2027-02-04"}
    assert [each["stage"] for each in shown["sample"]] == [-3, 0, 1, 3, 7, 14, 30]
    assert shown["sample"][-1] == {"stage": 30, "kind": "cancellation", "day": "2027-03-12"}
    assert (exempt["exempt_until"], exempt["exempt_reason"]) == ("2027-02-10", "Agreed")
    held = exempt["invoices"][0]
    assert held["held_because"] == "An operator exempted the account."
    # The clock stands at 1 (the second day is held) and reaches 3 on the second day after the exemption.
    assert held["next"] == {"stage": 3, "kind": "overdue", "day": "2027-02-12"}


@pytest.mark.parametrize(
    ("path", "until", "status"),
    [
        ("exempt", "2026-01-01", 400),
        ("exempt", "2029-01-01", 400),
        ("extend-trial", "2027-02-20", 409),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    olga: User, as_user: Callable[[User], APIClient], path: str, until: str, status: int
) -> None:
    account = make.owner().account
    assert account
    with day(2):
        answer = as_user(olga).post(
            f"/api/v1/admin/accounts/{account.pk}/{path}/", {"until": until, "reason": "Agreed"}, format="json"
        )

    assert answer.status_code == status
    assert not DunningPause.objects.exists()
    account.refresh_from_db()
    assert account.trial_ends_at is None
