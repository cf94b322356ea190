"""Invoices in the console: written by hand, sent and voided several at once, credited, corrected, and their PDFs."""

import csv
import re
from base64 import b64decode
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from fake_gateways.stripe_fake import FakeStripe
from igny8_core.auth.models import Account, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditNote, Invoice, Payment
from igny8_core.business.billing.pricing import MAX_LINES
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common import clock
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

LIST, DECIDE, ADD = (reverse(f"admin:billing_invoice_{page}") for page in ("changelist", "decide", "add"))
BUYER = {
    "name": "Right GmbH", "email": "books@right.example", "address_line1": "Allee 1", "address_line2": "",
    "postal_code": "10115", "city": "Berlin", "state": "", "country": "DE", "tax_id": "DE123",
    "reason": "Wrong company", "send": "on", "_form_submitted": "True",
}  # fmt: skip


def form(account: Account, *lines: tuple[str, str, str], **fields: str) -> dict[str, Any]:
    columns = zip(*lines, strict=True)
    names = ("description", "quantity", "amount")
    due = (clock.today() + timedelta(days=14)).isoformat()
    return {
        "account": account.pk, "key": str(uuid4()), "due_date": due, "purchase_order_number": "", "notes": "",
        **dict(zip(names, map(list, columns), strict=True)), **fields,
    }  # fmt: skip


def page(invoice: Invoice, action: str = "change") -> str:
    return reverse(f"admin:billing_invoice_{action}", args=[invoice.pk])


def press(browser: Client, invoice: Invoice, button: str, **fields: str) -> HttpResponse:
    sent = {"_form_submitted": "True", **fields}
    return browser.post(f"/admin/billing/invoice/{invoice.pk}/{button}/", sent, follow=True)


def text(answer: Any) -> str:
    return answer.content.decode()


def paid() -> Invoice:
    payment = make.submitted_payment(make.subscription().invoices.get())
    PaymentService.approve_manual_payment(payment, make.operator())
    return Invoice.objects.get(pk=payment.invoice_id)


def test_an_invoice_is_written_once_and_paid_for_its_lines_alone(console: Client, olga: User) -> None:
    make.payment_method()
    account: Any = make.owner({"name": "Al Noor", "billing_country": "PK"}).account
    sent = form(
        account, ("Set-up", "2", "120.50"), ("", "1", ""), ("Training", "1", "80"),
        purchase_order_number="PO-7", notes="Thank you", send="on",
    )  # fmt: skip

    first, second = (console.post(ADD, sent) for _ in range(2))

    invoice = Invoice.objects.get()
    assert first["Location"] == second["Location"] == page(invoice)
    assert [line["description"] for line in invoice.line_items] == ["Set-up", "Training"]
    assert (f"{invoice.total:.2f}", invoice.currency, invoice.purchase_order_number) == ("321.00", "USD", "PO-7")
    assert [offer.payment_method for offer in invoice.offers.all()] == ["bank_transfer"]
    assert "send" not in Event.objects.get(type="invoice.created").data
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)
    account.refresh_from_db()
    assert (Invoice.objects.get().status, account.credits) == ("paid", 0)
    assert broken_invariants() == []


def test_what_is_wrong_is_said_with_its_line_and_all_that_was_typed_stays(console: Client) -> None:
    yen = make.owner({"plan": make.plan("yen", currency="JPY", price=13900), "name": "Tokyo"}).account
    assert yen

    wrong = console.post(ADD, form(yen, ("Set-up", "1", "100"), ("Hours", "0", "139.50"), notes="Thanks"))
    decimals = console.post(ADD, form(yen, ("Hours", "1", "139.50")))
    late = console.post(ADD, form(yen, ("Hours", "1", "139"), due_date="2020-01-01"))
    none = console.post(ADD, form(yen, ("", "1", "")))

    assert {answer.status_code for answer in (wrong, decimals, late, none)} == {400}
    assert "Line 2, quantity:" in text(wrong)
    assert 'value="139.50"' in text(wrong)
    assert "Thanks" in text(wrong)
    assert "Line 1: JPY has 0 decimals. Write the amount like &quot;89&quot;." in text(decimals)
    assert "Expected a date from" in text(late)
    assert 'role="alert"' in text(none)
    assert not Invoice.objects.exists()


