"""An invoice's lines: the rows made from what is ordered, and how documents print them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, Plan
from igny8_core.business.billing.models import PLAN_LINES, CreditPackage, Invoice, InvoiceLine, LineKind
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import plain_amount_text

PLAN_KINDS = frozenset({*PLAN_LINES, LineKind.UNUSED_TIME})
# Columns that `line_items` can set directly.
LINE_COLUMNS = (
    *("description", "quantity", "credits", "valid_days", "period_start", "period_end"),
    *("billing_cycle", "credits_rollover", "max_sites", "max_users"),
    *("period_price", "period_credits", "restarts_period"),
)


def unsaved_lines(account: Account, line_items: Sequence[dict[str, Any]]) -> list[InvoiceLine]:
    """Unsaved rows for `line_items` that pricing.checked_lines has checked; their invoice is not set yet.

    `plan` and `package` are rows, or in a shell their current slugs. A line without `kind` has the kind "other".
    Raises InvalidInput naming the line.
    """
    return [_unsaved(account, line, number) for number, line in enumerate(line_items, start=1)]


def _unsaved(account: Account, line: dict[str, Any], number: int) -> InvoiceLine:
    unknown = line.keys() - {*LINE_COLUMNS, "amount", "kind", "plan", "package"}
    if unknown:
        raise InvalidInput(
            _("Line %(number)s: unknown names: %(known)s. Remove or correct them.")
            % {"number": number, "known": ", ".join(sorted(unknown))}
        )
    kind, unit_amount = LineKind(line.get("kind", LineKind.OTHER)), Decimal(line["amount"])
    plan = _sold_row(Plan, line, "plan", number, is_needed=kind in PLAN_KINDS)
    package = _sold_row(CreditPackage, line, "package", number, is_needed=kind == LineKind.CREDIT_PACKAGE)
    said = {name: line[name] for name in LINE_COLUMNS if name in line}
    if plan and kind in PLAN_LINES:
        said = _plan_defaults(plan, kind, unit_amount) | said
    row = InvoiceLine(
        account=account,
        position=number,
        kind=kind,
        unit_amount=unit_amount,
        line_total=line["quantity"] * unit_amount,
        plan=plan,
        package=package,
        **said,
    )
    row.plan_slug, row.package_slug = plan and plan.slug, package and package.slug
    return row


def _sold_row(model: Any, line: dict[str, Any], name: str, number: int, *, is_needed: bool) -> Any:
    named = line.get(name)
    if not is_needed:
        if named is not None:
            raise InvalidInput(
                _("Line %(number)s: a line of this kind sells no %(name)s. Remove `%(name)s`.")
                % {"number": number, "name": name}
            )
        return None
    found = model.objects.filter(slug=named).first() if isinstance(named, str) else named
    if not isinstance(found, model):
        raise InvalidInput(
            _("Line %(number)s: say which %(name)s it sells. Add `%(name)s`: the %(name)s or its slug.")
            % {"number": number, "name": name}
        )
    return found


def _plan_defaults(plan: Plan, kind: LineKind, unit_amount: Decimal) -> dict[str, Any]:
    """The columns of a line that sells a plan, as the plan is now; `line_items` can override them."""
    terms = plan.terms
    of_period = {
        "billing_cycle": terms.billing_cycle,
        "credits": 0,
        "credits_rollover": terms.credits_rollover,
        "max_sites": terms.max_sites,
        "max_users": terms.max_users,
    }
    of_change = {"period_price": unit_amount, "period_credits": terms.credits, "restarts_period": False}
    return of_period | of_change if kind == LineKind.PLAN_CHANGE else of_period


def printed_lines(invoice: Invoice) -> list[dict[str, Any]]:
    """The lines as the PDF and the payment page print them, with amounts in the invoice's currency as text."""
    return [_printed(line, invoice.currency) for line in invoice.line_items]


def _printed(line: dict[str, Any], currency: str) -> dict[str, Any]:
    unit_price = Decimal(line["amount"])
    return {
        "description": line["description"],
        "quantity": line["quantity"],
        "unit_price": plain_amount_text(unit_price, currency),
        "amount": plain_amount_text(unit_price * line["quantity"], currency),
    }
