"""Operators approve and reject payments in the console, each payment on its own, with a report."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import Account, AccountStatus, Role, User
from igny8_core.business.billing.errors import DuplicateReference
from igny8_core.business.billing.models import CreditTransaction, InvoiceStatus, Payment, PaymentStatus
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

LIST, DECIDE = "admin:billing_payment_changelist", "admin:billing_payment_decide"
APPROVE = "approve_selected"
REJECT = "reject_selected"


def decide(browser: Client, action: str, payments: Iterable[Payment], **inputs: str) -> list[tuple[str, str]]:
    """Select, choose the action, click Go, decide on the page between; returns kind and text of each line told."""
    selected = [str(payment.pk) for payment in payments]
    between = browser.post(reverse(LIST), {"action": action, "_selected_action": selected, "index": "0"})
    context = between.context
    sent = {"decision": context["decision"], "payments": context["selected"], **inputs}
    response = browser.post(reverse(DECIDE), {**sent, "seen": context["seen"]}, follow=True)
    told = [(message.level_tag, message.message) for message in response.context["messages"]]
    refused = [*response.context["form"].errors.values()] if response.status_code == 400 else []
    return [*told, *(("error", str(sentence)) for sentences in refused for sentence in sentences)]


def page(payment: Payment, name: str) -> str:
    return reverse(f"admin:billing_payment_{name}", args=[payment.pk])


def status(payment: Payment) -> str:
    return Payment.objects.get(pk=payment.pk).status


def test_list_offers_both_actions_by_their_documented_names(console: Client) -> None:
    make.submitted_payment()

    html = console.get(reverse(LIST)).content.decode()

    assert "Approve selected manual payments" in html
    assert "Reject selected manual payments" in html
    assert ">\n        Go\n    <" in html


def test_list_has_the_documented_columns_newest_first(console: Client) -> None:
    first, second = make.submitted_payment(), make.submitted_payment()

    changes = console.get(reverse(LIST)).context["cl"]

    headings = ["id", "invoice_number", "account", "amount_shown", "status_shown", "waits", "method", "reference"]
    assert changes.list_display[1:] == [*headings, "approved_by", "created", "processed"]
    assert [payment.pk for payment in changes.result_list] == [second.pk, first.pk]


@pytest.mark.parametrize("words", ["BT-4711", "Al Noor", "statement"])
def test_search_finds_reference_account_and_notes(console: Client, words: str) -> None:
    found = make.submitted_payment(
        make.invoice(make.owner({"name": "Al Noor Trading"}).account), "BT-4711", notes="see the statement"
    )
    make.submitted_payment()

    changes = console.get(reverse(LIST), {"q": words}).context["cl"]

    assert [payment.pk for payment in changes.result_list] == [found.pk]


def test_search_finds_invoice_number_and_filter_finds_status(console: Client, olga: User) -> None:
    done, waiting = make.submitted_payment(), make.submitted_payment()
    PaymentService.approve_manual_payment(done, olga)

    by_number = console.get(reverse(LIST), {"q": done.invoice.invoice_number}).context["cl"]
    by_status = console.get(reverse(LIST), {"status__exact": "pending_approval"}).context["cl"]

    assert [payment.pk for payment in by_number.result_list] == [done.pk]
    assert [payment.pk for payment in by_status.result_list] == [waiting.pk]


def test_selected_payments_are_approved_with_all_that_follows(console: Client, olga: User) -> None:
    payments = [make.submitted_payment(), make.submitted_payment()]

    report = decide(console, APPROVE, payments, note="Seen on the statement")

    assert report == [("success", "Approved 2 payments: 178.00 USD. 2 × Account activated.")]
    for payment in payments:
        payment.refresh_from_db()
        assert (payment.status, payment.approved_by, payment.admin_notes) == (
            PaymentStatus.SUCCEEDED,
            olga,
            "Seen on the statement",
        )
        assert payment.invoice.status == InvoiceStatus.PAID
        assert payment.account.status == AccountStatus.ACTIVE
        assert payment.account.credits == 1000


def test_selected_payments_are_rejected_and_their_invoices_stay_open(console: Client, olga: User) -> None:
    payment = make.submitted_payment()

    reason = {"reason_code": "wrong_amount", "reason": "We received 8.90 USD."}
    report = decide(console, REJECT, [payment], **reason, note="Line 14 of the statement")

    payment.refresh_from_db()
    assert report == [("success", "Rejected 1 payment: 89.00 USD.")]
    assert (payment.status, payment.approved_by, payment.reason_code) == (PaymentStatus.FAILED, olga, "wrong_amount")
    told = "The amount that we received is not the amount of the invoice. We received 8.90 USD."
    assert (payment.failure_reason, payment.internal_note) == (told, "Line 14 of the statement")
    assert payment.failed_at
    assert payment.invoice.status == InvoiceStatus.PENDING


def test_sums_are_reported_per_currency(console: Client) -> None:
    euros = make.subscription(plan_ordered=make.plan("euro", price=Decimal("100.50"), currency="EUR")).invoices.get()
    payments = [make.submitted_payment(), make.submitted_payment(), make.submitted_payment(euros)]

    report = decide(console, APPROVE, payments)

    assert report == [("success", "Approved 3 payments: 100.50 EUR, 178.00 USD. 3 × Account activated.")]


def test_the_report_says_what_each_payment_brought(console: Client) -> None:
    first, other, held = (make.submitted_payment() for _ in range(3))
    Account.objects.filter(pk=held.account_id).update(status="suspended", suspended_reason="operator")
    package = make.submitted_payment(make.invoice(make.account()))
    gone = make.submitted_payment(make.invoice(make.account()))
    Account.objects.filter(pk=gone.account_id).update(status="canceled")

    report = decide(console, APPROVE, [first, other, held, package, gone])

    def caution(payment: Payment, sentence: str) -> tuple[str, str]:
        return "warning", f"Payment {payment.pk} ({payment.invoice.invoice_number}): {sentence}"

    done = f"Approved 5 payments: 445.00 USD. 2 × Account activated. Invoice {package.invoice.invoice_number} is paid."
    assert report == [
        ("success", done),
        caution(held, "The plan Starter is paid. The account stays suspended until an operator lifts the suspension."),
        caution(
            gone,
            f"Invoice {gone.invoice.invoice_number} is paid. "
            "The account is canceled. It can be used again once a plan is ordered and paid.",
        ),
    ]


def test_a_change_that_costs_another_amount_by_now_is_voided_and_ordered_again(console: Client, olga: User) -> None:
    start, later = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 16, 12, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        subscription = make.subscription()
        PaymentService.approve_manual_payment(make.submitted_payment(subscription.invoices.get()), olga)
        growth = make.plan("growth", price=Decimal("139.00"))
        order = SubscriptionService.upgrade_subscription(subscription, growth)
        payment = make.submitted_payment(order)

    with time_machine.travel(later, tick=False):
        console.force_login(olga)
        refused = decide(console, APPROVE, [payment])
        html = console.get(page(payment, "change")).content.decode()
        answer = console.post(page(payment, "order_again"), {"_form_submitted": "True", "note": "Late"}, follow=True)

    assert [kind for kind, _ in refused] == ["warning"]
    assert "ordered for 50.00 USD, but now it costs 25.00 USD" in refused[0][1]
    assert page(payment, "order_again") in html
    new = subscription.invoices.latest("pk")
    assert (new.total, status(payment)) == (Decimal("25.00"), "failed")
    said = [str(message) for message in answer.context["messages"]]
    text = f"The larger plan starts when invoice {new.invoice_number} over 25.00 USD is paid."
    assert said == [f"The order was voided and placed again. {text}"]


def test_other_payments_have_no_button_to_order_again(console: Client) -> None:
    payment = make.submitted_payment()

    html = console.get(page(payment, "change")).content.decode()
    answer = console.post(page(payment, "order_again"), {"_form_submitted": "True"}, follow=True)

    assert page(payment, "order_again") not in html
    assert answer.status_code == 403 or "not for a change" in str(next(iter(answer.context["messages"])))
    assert status(payment) == "pending_approval"


def test_a_row_that_is_refused_does_not_stop_the_others(console: Client, olga: User) -> None:
    rejected, good, last = (make.submitted_payment(reference=text) for text in ("R1", "R2", "R3"))
    PaymentService.approve_manual_payment(make.submitted_payment(reference="R4"), olga)
    repeated = make.submitted_payment(reference="r-4")
    PaymentService.reject_manual_payment(rejected, "", olga)

    report = decide(console, APPROVE, [rejected, good, repeated, last])

    def refusal(payment: Payment, sentence: str) -> tuple[str, str]:
        number = payment.invoice.invoice_number
        return "warning", f"Payment {payment.pk} ({number}) was not changed. {sentence}"

    assert report == [
        ("success", "Approved 2 payments: 178.00 USD. 2 × Account activated."),
        refusal(rejected, "Payment not pending approval"),
        refusal(repeated, DuplicateReference.text),
    ]
    after = [status(payment) for payment in (rejected, good, repeated, last)]
    assert after == ["failed", "succeeded", "pending_approval", "succeeded"]


def test_a_database_error_of_one_row_does_not_stop_the_others(console: Client) -> None:
    first, broken, last = (make.submitted_payment() for _ in range(3))
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TRIGGER test_refuse BEFORE UPDATE ON igny8_payments FOR EACH ROW "
            f"WHEN (OLD.id = {broken.pk}) EXECUTE FUNCTION igny8_refuse_change()"
        )

    report = decide(console, APPROVE, [first, broken, last])

    assert [kind for kind, _ in report] == ["success", "warning"]
    assert f"Payment {broken.pk} ({broken.invoice.invoice_number})" in report[1][1]
    assert [status(payment) for payment in (first, broken, last)] == ["succeeded", "pending_approval", "succeeded"]


def test_deciding_again_changes_nothing(console: Client) -> None:
    payment = make.submitted_payment()
    decide(console, APPROVE, [payment])
    ledger = CreditTransaction.objects.count()

    again = decide(console, APPROVE, [payment])
    rejected = decide(console, REJECT, [payment], reason_code="not_found")

    assert [kind for kind, _ in again + rejected] == ["warning", "warning"]
    assert status(payment) == PaymentStatus.SUCCEEDED
    assert CreditTransaction.objects.count() == ledger


def test_repeated_reference_is_flagged_and_needs_override_and_note(console: Client) -> None:
    first = make.submitted_payment(reference="BT-1")
    second = make.submitted_payment(reference="bt 1")

    html = console.get(reverse(LIST)).content.decode()
    plain = decide(console, APPROVE, [second])
    without_note = decide(console, APPROVE, [second], override_duplicate="on")
    state_before = status(second)
    overridden = decide(console, APPROVE, [second], override_duplicate="on", note="Two transfers on the statement")

    assert f"same as payment {first.pk}" in html
    assert page(first, "change") in html
    assert [kind for kind, _ in plain + without_note] == ["warning", "warning"]
    assert state_before == PaymentStatus.PENDING_APPROVAL
    assert overridden == [("success", "Approved 1 payment: 89.00 USD. Account activated.")]


def test_operator_never_decides_a_payment_of_their_own_account(client: Client) -> None:
    payment = make.submitted_payment()
    member = make.operator(account=payment.account, role=Role.ADMIN)
    client.force_login(member)

    report = decide(client, APPROVE, [payment]) + decide(client, REJECT, [payment], reason_code="not_found")

    assert [kind for kind, _ in report] == ["warning", "warning"]
    assert "This payment is for your own account" in report[0][1]
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_operator_who_may_only_look_is_offered_nothing_and_refused_everything(client: Client) -> None:
    payment = make.submitted_payment()
    client.force_login(operator_with("billing.view_payment"))

    html = client.get(reverse(LIST)).content.decode() + client.get(page(payment, "change")).content.decode()
    refused = [
        client.post(reverse(LIST), {"action": action, "_selected_action": str(payment.pk)}).status_code
        for action in (APPROVE, REJECT, "delete_selected")
    ] + [client.post(page(payment, "check"), {"decision": name}).status_code for name in ("approve", "reject")]

    assert "selected manual payments" not in html
    assert page(payment, "to_check") not in html
    assert refused == [403] * 5
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_operator_with_the_permission_decides_without_being_superuser(client: Client) -> None:
    payment = make.submitted_payment()
    client.force_login(operator_with("billing.view_payment", "billing.approve_payment"))

    report = decide(client, APPROVE, [payment])

    assert report == [("success", "Approved 1 payment: 89.00 USD. Account activated.")]


def test_permission_to_approve_without_permission_to_look_is_not_enough(client: Client) -> None:
    payment = make.submitted_payment()
    client.force_login(operator_with("billing.approve_payment"))

    refused = [
        client.post(reverse(LIST), {"action": APPROVE, "_selected_action": str(payment.pk)}).status_code,
        client.post(page(payment, "check"), {"decision": "approve"}).status_code,
    ]

    assert refused == [403, 403]
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_too_long_note_decides_nothing(console: Client) -> None:
    payment = make.submitted_payment()

    report = decide(console, APPROVE, [payment], note="x" * 2001)

    assert [kind for kind, _ in report] == ["error"]
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_the_page_of_a_payment_leads_to_where_it_is_checked(console: Client) -> None:
    payment = make.submitted_payment()

    answer = console.get(page(payment, "to_check"))

    assert answer["Location"] == page(payment, "check")
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_decided_payment_has_no_buttons(console: Client, olga: User) -> None:
    payment = make.submitted_payment()
    waiting = console.get(page(payment, "change")).content.decode()
    PaymentService.approve_manual_payment(payment, olga)

    decided = console.get(page(payment, "change")).content.decode()

    assert page(payment, "to_check") in waiting
    assert page(payment, "to_check") not in decided


@pytest.mark.parametrize("address", ["approve_selected", "approve", "reject"])
def test_a_post_from_another_site_is_refused(olga: User, address: str) -> None:
    payment = make.submitted_payment()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(olga)

    if address == APPROVE:
        response = browser.post(reverse(LIST), {"action": APPROVE, "_selected_action": str(payment.pk)})
    else:
        response = browser.post(page(payment, "check"), {"decision": address})

    assert response.status_code == 403
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


@pytest.mark.parametrize("object_id", ["0", "999999", "abc", "9" * 30, "%00"])
@pytest.mark.parametrize("name", ["change", "to-check"])
def test_address_of_no_payment_is_no_error(console: Client, object_id: str, name: str) -> None:
    response = console.post(f"/admin/billing/payment/{object_id}/{name}/", {"_form_submitted": "True"})

    assert response.status_code in {302, 400, 403, 404}
