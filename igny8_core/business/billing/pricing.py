"""What an invoice states: lines, sums, periods. Arithmetic, no queries of its own."""

from calendar import monthrange
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from igny8_core.auth.models import BillingCycle, Plan, Subscription
from igny8_core.business.billing.models import Invoice
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import AMOUNT_PATTERN, MAX_AMOUNT, InvalidAmount, format_amount, minor_units


def plan_line(plan: Plan) -> dict[str, Any]:
    """The invoice line that sells one period of a plan, with all that is granted for it (threats.md AMT-11)."""
    return {
        "description": f"{plan.name} plan, {plan.get_billing_cycle_display().lower()}",
        "quantity": 1,
        "amount": format_amount(plan.price, plan.currency),
        "kind": "plan",
        "plan": plan.slug,
        "billing_cycle": plan.billing_cycle,
        "credits": plan.included_credits,
        "credits_rollover": plan.credits_rollover,
    }


def checked_lines(line_items: Sequence[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Invoice lines as they are stored: amounts as text in the currency's decimals.

    Each line needs `description`, `quantity` (int from 1) and `amount` (Decimal or text, price of one); at most one may
    carry `credits`, because a payment grants once. Raises InvalidInput naming the line.
    """
    if not line_items:
        raise InvalidInput("An invoice needs at least one line.")
    if sum(1 for line in line_items if line.get("credits")) > 1:
        raise InvalidInput("Only one line of an invoice can carry credits. Make an invoice for each.")
    lines = [_checked_line(line, currency, number) for number, line in enumerate(line_items, start=1)]
    if subtotal(lines) > MAX_AMOUNT:
        raise InvalidInput(f"The lines add up to more than {MAX_AMOUNT}, which is more than an invoice can hold.")
    return lines


def subtotal(lines: Sequence[dict[str, Any]]) -> Decimal:
    """Sum of quantity × amount over stored lines."""
    return sum((line["quantity"] * Decimal(line["amount"]) for line in lines), Decimal(0))


def sold_plan(invoice: Invoice, subscription: Subscription) -> tuple[str, str]:
    """Slug and billing cycle of the plan that an invoice sells, as it states them; else of the subscription's plan."""
    for line in invoice.line_items:
        if line.get("kind") == "plan":
            return line["plan"], line["billing_cycle"]
    return subscription.plan.slug, subscription.plan.billing_cycle


def credit_line(lines: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The line that grants credits when it is paid, or None."""
    return next((line for line in lines if line.get("credits")), None)


def period_end(anchor: datetime, periods: int, cycle: str) -> datetime:
    """End of the `periods`-th period from `anchor`, computed from the anchor so that month ends do not drift.

    31 January monthly: 28/29 February, 31 March, … (domain.md section 4, Renewal).
    """
    months = periods * (12 if cycle == BillingCycle.ANNUAL else 1)
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def _checked_line(line: dict[str, Any], currency: str, number: int) -> dict[str, Any]:
    description, quantity, amount = line.get("description"), line.get("quantity", 1), line.get("amount")
    if not isinstance(description, str) or not description.strip():
        raise InvalidInput(f"Line {number} needs a description.")
    if type(quantity) is not int or quantity < 1:
        raise InvalidInput(f"Line {number}: the quantity is a whole number from 1.")
    granted = line.get("credits", 0)
    if type(granted) is not int or granted < 0:
        raise InvalidInput(f"Line {number}: the credits are a whole number from 0.")
    return {**line, "quantity": quantity, "amount": _line_amount(amount, currency, number)}


def _line_amount(amount: object, currency: str, number: int) -> str:
    expected = (
        f'Line {number}: the amount is a Decimal or text like "{format_amount(Decimal(89), currency)}", not a float.'
    )
    if not isinstance(amount, str | Decimal | int) or isinstance(amount, bool):
        raise InvalidAmount(expected)
    # Decimal reads more notations than people write: 1_000, 1e2, digits of other scripts.
    if isinstance(amount, str) and not AMOUNT_PATTERN.fullmatch(amount):
        raise InvalidAmount(expected)
    value = Decimal(amount)
    if not value.is_finite() or not 0 <= value <= MAX_AMOUNT:
        raise InvalidAmount(expected)
    if value != value.quantize(Decimal(1).scaleb(-minor_units(currency))):
        raise InvalidAmount(f"Line {number}: {currency} has {minor_units(currency)} decimals.")
    return format_amount(value, currency)
