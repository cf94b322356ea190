"""Several payments at once: the page between, what it says first, the report of each row, and the file of it."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

LIST, DECIDE = reverse("admin:billing_payment_changelist"), reverse("admin:billing_payment_decide")


def go(browser: Client, action: str, payments: list[Payment], filters: str = "", **fields: str) -> Any:
    """Select the payments in the list, choose the action and press Go."""
    selected = [str(payment.pk) for payment in payments]
    return browser.post(LIST + filters, {"action": action, "_selected_action": selected, "index": "0", **fields})


def status(payment: Payment) -> str:
    return Payment.objects.get(pk=payment.pk).status


def table(answer: HttpResponse) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(answer.content.decode())))


def test_go_decides_nothing_yet_and_shows_sums_count_and_what_needs_a_look_first(console: Client, olga: User) -> None:
    plain, first, second, decided = (make.submitted_payment(reference=text) for text in ("A1", "B2", "b-2", "C3"))
    euros = make.submitted_payment(make.invoice(currency="EUR"))
    PaymentService.reject_manual_payment(decided, "", olga)

    between = go(console, "approve_selected", [plain, first, second, decided, euros], "?o=1")

    context = between.context
    assert (context["count"], context["remarked"], context["sums"]) == (5, 3, ["89.00 EUR", "356.00 USD"])
    assert [candidate.payment.pk for candidate in context["candidates"]] == [
        first.pk, second.pk, decided.pk, plain.pk, euros.pk,
    ]  # fmt: skip
    html = between.content.decode()
    assert "Another payment has the same reference or proof." in html
    assert "Waits no longer: Failed." in html
    assert f'href="{LIST}?o=1"' in html
    assert {status(payment) for payment in (plain, first, second, euros)} == {"pending_approval"}


def test_all_that_the_filters_leave_can_be_selected_and_stays_what_it_was(console: Client) -> None:
    known, other = make.submitted_payment(), make.submitted_payment()
    Account.objects.filter(pk=known.account_id).update(name="Al Noor")

    between = go(console, "approve_selected", [known], "?q=Al+Noor", select_across="1")
    make.submitted_payment(make.invoice(known.account))

    assert between.context["selected"] == str(known.pk)
    console.post(DECIDE, {"decision": "approve", "payments": between.context["selected"]})
    assert (status(known), status(other)) == ("succeeded", "pending_approval")
    assert Payment.objects.filter(status="pending_approval").count() == 2


def test_the_report_has_a_row_for_each_and_is_saved_as_a_file(console: Client) -> None:
    good, held = make.submitted_payment(reference="A1"), make.submitted_payment(reference="A2")
    repeated = make.submitted_payment(reference="a-1")
    Account.objects.filter(pk=repeated.account_id).update(name="=cmd()")

    report = console.post(DECIDE, {"decision": "approve", "payments": f"{good.pk},{held.pk},{repeated.pk}"})
    saved = console.post(DECIDE, {"decision": "approve", "report": report.context["token"], "csv": "1"})

    assert (report.context["decided"], report.context["refused"]) == (1, 2)
    assert [row.payment for row in report.context["rows"]] == [good.pk, repeated.pk, held.pk]
    rows = {int(row["payment"]): row for row in table(saved)}
    assert saved["Content-Disposition"] == 'attachment; filename="decided-payments.csv"'
    assert (rows[held.pk]["result"], rows[held.pk]["what happened"]) == ("done", "Account activated.")
    assert (rows[held.pk]["amount"], rows[held.pk]["currency"]) == ("89.00", "USD")
    assert rows[repeated.pk]["result"] == "refused"
    assert "same reference or proof" in rows[repeated.pk]["what happened"]
    assert rows[repeated.pk]["customer"] == "'=cmd()"


def test_parts_of_many_are_put_together_in_one_report(console: Client) -> None:
    first, second, third = (make.submitted_payment() for _ in range(3))

    parts = [
        console.post(DECIDE, {"decision": "approve", "payments": str(each.pk)}, headers={"Accept": "application/json"})
        for each in (first, second, first)
    ]
    tokens = [part.json()["report"] for part in parts]
    whole = console.post(DECIDE, {"decision": "approve", "payments": str(third.pk), "report": [*tokens, "forged:a:b"]})

    assert [part.json()["refused"] for part in parts] == [0, 0, 1]
    assert (whole.context["decided"], whole.context["refused"]) == (3, 1)
    assert {status(payment) for payment in (first, second, third)} == {"succeeded"}


def test_a_wrong_word_keeps_the_selection_and_decides_nothing(console: Client) -> None:
    payment = make.submitted_payment()
    sent = {"decision": "reject", "payments": str(payment.pk), "filters": "q=a"}

    refused = console.post(DECIDE, {**sent, "reason_code": "other", "note": "Line 14"})
    done = console.post(DECIDE, {**sent, "reason_code": "other", "reason": "Sent twice", "note": "Line 14"})

    assert (refused.status_code, refused.context["selected"]) == (400, str(payment.pk))
    assert "Line 14" in refused.content.decode()
    assert f'href="{LIST}?q=a"' in done.content.decode()
    payment.refresh_from_db()
    assert (payment.status, payment.failure_reason, payment.internal_note) == ("failed", "Sent twice", "Line 14")


@pytest.mark.parametrize("selected", ["1,x", "1;2", "-1", "9" * 19, ",".join(["1"] * 10_001)])
def test_what_is_no_selection_is_refused(console: Client, selected: str) -> None:
    answer = console.post(DECIDE, {"decision": "approve", "payments": selected})

    assert answer.status_code == 400
    assert "At most 10000 payments are decided together." in answer.content.decode()


def test_who_may_decide_one_may_decide_several_and_nobody_else(client: Client) -> None:
    payment = make.submitted_payment()
    sent = {"decision": "approve", "payments": str(payment.pk)}

    for permissions in ([], ["billing.view_payment"], ["billing.approve_payment"]):
        client.force_login(operator_with(*permissions))
        assert client.post(DECIDE, sent).status_code == 403
    client.force_login(operator_with("billing.view_payment", "billing.approve_payment"))
    assert client.get(DECIDE).status_code == 403
    assert client.post(DECIDE, {**sent, "decision": "delete"}).status_code == 403
    assert status(payment) == "pending_approval"
    assert client.post(DECIDE, sent).context["decided"] == 1


def test_a_payment_of_one_s_own_account_is_named_and_left(client: Client) -> None:
    own, other = make.submitted_payment(), make.submitted_payment()
    client.force_login(make.operator(account=own.account, role="admin"))

    between = go(client, "approve_selected", [own, other])
    report = client.post(DECIDE, {"decision": "approve", "payments": between.context["selected"]})

    assert between.context["candidates"][0].remarks == ["Your own account: another operator has to decide it."]
    assert [(row.payment, row.is_decided) for row in report.context["rows"]] == [(own.pk, False), (other.pk, True)]
