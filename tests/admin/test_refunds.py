"""Operators refund payments in the console: a dialog on the payment's page, as for approving."""

import pytest
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import Role, User
from igny8_core.business.billing.models import CreditNote, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(olga: User) -> Payment:
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment


def page(payment: Payment, name: str) -> str:
    return reverse(f"admin:billing_payment_{name}", args=[payment.pk])


def refund(browser: Client, payment: Payment, **inputs: str) -> list[tuple[str, str]]:
    """Fill in the dialog and send it; returns kind and text of each line of the report."""
    posted = {"_form_submitted": "True", "reason": "Ordered twice", **inputs}
    response = browser.post(page(payment, "refund"), posted, follow=True)
    return [(message.level_tag, message.message) for message in response.context["messages"]]


def state(payment: Payment) -> tuple[str, str]:
    payment.refresh_from_db()
    return payment.status, f"{payment.refunded_amount:.2f}"


def test_a_part_and_then_the_rest_is_refunded_with_a_credit_note_each(
    console: Client, payment: Payment, olga: User
) -> None:
    part = refund(console, payment, amount="9.00", reference="TR-1")
    after_part = state(payment)
    rest = refund(console, payment)

    first, second = CreditNote.objects.order_by("pk")
    assert part == [("success", f"Refunded 9.00 USD with credit note {first}.")]
    assert rest == [("success", f"Refunded 80.00 USD with credit note {second}.")]
    assert (after_part, state(payment)) == (("partially_refunded", "9.00"), ("refunded", "89.00"))
    assert (first.reason, first.reference, first.created_by) == ("Ordered twice", "TR-1", olga)


def test_the_payment_s_page_shows_its_credit_notes(console: Client, payment: Payment) -> None:
    refund(console, payment, amount="9.00")
    note = CreditNote.objects.get()

    html = console.get(page(payment, "change")).content.decode()

    assert f">{note.credit_note_number}</a>, 9.00 USD" in html
    assert reverse("admin:billing_creditnote_change", args=[note.pk]) in html


@pytest.mark.parametrize(
    ("inputs", "sentence"),
    [
        ({"amount": "0"}, "more than zero"),
        ({"amount": "-1"}, "plain digits"),
        ({"amount": "1.001"}, "USD has 2 decimals"),
        ({"amount": "1e1"}, "plain digits"),
        ({"amount": "NaN"}, "plain digits"),
        ({"amount": "٩"}, "plain digits"),
        ({"reason": ""}, "This field is required"),
        ({"reason": "x" * 501}, "At most 500 characters."),
        ({"reason": "a\u202eb"}, "is not allowed"),
        ({"reference": "x" * 101}, "At most 100 characters."),
    ],
    ids=ascii,
)
def test_what_is_wrong_is_said_in_the_dialog_and_nothing_is_refunded(
    console: Client, payment: Payment, inputs: dict[str, str], sentence: str
) -> None:
    response = console.post(page(payment, "refund"), {"_form_submitted": "True", "reason": "Ordered twice", **inputs})

    assert sentence in response.content.decode()
    assert state(payment) == ("succeeded", "0.00")


def test_what_the_service_refuses_is_reported(console: Client, payment: Payment) -> None:
    report = refund(console, payment, amount="89.01")

    assert [kind for kind, _ in report] == ["warning"]
    assert "89.00 USD is left of this payment" in report[0][1]
    assert state(payment) == ("succeeded", "0.00")


def test_nobody_refunds_a_payment_of_their_own_account(client: Client, payment: Payment) -> None:
    client.force_login(make.operator(account=payment.account, role=Role.ADMIN))

    report = refund(client, payment)

    assert "This payment is for your own account" in report[0][1]
    assert state(payment) == ("succeeded", "0.00")


def test_the_button_needs_its_own_permission_and_a_captured_payment(
    client: Client, console: Client, payment: Payment
) -> None:
    waiting = make.submitted_payment()
    shown = {name: page(payment, name) in console.get(page(payment, "change")).content.decode() for name in BUTTONS}
    before = {name: page(waiting, name) in console.get(page(waiting, "change")).content.decode() for name in BUTTONS}
    client.force_login(operator_with("billing.view_payment", "billing.approve_payment"))

    html = client.get(page(payment, "change")).content.decode()
    refused = client.post(page(payment, "refund"), {"_form_submitted": "True", "reason": "x"})

    assert shown == {"to_check": False, "refund": True}
    assert before == {"to_check": True, "refund": False}
    assert page(payment, "refund") not in html
    assert refused.status_code == 403
    assert state(payment) == ("succeeded", "0.00")


BUTTONS = ("to_check", "refund")


def test_who_may_refund_and_not_approve_refunds(client: Client, payment: Payment) -> None:
    client.force_login(operator_with("billing.view_payment", "billing.refund_payment"))

    assert [kind for kind, _ in refund(client, payment)] == ["success"]


def test_opening_the_dialog_refunds_nothing(console: Client, payment: Payment) -> None:
    response = console.get(page(payment, "refund"))

    assert 'name="reason"' in response.content.decode()
    assert state(payment) == ("succeeded", "0.00")


@pytest.mark.parametrize("object_id", ["0", "999999", "abc", "9" * 30])
def test_the_address_of_no_payment_is_no_error(console: Client, object_id: str) -> None:
    response = console.post(
        f"/admin/billing/payment/{object_id}/refund/", {"_form_submitted": "True", "reason": "x", "amount": "1"}
    )

    assert response.status_code in {302, 400, 403, 404}
    assert not CreditNote.objects.exists()


def test_a_dialog_that_is_sent_twice_gives_its_part_back_once(console: Client, payment: Payment) -> None:
    """Somebody clicks twice, or two operators have the dialog open."""
    opened = console.get(page(payment, "refund")).context["form"]
    said = {"amount": "9.00", "left": opened["left"].value()}

    first, second = (refund(console, payment, **said) for _ in range(2))

    assert first[0][0] == "success"
    [(kind, told)] = second
    assert kind == "warning"
    assert "When you opened the dialog, 89.00 USD was left of this payment; now it is 80.00 USD." in told
    assert state(payment) == ("partially_refunded", "9.00")
