"""Rejecting in the console: the reason that the customer reads, and the note that they do not."""

from html import unescape

import pytest
from django.test import Client

from igny8_core.auth.models import User
from igny8_core.business.billing.models import PaymentStatus, RejectionCode
from igny8_core.business.billing.services.payment_service import PaymentService
from tests import make
from tests.admin.test_payment_decisions import REJECT, decide, page, status

pytestmark = pytest.mark.django_db


def test_the_page_to_reject_offers_the_sentences_and_takes_no_rejection_without_one(console: Client) -> None:
    payment = make.submitted_payment()
    shown = unescape(console.get(page(payment, "check")).content.decode())

    for inputs, refusal in (
        ({}, "Choose the reason that the customer reads."),
        ({"reason_code": "other"}, "Write the reason that the customer reads"),
        ({"reason_code": "nonsense"}, "nonsense is not one of the available choices"),
        ({"reason_code": "not_found", "reason": "x" * 301}, "300"),
    ):
        answer = console.post(page(payment, "check"), {"decision": "reject", "note": "Seen by me", **inputs})
        assert refusal in unescape(answer.content.decode())
    assert all(str(code.label) in shown for code in RejectionCode)
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_several_are_not_rejected_without_a_reason_for_the_customer(console: Client) -> None:
    payment = make.submitted_payment()

    reports = [decide(console, REJECT, [payment], note="No such transfer", reason_code=code) for code in ("", "other")]

    assert [[kind for kind, _ in report] for report in reports] == [["error"], ["error"]]
    assert reports[0][0][1] == "Choose the reason that the customer reads."
    assert status(payment) == PaymentStatus.PENDING_APPROVAL


def test_the_page_of_a_rejected_payment_shows_reason_and_note(console: Client, olga: User) -> None:
    payment = make.submitted_payment()
    PaymentService.reject_manual_payment(payment, "", olga, reason_code="already_used", internal_note="See payment 3")

    html = unescape(console.get(page(payment, "change")).content.decode())

    assert RejectionCode.ALREADY_USED.sentence in html
    assert "See payment 3" in html
