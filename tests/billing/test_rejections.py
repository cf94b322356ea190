"""A rejection says why: a code with a sentence, words for the customer, and a note that no customer reads."""

import pytest

from igny8_core.auth.models import User
from igny8_core.business.billing.models import Payment, RejectionCode
from igny8_core.business.billing.serializers import MAX_REASON
from igny8_core.business.billing.services.invoices import instructions
from igny8_core.business.billing.services.invoices.instructions import why_rejected
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput
from igny8_core.events.models import Event
from tests import make
from tests.billing.test_notifications import parts_of, the_mail
from tests.billing.test_payment_service import events_since, last_event

pytestmark = pytest.mark.django_db

reject = PaymentService.reject_manual_payment


@pytest.mark.parametrize(
    ("reason", "given", "code", "told"),
    [
        ("", {}, "not_found", "We did not find this payment on our bank or wallet statement."),
        ("It was 8.90.", {}, "other", "It was 8.90."),
        ("It was 8.90.", {"reason_code": "other"}, "other", "It was 8.90."),
        (
            "It was 8.90.",
            {"reason_code": "wrong_amount"},
            "wrong_amount",
            "The amount that we received is not the amount of the invoice. It was 8.90.",
        ),
        (
            "",
            {"reason_code": "already_used", "internal_note": "Looks like fraud"},
            "already_used",
            "This transfer has already been counted for another invoice.",
        ),
    ],
)
def test_a_rejection_has_a_code_and_the_words_that_its_customer_reads(
    reason: str, given: dict[str, str], code: str, told: str, olga: User
) -> None:
    payment = make.submitted_payment()

    reject(payment, reason, olga, **given)

    payment.refresh_from_db()
    assert (payment.reason_code, payment.failure_reason, why_rejected(payment)) == (code, told, told)
    assert payment.internal_note == given.get("internal_note", "")
    data = Event.objects.get(type="payment.rejected").data
    assert (data["reason_code"], data["reason"]) == (code, told)
    assert "fraud" not in str(data)


@pytest.mark.parametrize(("code", "field"), [("other", "reason"), ("nonsense", "reason_code")])
def test_a_rejection_that_says_nothing_to_the_customer_is_refused(code: str, field: str, olga: User) -> None:
    payment, last = make.submitted_payment(), last_event()

    with pytest.raises(InvalidInput) as refused:
        reject(payment, " ", olga, reason_code=code)

    assert [*(refused.value.errors or {})] == [field]
    payment.refresh_from_db()
    assert (payment.status, payment.reason_code) == ("pending_approval", "")
    assert events_since(last) == []


def test_every_ready_sentence_with_the_longest_words_fits_what_is_stored() -> None:
    column = Payment._meta.get_field("failure_reason").max_length
    assert max(len(code.told("x" * MAX_REASON)) for code in RejectionCode) <= column


def test_a_ready_sentence_is_shown_in_the_language_of_who_reads_it(olga: User, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = make.submitted_payment()
    reject(payment, "It was 8.90.", olga, reason_code="wrong_amount")
    words = {RejectionCode.WRONG_AMOUNT.sentence: "Der Betrag stimmt nicht."}

    monkeypatch.setattr(instructions, "_", words.get)

    payment.refresh_from_db()
    assert why_rejected(payment) == "Der Betrag stimmt nicht. It was 8.90."


def test_the_internal_note_of_a_rejection_is_not_mailed(olga: User) -> None:
    make.payment_method()
    payment = make.submitted_payment()
    PaymentService.reject_manual_payment(
        payment, "It was 8.90.", olga, reason_code="wrong_amount", internal_note="Looks like fraud"
    )

    sent = the_mail("payment.rejected")

    for part in parts_of(sent):
        assert "The amount that we received is not the amount of the invoice. It was 8.90." in " ".join(part.split())
        assert "fraud" not in part
