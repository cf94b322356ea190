"""Credit notes without a refund, and invoices whose buyer was wrong: the old one stays, the new one corrects it."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import InvoiceNotCreditable, InvoiceNotSendable
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import Allocation, CreditGrant, CreditNote, Invoice, Payment, Renewal
from igny8_core.business.billing.services.dunning.pauses import extend_deadline
from igny8_core.business.billing.services.invoices.corrections import (
    correct_buyer,
    credit_unpaid,
    left_to_credit,
    payment_behind,
)
from igny8_core.business.billing.services.invoices.lifecycle import billing_snapshot, create_invoice, send_again
from igny8_core.business.billing.services.invoices.pdf import render_credit_note
from igny8_core.business.billing.services.notifications import mails
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make

pytestmark = pytest.mark.django_db


def buyer_of(invoice: Invoice, **changes: str) -> dict[str, str]:
    return {**billing_snapshot(invoice.account), "name": "Right GmbH", "country": "DE", **changes}


def ordered() -> Invoice:
    return make.subscription().invoices.get()


def paid() -> Invoice:
    payment = make.submitted_payment(ordered())
    PaymentService.approve_manual_payment(payment, make.operator())
    return Invoice.objects.get(pk=payment.invoice_id)


def test_unpaid_invoice_is_taken_back_by_a_credit_note_over_all_of_it(olga: User) -> None:
    invoice = ordered()

    note = credit_unpaid(invoice, "Ordered by mistake", olga)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.void_reason) == ("void", f"Credit note {note}")
    assert (note.amount, note.payment, note.created_by) == (invoice.total, None, olga)
    assert re.fullmatch(rf"CN-{invoice.account_id}-\d{{6}}-0001", note.credit_note_number)
    assert render_credit_note(note).startswith(b"%PDF")
    assert left_to_credit(invoice) == 0
    with pytest.raises(InvoiceNotCreditable, match="void"):
        credit_unpaid(invoice, "Again", olga)
    assert broken_invariants() == []


def test_unpaid_invoice_with_another_buyer_sells_the_same_in_its_place(olga: User) -> None:
    invoice = ordered()

    new = correct_buyer(invoice, buyer_of(invoice), "Wrong company", olga)

    invoice.refresh_from_db()
    assert (invoice.status, invoice.replaced_by, new.replaces) == ("void", new, invoice)
    assert invoice.metadata["billing_snapshot"]["name"] != "Right GmbH"
    assert (new.metadata["billing_snapshot"]["name"], new.status) == ("Right GmbH", "pending")
    assert new.line_items == invoice.line_items
    payment = make.submitted_payment(new)
    PaymentService.approve_manual_payment(payment, olga)
    new.account.refresh_from_db()
    assert (new.account.status, new.account.credits) == ("active", 1000)
    assert broken_invariants() == []


def test_renewal_is_paid_by_the_invoice_that_corrects_its_own(olga: User) -> None:
    renewal: Any = make.renewal()
    wrong = renewal.invoice

    new = correct_buyer(wrong, buyer_of(wrong), "Wrong company", olga)

    assert Renewal.objects.get(pk=renewal.pk).invoice == new
    assert (new.subscription, new.line_items) == (renewal.subscription, wrong.line_items)


def test_a_later_deadline_holds_for_the_invoice_that_corrects(olga: User) -> None:
    wrong = make.renewal().invoice
    until = wrong.due_date + timedelta(days=30)
    extend_deadline(wrong, until, "Asked for time", olga)

    new = correct_buyer(wrong, buyer_of(wrong), "Wrong company", olga)

    assert [(pause.until, pause.ended_at) for pause in new.dunning_pauses.all()] == [(until, None)]


def test_paid_invoice_is_credited_and_the_new_one_is_settled_by_the_note_and_grants_nothing(olga: User) -> None:
    invoice = paid()
    credits = invoice.account.credits

    new = correct_buyer(invoice, buyer_of(invoice), "Wrong company", olga)

    note = CreditNote.objects.get(invoice=invoice)
    invoice.refresh_from_db()
    new.refresh_from_db()
    assert (invoice.status, new.status, new.settled_amount) == ("paid", "paid", invoice.total)
    assert (note.amount, note.payment_id) == (invoice.total, None)
    assert Allocation.objects.get(invoice=new).credit_note == note
    assert [line.kind for line in new.lines.all()] == ["other"]
    assert (CreditGrant.objects.filter(account=new.account).count(), new.account.credits) == (1, credits)
    assert payment_behind(new) == payment_behind(invoice)
    with pytest.raises(InvoiceNotCreditable, match=new.invoice_number):
        correct_buyer(invoice, buyer_of(invoice), "Twice", olga)
    again = correct_buyer(new, buyer_of(new, name="Righter GmbH"), "Typo", olga)
    assert again.status == "paid"
    assert broken_invariants() == []


def test_money_of_a_corrected_invoice_goes_back_on_the_one_that_holds(olga: User) -> None:
    invoice = paid()
    new = correct_buyer(invoice, buyer_of(invoice), "Wrong company", olga)
    payment = payment_behind(new)
    assert payment

    note = PaymentService.process_refund(payment, Decimal("10.00"), reason="Goodwill", refunded_by=olga)

    assert (note.invoice, left_to_credit(new)) == (new, new.total - 10)
    assert broken_invariants() == []
    with pytest.raises(InvoiceNotCreditable, match="went back"):
        correct_buyer(new, buyer_of(new), "Late", olga)


def test_the_database_takes_one_correction_and_one_invoice_of_a_form(olga: User) -> None:
    invoice = ordered()
    new = correct_buyer(invoice, buyer_of(invoice), "Wrong company", olga)
    other = create_invoice(invoice.account, [{"description": "Hours", "quantity": 2, "amount": "10.00"}])

    with pytest.raises(IntegrityError, match="igny8_invoices_replaced_once"), transaction.atomic():
        Invoice.objects.filter(pk=other.pk).update(replaces=new.replaces)
    key = make.uuid.uuid4()
    first, second = (
        create_invoice(invoice.account, [{"description": "Hours", "amount": "10.00"}], request_key=key)
        for _ in range(2)
    )
    assert first == second
    with pytest.raises(IntegrityError, match="igny8_invoices_once_per_form"), transaction.atomic():
        Invoice.objects.filter(pk=other.pk).update(request_key=key)


def test_what_was_voided_is_not_sent_again(olga: User) -> None:
    invoice = ordered()
    send_again(invoice, olga)
    credit_unpaid(invoice, "Ordered by mistake", olga)

    with pytest.raises(InvoiceNotSendable, match="It is void"):
        send_again(invoice, olga)


def test_an_invoice_that_was_corrected_before_it_was_paid_has_its_payment_behind_it(olga: User) -> None:
    """Corrected, paid, and corrected again: the money came for the one in the middle."""
    first = ordered()
    second = correct_buyer(first, buyer_of(first), "Wrong company", olga)
    payment = PaymentService.approve_manual_payment(make.submitted_payment(second), make.operator()).payment
    second.refresh_from_db()
    assert payment_behind(second) == payment

    third = correct_buyer(second, buyer_of(second, name="Right AG"), "Wrong form", olga)
    note = PaymentService.process_refund(payment, Decimal("9.00"), refunded_by=olga)

    assert (payment_behind(third), note.invoice) == (payment, third)
    assert left_to_credit(third) == third.total - 9


@pytest.mark.parametrize("status", ["disputed", "refunded"])
def test_what_was_paid_after_a_correction_and_is_disputed_stays_as_it_is(olga: User, status: str) -> None:
    first = ordered()
    second = correct_buyer(first, buyer_of(first), "Wrong company", olga)
    PaymentService.approve_manual_payment(make.submitted_payment(second), make.operator())
    Payment.objects.filter(invoice=second).update(status=status)

    with pytest.raises(InvoiceNotCreditable):
        correct_buyer(second, buyer_of(second, name="Right AG"), "Wrong form", olga)


def credited_mails() -> list[EmailMessage]:
    """What the customers get for the credit notes so far, each of which no money moved for."""
    mail.outbox.clear()
    for event in Event.objects.filter(type="invoice.credited").order_by("pk"):
        mails.handle(event)
    return list(mail.outbox)


def test_the_customer_gets_the_credit_note_of_an_unpaid_invoice_and_reads_that_nothing_is_owed(olga: User) -> None:
    note = credit_unpaid(ordered(), "Ordered by mistake", olga)

    [sent] = credited_mails()

    assert sent.subject == f"Credit note {note} for invoice {note.invoice}"
    assert f"You do not have to pay invoice {note.invoice} any more." in " ".join(sent.body.split())
    assert "Reason: Ordered by mistake" in sent.body
    assert [attached[0] for attached in sent.attachments] == [f"{note}.pdf"]


def test_the_credit_note_of_a_correction_names_the_invoice_that_holds_and_goes_with_it(olga: User) -> None:
    invoice, quiet = paid(), paid()
    new = correct_buyer(invoice, buyer_of(invoice), "Wrong company", olga)
    correct_buyer(quiet, buyer_of(quiet), "Wrong company", olga, send=False)

    [sent] = credited_mails()

    assert f"Invoice {invoice} was corrected. Invoice {new} takes its place" in " ".join(sent.body.split())