def test_who_may_not_write_invoices_finds_no_page_and_nobody_writes_their_own(client: Client) -> None:
    account: Any = make.owner().account
    sent = form(account, ("Hours", "1", "10"))
    for permissions in (["billing.view_invoice"], ["billing.add_invoice", "billing.view_invoice"]):
        client.force_login(operator_with(*permissions))
        assert client.get(ADD).status_code == client.post(ADD, sent).status_code == 403
    may = ("billing.add_invoice", "billing.view_invoice", "igny8_auth.view_account")
    client.force_login(operator_with(*may, account=account, role="admin"))
    assert client.post(ADD, sent).status_code == 400
    client.force_login(operator_with(*may))
    assert client.get(ADD).status_code == client.get(ADD, {"account": account.pk}).status_code == 200
    assert client.get(ADD, {"account": "x"}).status_code == 200
    assert client.post(ADD, sent).status_code == 302


def go(browser: Client, action: str, invoices: list[Invoice]) -> Any:
    selected = [str(invoice.pk) for invoice in invoices]
    return browser.post(f"{LIST}?o=1", {"action": action, "_selected_action": selected, "index": "0"})


def saved(report: Any) -> list[dict[str, str]]:
    """The file that stands in the page of a report."""
    [file] = re.findall(
        r'href="data:text/csv;charset=utf-8;base64,([^"]*)" download="decided-invoices.csv"', text(report)
    )
    return list(csv.DictReader(StringIO(b64decode(file).decode())))


def test_several_are_voided_after_a_page_that_says_what_will_happen(console: Client) -> None:
    first, second, gone = (make.invoice() for _ in range(3))
    euros = make.invoice(currency="EUR")
    claimed = make.submitted_payment().invoice
    InvoiceService.mark_void(gone, "Twice")
    Account.objects.filter(pk=gone.account_id).update(name="=cmd()")

    between = go(console, "void_selected", [first, second, gone, euros, claimed])
    sent = {"decision": "void", "invoices": between.context["selected"], "filters": "o=1"}
    empty = console.post(DECIDE, {**sent, "reason": ""})
    report = console.post(DECIDE, {**sent, "reason": "Ordered twice"})

    assert (between.context["count"], between.context["sums"]) == (3, ["89.00 EUR", "178.00 USD"])
    assert {row.invoice.pk for row in between.context["rows"][:2]} == {gone.pk, claimed.pk}
    assert "It is void: only unpaid invoices can be voided." in text(between)
    assert (empty.status_code, "Write why they are voided." in text(empty)) == (400, True)
    assert (report.context["done"], report.context["refused"]) == (3, 2)
    assert f'href="{LIST}?o=1"' in text(report)
    rows = {row["invoice"]: row for row in saved(report)}
    assert (rows[first.invoice_number]["result"], rows[first.invoice_number]["amount"]) == ("done", "89.00")
    assert (rows[gone.invoice_number]["result"], rows[gone.invoice_number]["customer"]) == ("refused", "'=cmd()")
    assert "cannot become void" in rows[gone.invoice_number]["what happened"]
    first.refresh_from_db()
    assert (first.status, first.void_reason) == ("void", "Ordered twice")
    assert Invoice.objects.get(pk=claimed.pk).status == "pending"


def test_several_are_sent_and_who_cannot_be_reached_is_named(console: Client) -> None:
    good, gone = make.invoice(make.owner().account), make.invoice()
    unreachable = make.invoice(make.account())
    InvoiceService.mark_void(gone, "Twice")

    between = go(console, "send_selected", [good, gone, unreachable])
    report = console.post(DECIDE, {"decision": "send", "invoices": between.context["selected"]})

    assert "The account has no confirmed e-mail address." in text(between)
    assert (report.context["done"], report.context["refused"]) == (1, 2)
    assert [event.object_id for event in Event.objects.filter(type="invoice.sent")] == [str(good.pk)]


