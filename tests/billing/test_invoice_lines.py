"""What an invoice sells: typed rows that are made together, never change, and add up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import ProtectedError

from igny8_core.auth.models import Account, Plan, User
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import CreditPackage, Invoice, InvoiceLine, LineKind
from igny8_core.business.billing.pricing import package_line, plan_line
from igny8_core.business.billing.selectors import all_invoices
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.errors import InvalidInput
from tests import make
from tests.api.world import fingerprint

CONSULTING = {"description": "Consulting", "quantity": 3, "amount": "44.50"}
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.django_db
def test_a_plan_is_sold_with_all_that_a_period_of_it_is() -> None:
    plan = make.plan("growth", price=Decimal("139"), included_credits=2000, max_sites=3, max_users=7)

    line = InvoiceLine.objects.get(invoice__subscription=make.subscription(plan_ordered=plan))

    assert (line.kind, line.plan, line.package, line.position) == (LineKind.PLAN, plan, None, 1)
    assert (line.unit_amount, line.line_total, line.quantity) == (139, 139, 1)
    assert (line.billing_cycle, line.credits, line.credits_rollover) == ("monthly", 2000, False)
    assert (line.max_sites, line.max_users) == (3, 7)
    assert (line.tax_rate, line.tax_category, line.tax_amount) == (0, "", 0)
    assert line.account_id == line.invoice.account_id


@pytest.mark.django_db
@pytest.mark.parametrize("valid_days", [None, 30])
def test_a_package_is_sold_with_its_credits_and_days(account_a: Account, valid_days: int | None) -> None:
    package = make.credit_package(valid_days=valid_days)

    invoice = make.invoice(account_a, line_items=[package_line(package)])

    line = InvoiceLine.objects.get(invoice=invoice)
    assert (line.kind, line.package, line.credits, line.valid_days) == ("credit_package", package, 2000, valid_days)
    assert Invoice.objects.get(pk=invoice.pk).line_items == invoice.line_items


@pytest.mark.django_db
@pytest.mark.parametrize(("currency", "amount"), [("USD", "44.50"), ("JPY", "45"), ("KWD", "44.505")])
def test_what_is_typed_in_a_shell_is_something_else_and_reads_as_it_was_typed(
    account_a: Account, currency: str, amount: str
) -> None:
    typed = [{**CONSULTING, "amount": amount}, {"description": "Extra", "amount": amount, "credits": 5}]

    invoice = InvoiceService.create_invoice(account_a, typed, currency=currency)

    assert {line.kind for line in invoice.lines.all()} == {LineKind.OTHER}
    expected = [typed[0], {"description": "Extra", "quantity": 1, "amount": amount, "credits": 5}]
    for read in (invoice, Invoice.objects.get(pk=invoice.pk)):
        assert read.line_items == expected
        assert [list(item) for item in read.line_items] == [list(item) for item in expected]


@pytest.mark.django_db
@pytest.mark.parametrize("named", ["row", "slug"])
def test_what_is_sold_is_named_by_its_row_or_in_a_shell_by_its_slug(account_a: Account, named: str) -> None:
    plan, package = make.plan("growth", included_credits=7), make.credit_package()
    by = (plan, package) if named == "row" else ("growth", "pro")
    lines = [
        {"description": "Growth", "amount": "9.00", "kind": "plan", "plan": by[0]},
        {"description": "Pro", "amount": "1.00", "kind": "credit_package", "package": by[1]},
    ]

    invoice = make.invoice(account_a, line_items=lines)

    assert [(line.plan, line.package) for line in invoice.lines.all()] == [(plan, None), (None, package)]
    # No credits are granted that the line does not name; limits are those of the plan.
    assert (invoice.lines.all()[0].credits, invoice.lines.all()[0].max_sites) == (0, plan.max_sites)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"kind": "plan"}, "say which plan it sells"),
        ({"kind": "plan_change"}, "say which plan it sells"),
        ({"kind": "unused_time"}, "say which plan it sells"),
        ({"kind": "plan", "plan": "gone"}, "say which plan it sells"),
        ({"kind": "plan", "plan": 1}, "say which plan it sells"),
        ({"kind": "plan", "plan": CreditPackage()}, "say which plan it sells"),
        ({"kind": "credit_package"}, "say which package it sells"),
        ({"kind": "credit_package", "package": "gone"}, "say which package it sells"),
        ({"plan": "starter"}, "sells no plan"),
        ({"package": "pro"}, "sells no package"),
        ({"kind": "plan", "plan": "starter", "package": "pro"}, "sells no package"),
        ({"kind": "gift"}, "not a kind of line"),
        ({"kind": "other", "colour": "red"}, "unknown names: colour"),
    ],
    ids=repr,
)
def test_a_line_that_sells_nothing_certain_is_refused_with_its_number(
    account_a: Account, line: dict[str, Any], expected: str
) -> None:
    before = fingerprint()

    with pytest.raises(InvalidInput, match=f"Line 2: .*{expected}"):
        make.invoice(account_a, line_items=[CONSULTING, {**CONSULTING, **line}])

    assert fingerprint() == before


# --- The database itself ------------------------------------------------------------------------------------------


def row(invoice: Invoice, **columns: Any) -> InvoiceLine:
    amount = columns.get("unit_amount", Decimal(5))
    values = {"position": 2, "description": "More", "unit_amount": amount, "line_total": amount, **columns}
    return InvoiceLine(invoice=invoice, account_id=invoice.account_id, **values)


CHANGE = {"kind": "plan_change", "plan": True, "billing_cycle": "annual", "credits": 1, "credits_rollover": False}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"position": 1}, "position_once"),
        ({"position": 0}, "counted"),
        ({"quantity": 0, "line_total": 0}, "counted"),
        ({"quantity": 2}, "adds_up"),
        ({"line_total": Decimal("5.01")}, "adds_up"),
        ({"unit_amount": Decimal(-5)}, "not_negative"),
        ({"kind": "gift"}, "kind_known|lines_plan"),
        ({"kind": "plan"}, "lines_plan|say_all"),
        ({"kind": "unused_time", "unit_amount": Decimal(-5)}, "lines_plan"),
        ({"kind": "credit_package"}, "lines_package"),
        ({"plan": True}, "lines_plan"),
        ({"package": True}, "lines_package"),
        ({"kind": "plan", "plan": True}, "of_plans_say_all"),
        (CHANGE, "of_changes_say_all"),
    ],
    ids=repr,
)
def test_a_row_that_says_nothing_true_is_refused_whoever_writes_it(
    account_a: Account, columns: dict[str, Any], constraint: str
) -> None:
    sold = {"plan": make.plan(), "package": make.credit_package()}
    columns = {name: sold[name] if value is True else value for name, value in columns.items()}
    invoice = make.invoice(account_a)

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        row(invoice, **columns).save(force_insert=True)


@pytest.mark.django_db
def test_a_line_belongs_to_the_account_of_its_invoice(account_a: Account, charlie: User) -> None:
    foreign = row(make.invoice(account_a))
    foreign.account_id = charlie.account_id or 0

    with pytest.raises(IntegrityError, match="same_account"), transaction.atomic():
        foreign.save(force_insert=True)


@pytest.mark.django_db
@pytest.mark.parametrize("status", ["draft", "pending", "paid", "void"])
@pytest.mark.parametrize(
    "change",
    [{"description": "X"}, {"quantity": 2, "line_total": 178}, {"credits": 9}, {"plan_id": None}, None],
    ids=str,
)
def test_a_line_is_never_changed_or_deleted(account_a: Account, status: str, change: dict[str, Any] | None) -> None:
    invoice = make.invoice(account_a)
    paid = {"paid_at": AT, "settled_amount": invoice.total} if status == "paid" else {}
    Invoice.objects.filter(pk=invoice.pk).update(status=status, **paid)
    before = list(InvoiceLine.objects.values())

    lines = InvoiceLine.objects.filter(invoice=invoice)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        lines._raw_delete("default") if change is None else lines.update(**change)

    assert list(InvoiceLine.objects.values()) == before


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("status", ["pending", "paid", "void", "uncollectible"])
def test_an_invoice_takes_no_line_after_those_that_it_was_made_with(status: str) -> None:
    invoice = make.invoice(make.owner().account)
    paid = {"paid_at": AT, "settled_amount": invoice.total} if status == "paid" else {}
    Invoice.objects.filter(pk=invoice.pk).update(status=status, **paid)

    with transaction.atomic():
        # Also where the transaction has changed the invoice itself.
        Invoice.objects.filter(pk=invoice.pk).update(notes="Changed now")
        with pytest.raises(IntegrityError, match="takes no more lines"), transaction.atomic():
            row(invoice).save(force_insert=True)

    assert InvoiceLine.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_draft_takes_more_lines() -> None:
    invoice = make.invoice(make.owner().account)
    Invoice.objects.filter(pk=invoice.pk).update(status="draft")

    row(invoice).save(force_insert=True)

    assert InvoiceLine.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_lines_of_one_transaction_come_one_by_one_and_behind_savepoints() -> None:
    tenant = make.owner().account
    with transaction.atomic():
        with transaction.atomic():
            invoice = make.invoice(tenant)
        for position in (2, 3):
            with transaction.atomic():
                row(invoice, position=position).save(force_insert=True)

    assert InvoiceLine.objects.count() == 3


# --- Reading, and what must always be true ------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_approved_invoice_has_the_same_lines_as_one_that_is_read(olga: User) -> None:
    """They come with the payment's lock, in the same statement."""
    invoice = PaymentService.approve_manual_payment(make.submitted_payment(), olga).invoice

    read = Invoice.objects.get(pk=invoice.pk)
    columns = [field.attname for field in InvoiceLine._meta.concrete_fields]
    for ours, theirs in zip(invoice.lines.all(), read.lines.all(), strict=True):
        assert [getattr(ours, name) for name in columns] == [getattr(theirs, name) for name in columns]
    assert invoice.line_items == read.line_items


