"""Every transition of a payment's status has one owner. The tests read the source, so nothing else can make one."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import igny8_core
from igny8_core.business.billing.models import PAYMENT_TRANSITIONS, PaymentStatus
from igny8_core.business.billing.services import settlement
from igny8_core.business.billing.services.payment_states import transitions
from igny8_core.business.billing.services.payment_states.transitions import TRANSITION_OWNERS

ROOT = Path(igny8_core.__file__).parent
OWNERS = ROOT / "business/billing/services/payment_states/transitions.py"
# Rows of samples, in transactions that are rolled back.
SAMPLES = ROOT / "admin/mail_previews/samples.py"
SOURCES = [path for path in sorted(ROOT.rglob("*.py")) if "migrations" not in path.relative_to(ROOT).parts]
# No part of the product withdraws a confirmation yet.
WITHOUT_OWNER = {(PaymentStatus.PENDING_APPROVAL, PaymentStatus.CANCELED)}
WRITES = {"create", "update", "bulk_create", "bulk_update", "get_or_create", "update_or_create"}


def writes(source: str) -> Iterator[str]:
    """Each place in a module that writes a payment's status, as `line: what`."""
    for node in ast.walk(ast.parse(source)):
        if what := _written(node):
            yield f"{node.lineno}: {what}"  # type: ignore[attr-defined]


def _written(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Name(id="transition") | ast.Attribute(attr="transition"), args=arguments):
            said = [ast.unparse(each) for each in arguments]
            return (
                "transition" if any(each == "PAYMENT_TRANSITIONS" or each.endswith("payment") for each in said) else ""
            )
        case ast.Call(func=ast.Attribute(attr=name, value=rows), keywords=keywords) if name in WRITES:
            return name if _is_of_payments(name, ast.unparse(rows), " ".join(map(ast.unparse, keywords))) else ""
        case ast.Assign(targets=targets):
            return "assignment" if any(ast.unparse(each).endswith("payment.status") for each in targets) else ""
        case ast.Constant(value=str(text)):
            return "SQL" if re.search(r"(UPDATE|INTO) igny8_payments\b", text) else ""
    return ""


def _is_of_payments(name: str, rows: str, columns: str) -> bool:
    is_payments = "Payment.objects" in rows or "payments" in rows
    return "PaymentStatus." in columns or (is_payments and ("status" in columns or "create" in name))


def calls_of(name: str, path: Path) -> int:
    tree = ast.parse(path.read_text())
    return sum(isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name) for node in ast.walk(tree))


def test_nobody_but_the_owners_writes_a_payments_status() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{written}"
        for path in SOURCES
        if path not in (OWNERS, SAMPLES)
        for written in writes(path.read_text())
    ]

    assert found == []


def test_the_owners_write_in_one_place_each() -> None:
    assert [written.partition(": ")[2] for written in writes(OWNERS.read_text())] == ["create", "transition"]


@pytest.mark.parametrize(
    "source",
    [
        "transition(payment, PaymentStatus.FAILED, PAYMENT_TRANSITIONS)",
        "states.transition(self.payment, to, moves)",
        "transition(row, PaymentStatus.SUCCEEDED, PAYMENT_TRANSITIONS, processed_at=now)",
        "Payment.objects.filter(pk=1).update(status='succeeded')",
        "Payment.objects.create(account=account, status=PaymentStatus.SUCCEEDED)",
        "invoice.payments.update(status=done)",
        "account.payments.create(amount=1)",
        "rows.update(status=PaymentStatus.REFUNDED)",
        "payment.status = PaymentStatus.SUCCEEDED",
        "refund.payment.status = done",
        "SQL = \"UPDATE igny8_payments SET status = 'succeeded'\"",
    ],
)
def test_every_other_write_would_be_noticed(source: str) -> None:
    assert list(writes(source)) != []


def test_what_only_reads_or_writes_something_else_is_no_transition() -> None:
    source = """
transition(invoice, InvoiceStatus.VOID, INVOICE_TRANSITIONS)
transition(refund, RefundStatus.FAILED, REFUND_TRANSITIONS)
Payment.objects.filter(status=PaymentStatus.PENDING).exists()
closed.update(next_check_at=None)
is_open = payment.status == PaymentStatus.PENDING
"""

    assert list(writes(source)) == []


def test_each_allowed_transition_has_one_owner_that_exists() -> None:
    allowed = {(before, after) for before, targets in PAYMENT_TRANSITIONS.items() for after in targets}
    owned = {(before, after) for before, after in TRANSITION_OWNERS if before is not None}

    assert owned == allowed - WITHOUT_OWNER
    assert all(callable(getattr(transitions, owner)) for owner in TRANSITION_OWNERS.values())


@pytest.mark.parametrize("owner", sorted(set(TRANSITION_OWNERS.values()) - {"submit", "start"}))
def test_an_owner_makes_transitions_in_its_own_name(owner: str) -> None:
    [function] = [
        node for node in ast.parse(OWNERS.read_text()).body if isinstance(node, ast.FunctionDef) and node.name == owner
    ]
    called = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    made = [call for call in called if ast.unparse(call.func) == "_transition"]

    assert [ast.literal_eval(call.args[0]) for call in made] == [owner]


def test_money_arrives_in_one_place() -> None:
    callers = {path for path in SOURCES if calls_of("succeed", path)}

    assert callers == {Path(settlement.__file__)}