def test_each_decision_needs_its_permission(client: Client) -> None:
    invoice = make.invoice()
    for decision, permission in (("void", "billing.void_invoice"), ("send", "billing.change_invoice")):
        sent = {"decision": decision, "invoices": str(invoice.pk), "reason": "Twice"}
        client.force_login(operator_with("billing.view_invoice"))
        assert client.post(DECIDE, sent).status_code == client.get(DECIDE).status_code == 403
        client.force_login(operator_with("billing.view_invoice", permission))
        assert client.post(DECIDE, {**sent, "invoices": "1,x"}).status_code == 400
        assert client.post(DECIDE, sent).status_code == 200
    assert Invoice.objects.get().status == "void"


def test_an_unpaid_invoice_is_credited_as_a_whole_and_a_paid_one_by_what_goes_back(console: Client) -> None:
    open_one, settled = make.invoice(), paid()

    said = text(press(console, open_one, "credit", reason="Ordered by mistake"))
    over = text(press(console, settled, "credit", amount="89.01", reason="Goodwill", reference=""))
    back = text(press(console, settled, "credit", amount="9.00", reason="Goodwill", reference="T-1", left="89.00"))

    note = CreditNote.objects.get(invoice=open_one)
    assert f"Credit note {note} over 89.00 USD was written." in said
    assert "Only 89.00 USD is left of this invoice." in over
    assert "over 9.00 USD was written" in back
    assert Payment.objects.get(invoice=settled).status == "partially_refunded"
    assert broken_invariants() == []


def test_the_buyer_is_corrected_by_one_button_and_both_invoices_lead_to_each_other(console: Client) -> None:
    wrong = paid()

    shown = text(press(console, wrong, "correct", **BUYER))

    new = Invoice.objects.get(replaces=wrong)
    assert f"Invoice {new} corrects {wrong}." in shown
    assert (new.status, new.metadata["billing_snapshot"]["name"]) == ("paid", "Right GmbH")
    assert new.account.name != "Right GmbH"
    assert f'href="{page(wrong)}"' in text(console.get(page(new)))
    assert f'href="{page(new)}"' in text(console.get(page(wrong)))
    refused = text(press(console, wrong, "correct", **BUYER))
    assert f"This invoice was corrected by {new}." in refused
    bad = text(press(console, new, "correct", **{**BUYER, "email": "nobody", "country": "XX"}))
    assert Invoice.objects.filter(replaces=new).exists() is False, bad


def test_pdf_and_its_picture_are_shown_to_who_may_see_the_row(console: Client, client: Client) -> None:
    invoice = make.invoice()
    press(console, invoice, "credit", reason="Ordered by mistake")
    note = CreditNote.objects.get()

    for row, name in ((invoice, "invoice"), (note, "creditnote")):
        pdf = console.get(reverse(f"admin:billing_{name}_pdf", args=[row.pk]))
        picture = console.get(reverse(f"admin:billing_{name}_picture", args=[row.pk]))
        assert (pdf["Content-Type"], pdf["Content-Disposition"]) == (
            "application/pdf",
            f'attachment; filename="{row}.pdf"',
        )
        assert picture.content.startswith(b"\xff\xd8")
        assert f"/admin/billing/{name}/{row.pk}/picture/" in text(
            console.get(reverse(f"admin:billing_{name}_change", args=[row.pk]))
        )
    client.force_login(operator_with("billing.view_payment"))
    assert client.get(page(invoice, "pdf")).status_code == 403


def test_money_goes_back_by_who_may_refund_alone(client: Client) -> None:
    settled, open_one = paid(), make.invoice()
    client.force_login(operator_with("billing.view_invoice", "billing.correct_invoice"))
    sent = {"reason": "Goodwill", "amount": "9.00", "reference": ""}

    assert f"/{settled.pk}/credit/" not in text(client.get(page(settled)))
    assert press(client, settled, "credit", **sent).status_code == 403
    assert press(client, open_one, "credit", **sent).status_code == 200
    assert [note.invoice for note in CreditNote.objects.all()] == [open_one]
    client.force_login(operator_with("billing.view_invoice"))
    assert press(client, settled, "correct", **BUYER).status_code == 403


def test_as_many_lines_as_are_promised_can_be_sent(console: Client) -> None:
    """A browser sends three fields for each line, also those of lines that stayed empty."""
    account = make.account()
    lines = [(f"Hour {number}", "1", "1.00") for number in range(MAX_LINES)]

    made = console.post(ADD, form(account, *lines, ("", "1", ""), ("", "1", ""), ("", "1", "")))
    too_many = console.post(ADD, form(account, *lines, ("One more", "1", "1.00")))

    assert made.status_code == 302
    assert Invoice.objects.get(account=account).total == MAX_LINES
    assert too_many.status_code == 400
    assert "lines" in text(too_many)


