"""Several payments at once: the page between, what it says first, the report of each row, and the file of it."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import Account, User
from igny8_core.business.billing.admin import payment_bulk
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.payment_repeats import MOST_COMPARED
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.payments import bulk_decisions
from igny8_core.business.billing.tasks import decide_selected
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

LIST, DECIDE = reverse("admin:billing_payment_changelist"), reverse("admin:billing_payment_decide")


def go(browser: Client, action: str, payments: list[Payment], filters: str = "", **fields: str) -> Any:
    """Select the payments in the list, choose the action and press Go."""
    selected = [str(payment.pk) for payment in payments]
    return browser.post(LIST + filters, {"action": action, "_selected_action": selected, "index": "0", **fields})


def send(browser: Client, between: Any, ticked: list[Payment], **words: str) -> Any:
    """Decide on the page between, with these rows ticked; returns the report, or the page again."""
    kept = {name: between.context[name] for name in ("decision", "shown", "seen")}
    hidden = {"payments": between.context["selected"], "left_out": between.context["left_elsewhere"], **kept}
    sent = {**hidden, "ticked": [str(payment.pk) for payment in ticked], **words}
    return browser.post(DECIDE, sent, follow=True)


def decided(browser: Client, payments: list[Payment], **words: str) -> Any:
    selected = ",".join(str(payment.pk) for payment in payments)
    return browser.post(DECIDE, {"decision": "approve", "payments": selected, **words}, follow=True)


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
    assert [candidate.payment.pk for candidate in context["page"]] == [
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

    report = decided(console, [good, held, repeated])
    saved = console.get(f"{report.request['PATH_INFO']}?as=csv")

    assert (report.context["counts"]["done"], report.context["counts"]["refused"]) == (1, 2)
    assert [row.payment_id for row, _ in report.context["rows"]] == [good.pk, repeated.pk, held.pk]
    rows = {int(row["payment"]): row for row in table(saved)}
    assert saved["Content-Disposition"] == 'attachment; filename="decided-payments.csv"'
    assert (rows[held.pk]["result"], rows[held.pk]["what happened"]) == ("done", "Account activated.")
    assert (rows[held.pk]["amount"], rows[held.pk]["currency"]) == ("89.00", "USD")
    assert rows[repeated.pk]["result"] == "refused"
    assert "same reference or proof" in rows[repeated.pk]["what happened"]
    assert rows[repeated.pk]["customer"] == "'=cmd()"


def test_who_is_unticked_is_left_and_who_is_not_shown_is_decided(console: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(payment_bulk, "SHOWN_ROWS", 2)
    first, second, hidden = (make.submitted_payment() for _ in range(3))
    between = go(console, "approve_selected", [first, second, hidden])
    assert [candidate.payment.pk for candidate in between.context["page"]] == [first.pk, second.pk]

    report = send(console, between, [first])

    assert [status(payment) for payment in (first, second, hidden)] == ["succeeded", "pending_approval", "succeeded"]
    assert report.context["counts"]["all"] == 2


def test_every_row_of_a_selection_can_be_left_out_page_by_page(console: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(payment_bulk, "SHOWN_ROWS", 2)
    payments = [make.submitted_payment() for _ in range(5)]
    between = go(console, "reject_selected", payments)

    second = send(console, between, payments[1:2], turn="2", reason_code="other", reason="Ask your bank")
    third = send(console, second, payments[2:4], turn="3")
    back = send(console, third, [], turn="1")

    assert [candidate.payment for candidate in second.context["page"]] == payments[2:4]
    assert second.context["form"]["reason"].value() == "Ask your bank"
    assert not Payment.objects.exclude(status="pending_approval").exists()
    assert (back.context["count"], back.context["sums"]) == (3, ["267.00 USD"])
    assert back.context["tickable"] == {"count": 4, "sums": ["356.00 USD"]}
    assert back.context["left_out"] == {payments[0].pk, payments[4].pk}
    send(console, back, payments[1:2], reason_code="not_found")
    assert [status(payment) for payment in payments] == [
        "pending_approval", "failed", "failed", "failed", "pending_approval",
    ]  # fmt: skip


def test_nobody_ticked_decides_nothing_and_what_was_unticked_stays_so(console: Client) -> None:
    first, second = make.submitted_payment(), make.submitted_payment()
    between = go(console, "reject_selected", [first, second])

    none = send(console, between, [], reason_code="not_found")
    wrong = send(console, between, [first])

    assert (none.status_code, wrong.status_code) == (400, 400)
    assert "Tick at least one payment." in none.content.decode()
    assert wrong.context["left_out"] == {second.pk}
    assert (status(first), status(second)) == ("pending_approval", "pending_approval")


def test_the_override_is_for_the_repeats_that_were_shown_and_for_no_later_one(console: Client) -> None:
    shown, other = make.submitted_payment(reference="A1"), make.submitted_payment(reference="a-1")
    again, quiet = make.submitted_payment(reference="B1"), make.submitted_payment(reference="C1")
    make.submitted_payment(reference="b-1")
    between = go(console, "approve_selected", [shown, again, quiet])
    repeats = {each.payment.pk: each.repeats for each in between.context["page"]}
    assert (repeats[shown.pk], repeats[quiet.pk]) == ([other.pk], [])
    late, first_repeat = make.submitted_payment(reference="b 1"), make.submitted_payment(reference="c 1")

    words = {"override_duplicate": "on", "note": "Both are on the statement"}
    report = send(console, between, [shown, again, quiet], **words)

    assert [status(payment) for payment in (shown, again, quiet)] == ["succeeded", *["pending_approval"] * 2]
    told = {row.payment_id: row.outcome for row, _ in report.context["rows"]}
    [earlier] = repeats[again.pk]
    assert told[again.pk].endswith(f"Then: payments {earlier}. Now: payments {earlier}, {late.pk}.")
    assert told[quiet.pk].endswith(f"Then: none. Now: payments {first_repeat.pk}.")


def test_what_says_which_repeats_were_shown_is_believed_only_from_us(console: Client) -> None:
    shown = make.submitted_payment(reference="A1")
    make.submitted_payment(reference="a-1")
    between = go(console, "approve_selected", [shown])
    forged = between.context["seen"].replace("]", ",0]", 1)

    send(console, between, [shown], override_duplicate="on", note="Known", seen=forged)

    assert status(shown) == "pending_approval"


def test_many_are_decided_by_a_worker_while_a_page_says_how_far_it_is(console: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr(payment_bulk, "AT_ONCE", 2)
    payments = [make.submitted_payment() for _ in range(3)]
    accepts = {"headers": {"Accept": "application/json"}}

    waits = decided(console, payments)
    page = waits.request["PATH_INFO"]
    before = console.get(page, **accepts).json()
    decide_selected()
    after = console.get(page, **accepts).json()

    assert "3 payments are being decided" in waits.content.decode()
    assert before == {"is_done": False, "all": 3, "waiting": 3, "done": 0, "refused": 0}
    assert after == {"is_done": True, "all": 3, "waiting": 0, "done": 3, "refused": 0}
    assert "3 approved, 0 refused" in console.get(page).content.decode()
    assert {status(payment) for payment in payments} == {"succeeded"}


def test_what_is_tried_once_more_is_not_said_to_be_left(console: Client, monkeypatch: Any) -> None:
    """A worker decides it within seconds."""
    payment = make.submitted_payment()

    def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(bulk_decisions, "_decide", broken)
    answer = decided(console, [payment])

    assert list(answer.context["messages"]) == []
    assert not answer.context["is_done"]


def test_a_report_is_for_those_who_may_see_payments(console: Client, client: Client) -> None:
    page = decided(console, [make.submitted_payment()]).request["PATH_INFO"]

    client.force_login(operator_with())
    assert client.get(page).status_code == 403
    client.force_login(operator_with("billing.view_payment"))
    assert client.get(page).status_code == 200
    assert client.get(reverse("admin:billing_payment_decided", args=[0])).status_code == 404


def test_a_wrong_word_keeps_the_selection_and_decides_nothing(console: Client) -> None:
    payment = make.submitted_payment()
    sent = {"decision": "reject", "payments": str(payment.pk), "filters": "q=a"}

    refused = console.post(DECIDE, {**sent, "reason_code": "other", "note": "Line 14"})
    words = {"reason_code": "other", "reason": "Sent twice", "note": "Line 14"}
    done = console.post(DECIDE, {**sent, **words}, follow=True)

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
    assert client.post(DECIDE, sent, follow=True).context["counts"]["done"] == 1


def test_a_payment_of_one_s_own_account_is_named_and_left(client: Client) -> None:
    own, other = make.submitted_payment(), make.submitted_payment()
    client.force_login(make.operator(account=own.account, role="admin"))

    between = go(client, "approve_selected", [own, other])
    report = decided(client, [own, other])

    assert between.context["page"][0].remarks == ["Your own account: another operator has to decide it."]
    results = [(row.payment_id, row.result) for row, _ in report.context["rows"]]
    assert results == [(own.pk, "refused"), (other.pk, "done")]


@pytest.mark.parametrize("ticked", ["9" * 5000, "\u0663" * 30, "-1", "1e9"])
def test_a_tick_that_is_no_id_is_no_fault_of_the_server(console: Client, ticked: str) -> None:
    payment = make.submitted_payment()
    sent = {"decision": "approve", "payments": str(payment.pk), "shown": str(payment.pk), "ticked": ticked}

    answer = console.post(DECIDE, sent)

    assert answer.status_code == 400
    assert "Tick at least one payment." in answer.content.decode()
    assert status(payment) == "pending_approval"


def test_a_word_that_many_write_as_their_reference_keeps_the_page_small(console: Client) -> None:
    """What is kept of each are its newest repeats, of which a later one is one; not all with each."""
    cash = [make.submitted_payment(reference="Cash") for _ in range(MOST_COMPARED + 4)]
    between = go(console, "approve_selected", cash)
    repeats = {each.payment.pk: each.repeats for each in between.context["page"]}
    newest = [payment.pk for payment in cash][-MOST_COMPARED:]
    assert repeats[cash[0].pk] == newest
    assert max(map(len, repeats.values())) == MOST_COMPARED

    words = {"override_duplicate": "on", "note": "All are on the statement"}
    send(console, between, cash[:2], **words)
    late = make.submitted_payment(reference="cash")
    report = send(console, between, cash[2:3], **words)

    assert [status(payment) for payment in cash[:3]] == ["succeeded", "succeeded", "pending_approval"]
    [row] = [row for row, _ in report.context["rows"] if row.payment_id == cash[2].pk]
    assert f", {late.pk}." in row.outcome