@pytest.mark.django_db
def test_the_lines_of_a_list_are_read_together(account_a: Account, statements: list[str]) -> None:
    for _ in range(5):
        make.invoice(account_a, line_items=[plan_line(make.plan()), CONSULTING])
    statements.clear()

    items = [invoice.line_items for invoice in all_invoices().prefetch_related("lines")]

    assert [len(each) for each in items] == [2] * 5
    assert items[0][0]["plan"] == "starter"
    assert len(statements) == 2


@pytest.mark.django_db
@pytest.mark.parametrize("has_lines", [True, False])
def test_an_invoice_whose_lines_do_not_add_up_is_found(account_a: Account, has_lines: bool) -> None:
    invoice = make.invoice(account_a)
    if has_lines:
        row(invoice, unit_amount=Decimal("0.01")).save(force_insert=True)
    else:
        copied = {
            name: getattr(invoice, name) for name in ("currency", "subtotal", "total", "invoice_date", "due_date")
        }
        Invoice.objects.create(account=account_a, invoice_number="INV-1-202603-0009", **copied)

    assert 20 in {result.number for result in broken_invariants()}


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Plan, CreditPackage])
@pytest.mark.parametrize("is_paid", [False, True])
def test_what_an_invoice_sells_cannot_be_deleted_in_a_shell(
    account_a: Account, olga: User, model: Any, is_paid: bool
) -> None:
    sold: Any = make.plan("growth") if model is Plan else make.credit_package()
    invoice = make.invoice(account_a, line_items=[plan_line(sold) if model is Plan else package_line(sold)])
    if is_paid:
        PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)

    with pytest.raises(ProtectedError):
        sold.delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=sold.pk)._raw_delete("default")