def test_a_form_that_made_its_invoice_says_so_when_something_else_is_sent_with_it(console: Client) -> None:
    """Going back in the browser shows the form again, filled in: what is changed there makes no second invoice."""
    account = make.account()
    sent = form(account, ("Work", "1", "10.00"))

    first = console.post(ADD, sent)
    again = console.post(ADD, sent)
    changed = console.post(ADD, {**sent, "amount": ["25.00"]})

    invoice = Invoice.objects.get(account=account)
    assert (first["Location"], again["Location"]) == (page(invoice), page(invoice))
    assert changed.status_code == 400
    assert f"This form has made invoice {invoice} already" in text(changed)
    assert (invoice.total, invoice.lines.count()) == (10, 1)


def test_prices_that_were_written_in_another_currency_are_not_invoiced(console: Client) -> None:
    """The account's plan can be changed to one of another currency while somebody writes."""
    account = make.account()
    opened = console.get(f"{ADD}?account={account.pk}")
    assert 'name="currency" value="USD"' in text(opened)
    Account.objects.filter(pk=account.pk).update(plan=make.plan("europe", currency="EUR"))

    refused = console.post(ADD, form(account, ("Work", "1", "10.00"), currency="USD"))

    assert refused.status_code == 400
    assert "written in USD, and the account is invoiced in EUR by now" in text(refused)
    assert 'name="currency" value="EUR"' in text(refused)
    assert not Invoice.objects.exists()


def test_a_credit_note_that_is_ordered_twice_gives_its_part_back_once(console: Client) -> None:
    invoice = paid()
    opened = console.get(f"/admin/billing/invoice/{invoice.pk}/credit/").context["form"]
    said = {"amount": "9.00", "reason": "Goodwill", "reference": "", "left": opened["left"].value()}

    press(console, invoice, "credit", **said)
    again = press(console, invoice, "credit", **said)

    assert "was left of this payment; now it is 80.00 USD." in text(again)
    assert CreditNote.objects.filter(invoice=invoice).count() == 1


def test_an_invoice_that_is_paid_while_its_dialog_is_open_gives_no_money_back(console: Client) -> None:
    """The dialog of an unpaid invoice asks for a reason alone; taken for one of a paid invoice, all would go back."""
    payment = make.submitted_payment(make.subscription().invoices.get())
    assert "amount" not in console.get(f"/admin/billing/invoice/{payment.invoice_id}/credit/").context["form"].fields
    PaymentService.approve_manual_payment(payment, make.operator())

    said = text(press(console, payment.invoice, "credit", reason="Never paid"))

    assert "was paid after you opened the dialog. Nothing was credited" in said
    assert Payment.objects.get().status == "succeeded"
    assert not CreditNote.objects.exists()


def test_a_page_of_results_that_is_loaded_again_sends_nothing_again(console: Client) -> None:
    sent = {"decision": "send", "invoices": str(make.invoice().pk)}

    once, again = (console.post(DECIDE, sent).context["done"] for _ in range(2))

    assert (once, again) == (1, 0)
    assert Event.objects.filter(type="invoice.sent").count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_invoice_with_a_form_open_at_a_gateway_can_be_voided_with_others(
    console: Client, stripe: FakeStripe
) -> None:
    """Voiding closes the attempt, so it does not stand in the way of the page before."""
    make.payment_method(payment_method="stripe")
    open_one, other = (make.subscription().invoices.get() for _ in range(2))
    PaymentService.create_stripe_payment(open_one)
    selected = [str(invoice.pk) for invoice in (open_one, other)]

    asked = console.post(LIST, {"action": "void_selected", "_selected_action": selected, "index": "0"})
    done = console.post(DECIDE, {"decision": "void", "invoices": ",".join(selected), "reason": "Sent twice"})

    assert (asked.status_code, asked.context["count"], asked.context["refused"]) == (200, 2, 0)
    assert (done.status_code, done.context["done"]) == (200, 2)
    assert {invoice.status for invoice in Invoice.objects.all()} == {"void"}
