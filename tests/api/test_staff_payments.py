"""Operators look payments up, decide them and give money back, under their own address."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import User
from igny8_core.business.billing.models import CreditNote, Dispute, Payment
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.refunds.disputes import sync_dispute
from tests import make
from tests.api.world import fingerprint, refusal

pytestmark = pytest.mark.django_db

PAYMENTS = "/api/v1/admin/payments/"
Login = Callable[[User], APIClient]


@pytest.fixture
def operator(olga: User, as_user: Login) -> APIClient:
    return as_user(olga)


def found(operator: APIClient, **query: Any) -> list[int]:
    response = operator.get(PAYMENTS, query)
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["data"]]


def captured(olga: User) -> Payment:
    """A paid order of the starter plan: 89.00, 1000 credits."""
    return PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment


def refund(operator: APIClient, payment: Payment, **data: Any) -> Any:
    return operator.post(f"{PAYMENTS}{payment.pk}/refund/", {"reason": "Goodwill", **data}, format="json")


# --- Looking up ---------------------------------------------------------------------------------------------------


def test_the_list_shows_every_accounts_payments_newest_first(operator: APIClient, alice: User, charlie: User) -> None:
    first = make.submitted_payment(make.invoice(alice.account), "BT-1")
    second = make.submitted_payment(make.invoice(charlie.account), "bt 1")

    response = operator.get(PAYMENTS)

    newest, oldest = response.json()["data"]
    assert (newest["id"], oldest["id"]) == (second.pk, first.pk)
    assert (newest["is_flagged_duplicate"], oldest["is_flagged_duplicate"]) == (True, True)
    assert (oldest["account_id"], oldest["account_name"]) == (alice.account_id, alice.account.name)
    assert (oldest["status"], oldest["amount"], oldest["manual_reference"]) == ("pending_approval", "89.00", "BT-1")
    assert (oldest["approved_by"], oldest["approved_at"]) == ("", None)


def test_search_and_filters_narrow_the_list(operator: APIClient, olga: User, alice: User, charlie: User) -> None:
    first = make.submitted_payment(make.invoice(alice.account), "BT-2025 0001").pk
    invoice = make.invoice(charlie.account)
    repeat = make.submitted_payment(invoice, "bt20250001").pk
    paid = captured(olga).pk
    Payment.objects.filter(pk=first).update(created_at=timezone.now() - timedelta(days=3))
    today = timezone.now().date().isoformat()

    for text in ("BT-2025 0001", "bt20250001", "ｂｔ２０２５０００１", "BT 2025-0001"):
        assert found(operator, search=text) == [repeat, first], text
    for text in ("BT-2025", "%", "_", "--", "'", "0001"):
        assert found(operator, search=text) == [], text
    assert found(operator, search=invoice.invoice_number.lower()) == [repeat]
    assert found(operator, flagged="true") == [repeat, first]
    assert found(operator, flagged="false") == [paid]
    assert found(operator, status="succeeded") == [paid]
    assert found(operator, account=alice.account_id) == [first]
    assert found(operator, created_from=today) == [paid, repeat]
    assert found(operator, payment_method="local_wallet") == []
    assert found(operator, ordering="created_at") == [first, repeat, paid]


@pytest.mark.parametrize(
    "query", ["flagged=1", "flagged=True", "account=-1", "payment_method=cash", "search=%E2%80%AE"]
)
def test_a_wrong_filter_is_refused(operator: APIClient, query: str) -> None:
    response = operator.get(f"{PAYMENTS}?{query}")

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == [query.partition("=")[0]]


def test_one_payment_is_shown_with_all_that_is_needed_to_decide(
    operator: APIClient, alice: User, charlie: User
) -> None:
    first = make.submitted_payment(make.invoice(charlie.account), "BT-1")
    link = "https://files.example.com/receipt.pdf"
    payment = make.submitted_payment(make.invoice(alice.account), "BT 1", notes="Paid on Monday", proof_url=link)

    data = operator.get(f"{PAYMENTS}{payment.pk}/").json()["data"]

    assert (data["duplicate_of"], data["is_flagged_duplicate"]) == (first.pk, True)
    assert (data["manual_notes"], data["proof_url"], data["proof_id"]) == ("Paid on Monday", link, None)
    assert (data["admin_notes"], data["invoice_status"]) == ("", "pending")
    assert data["repeats"] == [
        {
            "payment_id": first.pk,
            "account_id": charlie.account_id,
            "account_name": str(charlie.account),
            "status": "pending_approval",
            "same": ["reference"],
        }
    ]
    of_the_first = operator.get(f"{PAYMENTS}{first.pk}/").json()["data"]
    assert (of_the_first["duplicate_of"], of_the_first["is_flagged_duplicate"]) == (None, True)
    assert [repeat["payment_id"] for repeat in of_the_first["repeats"]] == [payment.pk]


def test_a_payment_is_shown_with_its_disputes_oldest_first(operator: APIClient, stripe: FakeStripe) -> None:
    invoice = make.subscription().invoices.get()
    saved = make.saved_card(stripe, invoice.account).gateway_method_id
    payment = PaymentService.create_stripe_payment(invoice, saved).payment
    with CaptureQueriesContext(connection) as none:
        assert operator.get(f"{PAYMENTS}{payment.pk}/").json()["data"]["disputes"] == []
    lost, still_open = (stripe.open_dispute(payment.gateway_object_id, cents)["id"] for cents in (5000, 2000))
    stripe.close_dispute(lost, won=False)
    for dispute in (lost, still_open):
        sync_dispute("stripe", dispute)
    Dispute.objects.create(account=payment.account, payment=payment, gateway="stripe", gateway_dispute_id="du_old")

    with CaptureQueriesContext(connection) as three:
        first, second, third = operator.get(f"{PAYMENTS}{payment.pk}/").json()["data"]["disputes"]

    assert (first["gateway_dispute_id"], first["status"], first["outcome"]) == (lost, "lost", "lost")
    assert (first["amount"], first["currency"], first["reason"]) == ("50.00", "USD", "fraudulent")
    assert first["credit_note_number"] == payment.credit_notes.get().credit_note_number
    assert first["opened_at"]
    assert first["closed_at"]
    assert (second["gateway_dispute_id"], second["status"], second["outcome"]) == (still_open, "open", "")
    assert (second["credit_note_number"], second["closed_at"]) == (None, None)
    assert (third["amount"], third["currency"], third["opened_at"]) == (None, "", None)
    assert len(three) == len(none)


# --- Deciding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["approve", "reject"])
def test_a_decision_is_the_same_under_both_addresses(operator: APIClient, olga: User, action: str) -> None:
    answers = []
    for prefix in ("/api/v1/admin/", "/api/v1/billing/admin/"):
        payment = make.submitted_payment()
        response = operator.post(f"{prefix}payments/{payment.pk}/{action}/", {"admin_notes": "Seen"}, format="json")
        assert response.status_code == 200
        payment.refresh_from_db()
        assert (payment.admin_notes, payment.approved_by_id) == ("Seen", olga.pk)
        answers.append((set(response.json()["data"]), response.json()["message"], payment.status))
        again = operator.post(f"/api/v1/admin/payments/{payment.pk}/{action}/", {}, format="json")
        assert (again.status_code, refusal(again)["message"]) == (409, "Payment not pending approval")
    assert answers[0] == answers[1]


# --- Refunds ------------------------------------------------------------------------------------------------------


def test_a_refund_in_parts_gives_back_what_was_captured_and_no_more(operator: APIClient, olga: User) -> None:
    payment = captured(olga)

    part = refund(operator, payment, amount="9.00", reference="TR-1").json()["data"]
    rest = refund(operator, payment).json()["data"]
    before = fingerprint()
    again = refund(operator, payment)

    assert (part["payment_id"], part["status"], part["refunded_amount"]) == (
        payment.pk, "partially_refunded", "9.00",
    )  # fmt: skip
    assert set(part["credit_note"]) == {"number", "amount", "credits_taken_back", "credits_not_recovered"}
    assert part["credit_note"]["amount"] == "9.00"
    assert (rest["status"], rest["refunded_amount"], rest["credit_note"]["amount"]) == ("refunded", "89.00", "80.00")
    assert part["credit_note"]["credits_taken_back"] + rest["credit_note"]["credits_taken_back"] == 1000
    assert {part["credit_note"]["credits_not_recovered"], rest["credit_note"]["credits_not_recovered"]} == {0}
    notes = CreditNote.objects.filter(payment=payment).order_by("pk")
    assert [note.credit_note_number for note in notes] == [part["credit_note"]["number"], rest["credit_note"]["number"]]
    assert {note.created_by_id for note in notes} == {olga.pk}
    assert again.status_code == 409
    refusal(again)
    assert fingerprint() == before


def test_more_than_is_left_is_not_given_back(operator: APIClient, olga: User) -> None:
    payment = captured(olga)
    refund(operator, payment, amount="80.00")
    before = fingerprint()

    response = refund(operator, payment, amount="9.01")

    assert response.status_code in {400, 409}
    refusal(response)
    assert fingerprint() == before


def test_a_payment_that_was_not_captured_is_not_refunded(operator: APIClient) -> None:
    waiting, failed = make.submitted_payment(), make.submitted_payment()
    PaymentService.reject_manual_payment(failed, "Not seen")
    before = fingerprint()

    for payment in (waiting, failed):
        response = refund(operator, payment)
        assert response.status_code == 409
        refusal(response)
    assert fingerprint() == before


WRONG: list[tuple[str, Any]] = [
    *(("amount", value) for value in ("0", "0.00", "-1", "1.001", "1.000", "x", "", None, 1, 1.5, True, [], "1e1")),
    *(("reason", value) for value in ("", " ", None, 1, "x" * 501, "a\nb", "\u202e")),
    *(("reference", value) for value in (None, 1, "x" * 101, "a\nb")),
]


def test_what_is_wrong_is_refused_by_name(operator: APIClient, olga: User) -> None:
    payment = captured(olga)
    before = fingerprint()

    for field, value in WRONG:
        response = refund(operator, payment, **{field: value})

        assert response.status_code == 400, ascii((field, value))[:200]
        assert list(refusal(response)["errors"]) == [field], ascii(value)[:200]
    assert fingerprint() == before


# --- Rejecting ----------------------------------------------------------------------------------------------------


def reject(operator: APIClient, payment: Payment, **data: Any) -> Any:
    return operator.post(f"{PAYMENTS}{payment.pk}/reject/", data, format="json")


def test_the_customer_reads_code_and_reason_and_only_operators_the_note(
    operator: APIClient, alice: User, as_user: Login
) -> None:
    payment = make.submitted_payment(make.invoice(alice.account))

    answer = reject(
        operator, payment, reason_code="wrong_amount", reason="It was 8.90.", internal_note="Looks like fraud"
    )

    assert answer.status_code == 200, answer.content
    customer = as_user(alice)
    (row,) = customer.get("/api/v1/billing/payments/").json()["data"]
    told = "The amount that we received is not the amount of the invoice. It was 8.90."
    assert (row["reason_code"], row["reason"], row["failure_reason"]) == ("wrong_amount", told, told)
    for address in ("billing/payments/", "billing/invoices/", "account/activity/"):
        read = customer.get(f"/api/v1/{address}")
        assert read.status_code == 200
        assert b"fraud" not in read.content
    assert told.encode() in customer.get("/api/v1/account/activity/").content
    seen = operator.get(f"{PAYMENTS}{payment.pk}/").json()["data"]
    assert (seen["reason_code"], seen["reason"], seen["internal_note"]) == ("wrong_amount", told, "Looks like fraud")


@pytest.mark.parametrize(
    ("sent", "code", "told"),
    [
        ({}, "not_found", "We did not find this payment on our bank or wallet statement."),
        ({"admin_notes": ""}, "not_found", "We did not find this payment on our bank or wallet statement."),
        ({"internal_note": "Hm"}, "not_found", "We did not find this payment on our bank or wallet statement."),
        ({"admin_notes": "Hm"}, "not_found", "We did not find this payment on our bank or wallet statement."),
        ({"reason": "It was 8.90."}, "other", "It was 8.90."),
    ],
)
def test_a_rejection_without_a_code_gets_the_one_that_fits(
    operator: APIClient, sent: dict[str, str], code: str, told: str
) -> None:
    payment = make.submitted_payment()

    assert reject(operator, payment, **sent).status_code == 200

    payment.refresh_from_db()
    assert (payment.status, payment.reason_code, payment.failure_reason) == ("failed", code, told)


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"reason_code": "other"}, "reason"),
        ({"reason_code": "other", "internal_note": "For operators"}, "reason"),
        ({"reason_code": "nonsense"}, "reason_code"),
        ({"reason_code": ""}, "reason_code"),
        ({"reason_code": "not_found", "reason": "x" * 301}, "reason"),
        ({"reason_code": "not_found", "admin_notes": "Meant for operators"}, "admin_notes"),
        ({"internal_note": "a", "admin_notes": "b"}, "admin_notes"),
    ],
)
def test_a_rejection_that_is_unclear_to_the_customer_changes_nothing(
    operator: APIClient, sent: dict[str, str], field: str
) -> None:
    payment = make.submitted_payment()
    before = fingerprint()

    response = reject(operator, payment, **sent)

    assert (response.status_code, list(refusal(response)["errors"])) == (400, [field])
    assert fingerprint() == before


def test_every_id_that_is_no_payment_is_the_same_404(operator: APIClient) -> None:
    for call in (
        lambda number: operator.get(f"{PAYMENTS}{number}/"),
        lambda number: operator.post(f"{PAYMENTS}{number}/approve/", {}, format="json"),
        lambda number: operator.post(f"{PAYMENTS}{number}/reject/", {}, format="json"),
        lambda number: operator.post(f"{PAYMENTS}{number}/refund/", {"reason": "x"}, format="json"),
    ):
        answers = [call(number) for number in (987_654_321, 999_999_999_999_999_999)]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert refusal(answers[0]) == refusal(answers[1])
        assert refusal(answers[0])["code"] == "payment_not_found"
