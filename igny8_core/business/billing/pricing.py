"""What an invoice states: lines, sums, periods, proration. Pure arithmetic without queries of its own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from igny8_core.auth.models import BillingCycle, Plan, Subscription, Terms
from igny8_core.business.billing.models import (
    PLAN_LINES,
    UNUSED_TIME,
    CreditPackage,
    Invoice,
    InvoiceLine,
    LineKind,
)
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import (
    AMOUNT_PATTERN,
    MAX_AMOUNT,
    InvalidAmount,
    format_amount,
    minor_units,
    round_amount,
    typed_amount,
)
from igny8_core.common.months import months_after
from igny8_core.common.written import plain_day_text

# What a column of whole numbers holds.
MAX_NUMBER = 2**31 - 1
# A PDF of so many lines has some 40 pages.
MAX_LINES = 1000


def too_many_lines() -> str:
    """The refusal of an invoice with more than MAX_LINES lines."""
    return _("An invoice has at most %(max_lines)s lines. Make another invoice for the rest.") % {
        "max_lines": MAX_LINES
    }


@dataclass(frozen=True)
class Period:
    """A paid period of a subscription, and the moment in it at which something changes."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return max(1, (self.end - self.start) // timedelta(seconds=1))

    @property
    def seconds_left(self) -> int:
        """Seconds from now to the end, within the period."""
        return min(max(0, (self.end - self.now) // timedelta(seconds=1)), self.seconds)

    def prorated(self, amount: Decimal, currency: str) -> Decimal:
        """The share of `amount` for the time that is left, rounded half up once (docs/domain.md section 4)."""
        return round_amount(amount * self.seconds_left / self.seconds, currency)

    @property
    def share_left(self) -> Fraction:
        """The exact part of the period that is left, from 0 to 1."""
        return Fraction(self.seconds_left, self.seconds)


@dataclass(frozen=True)
class NextPeriod:
    """The period after one that ends, and the anchor that it and the later ones are computed from."""

    start: datetime
    end: datetime
    anchor: datetime


@dataclass(frozen=True)
class PaidPart:
    """Money that paid for the time from `begin` to `end` and is still here (exact), and the credits it brought."""

    amount: Fraction
    credits: int
    begin: datetime
    end: datetime

    def share_left(self, moment: datetime) -> Fraction:
        """The exact part of its time that is left at `moment`, from 0 to 1."""
        return Period(self.begin, self.end, moment).share_left


def plan_line(plan: Plan, terms: Terms | None = None) -> dict[str, Any]:
    """The invoice line that sells one period of a plan, with everything that it grants (AMT-11).

    `terms`: those of a customer who already has the plan; None means the plan's current ones.
    """
    terms = terms or plan.terms
    return {
        "description": _plan_text(plan, terms.billing_cycle),
        "quantity": 1,
        "amount": format_amount(terms.price, terms.currency),
        "kind": LineKind.PLAN,
        "plan": plan,
        "billing_cycle": terms.billing_cycle,
        "credits": terms.credits,
        "credits_rollover": terms.credits_rollover,
        "max_sites": terms.max_sites,
        "max_users": terms.max_users,
    }


def ordered_line(subscription: Subscription) -> dict[str, Any]:
    """The line for a period of a subscription, by its terms in force, otherwise by its plan's current ones."""
    return plan_line(subscription.plan, subscription.terms)


def renewal_line(plan: Plan, terms: Terms, period: NextPeriod) -> dict[str, Any]:
    """The invoice line that sells a further period of a plan."""
    line = plan_line(plan, terms)
    return line | {
        "description": f"{line['description']}, {_dates(period.start, period.end)}",
        "period_start": period.start,
        "period_end": period.end,
    }


def package_line(package: CreditPackage) -> dict[str, Any]:
    """The invoice line that sells a credit package, with everything that it grants (AMT-11)."""
    return {
        "description": _package_text(package, package.credits),
        "quantity": 1,
        "amount": package.final_price,
        "kind": LineKind.CREDIT_PACKAGE,
        "package": package,
        "credits": package.credits,
        "valid_days": package.valid_days,
    }


def line_text(line: InvoiceLine) -> str:
    """What a line that sells a plan or a package says, in the language that is being written; "" for other lines."""
    if line.package:
        return _package_text(line.package, line.credits or 0)
    if line.plan is None or not line.sells_plan:
        return ""
    dates = f", {_dates(line.period_start, line.period_end)}" if line.period_start and line.period_end else ""
    return _plan_text(line.plan, line.billing_cycle) + dates


def _plan_text(plan: Plan, cycle: str) -> str:
    return _("%(plan)s plan, %(cycle)s") % {"plan": plan.name, "cycle": _cycle_name(cycle)}


def _package_text(package: CreditPackage, number: int) -> str:
    text = ngettext(
        "Credit package %(package)s, %(credits)s credit", "Credit package %(package)s, %(credits)s credits", number
    )
    return text % {"package": package.name, "credits": number}


def sold_terms(line: InvoiceLine, currency: str, plan: Plan) -> Terms:
    """The terms that a line in PLAN_LINES sold for a whole period. `currency`: the invoice's. `plan`: the line's.

    Older lines do not state limits; for those, the plan's current limits count.
    """
    is_change = line.kind == LineKind.PLAN_CHANGE
    price, included = (line.period_price, line.period_credits) if is_change else (line.unit_amount, line.credits)
    return Terms(
        price=price or Decimal(0),
        currency=currency,
        billing_cycle=line.billing_cycle,
        credits=included or 0,
        credits_rollover=bool(line.credits_rollover),
        max_sites=plan.max_sites if line.max_sites is None else line.max_sites,
        max_users=plan.max_users if line.max_users is None else line.max_users,
    )


def plan_change_lines(
    sold: Terms, sold_plan: Plan, plan: Plan, period: Period, parts: Sequence[PaidPart]
) -> list[dict[str, Any]]:
    """The two lines of a change to `plan` at `period.now`: credit for the old plan's unused time, and the new plan.

    `sold`: the terms in force. `parts`: what is paid for the period. With the same billing cycle both lines cover the
    rest of the running period; with another cycle a whole new period begins. Each line is rounded once, so that the
    lines add up to the total (docs/domain.md section 4).
    """
    restarts = sold.billing_cycle != plan.billing_cycle
    until = "" if restarts else f", {_dates(period.now, period.end)}"
    unused = {
        "description": _("Unused time on %(plan)s, %(dates)s")
        % {"plan": sold_plan.name, "dates": _dates(period.now, period.end)},
        "quantity": 1,
        "amount": -unused_time(sold, period, parts),
        "kind": UNUSED_TIME,
        "plan": sold_plan,
        "period_start": period.now,
        "period_end": period.end,
    }
    charge = plan_line(plan) | {
        "description": _plan_text(plan, plan.billing_cycle) + until,
        "amount": charged_time(plan.terms, period, restarts=restarts),
        "kind": LineKind.PLAN_CHANGE,
        "period_price": plan.price,
        "period_credits": plan.included_credits,
        "credits": plan.included_credits if restarts else _credits_of_change(plan.included_credits, period, parts),
        "restarts_period": restarts,
        # The time from which it is priced. The dates of a new period are known when the invoice is paid.
        "period_start": period.now,
        "period_end": None if restarts else period.end,
    }
    return [unused, charge]


def unused_time(sold: Terms, period: Period, parts: Iterable[PaidPart]) -> Decimal:
    """What the rest of a period is worth: the remaining share of each paid part, rounded half up once.

    It is at most what the plan in force (`sold`) costs for that time.
    """
    paid = sum((part.amount * part.share_left(period.now) for part in parts), Fraction(0))
    return _rounded(min(paid, Fraction(sold.price) * period.share_left), sold.currency)


def charged_time(terms: Terms, period: Period, *, restarts: bool) -> Decimal:
    """What a change to `terms` charges: the rest of the period, or a whole period if it `restarts`."""
    return terms.price if restarts else period.prorated(terms.price, terms.currency)


def _credits_of_change(included: int, period: Period, parts: Iterable[PaidPart]) -> int:
    """The new plan's credits for the rest of the period, minus those already granted; rounded half up, at least 0.

    Credits that refunds took back do not count as granted (`parts` leave them out); spent credits do.
    """
    had = sum((part.credits * part.share_left(period.now) for part in parts), Fraction(0))
    difference = included * period.share_left - had
    return max(0, int((2 * difference + 1) // 2))


def _rounded(exact: Fraction, currency: str) -> Decimal:
    return round_amount(Decimal(exact.numerator) / Decimal(exact.denominator), currency)


def _cycle_name(cycle: str) -> str:
    return str(BillingCycle(cycle).label).lower()


def _dates(start: datetime, end: datetime) -> str:
    return _("%(start)s to %(end)s") % {"start": plain_day_text(start), "end": plain_day_text(end)}


def checked_lines(line_items: Sequence[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Check invoice lines and return them as they are stored, with amounts as text in the currency's decimals.

    Give 1 to 1,000 lines. Each needs `description`, `quantity` (int from 1) and `amount` (price of one unit: Decimal,
    number or text). At most one line may have `credits`, because an invoice grants once. Raises InvalidInput or
    InvalidAmount naming the line.
    """
    if not line_items:
        raise InvalidInput(_("The invoice has no lines. Give at least one."))
    if len(line_items) > MAX_LINES:
        raise InvalidInput(too_many_lines())
    if sum(1 for line in line_items if line.get("credits")) > 1:
        raise InvalidInput(
            _("At most one line of an invoice can have credits. Create a separate invoice for the others.")
        )
    lines = [_checked_line(line, currency, number) for number, line in enumerate(line_items, start=1)]
    if subtotal(lines) > MAX_AMOUNT:
        raise InvalidInput(
            _("The lines add up to more than %(max_amount)s, which is more than an invoice can hold.")
            % {"max_amount": MAX_AMOUNT}
        )
    return lines


def subtotal(lines: Sequence[dict[str, Any]]) -> Decimal:
    """The sum of quantity × amount over stored lines."""
    return sum((line["quantity"] * Decimal(line["amount"]) for line in lines), Decimal(0))


def plan_line_of(invoice: Invoice) -> InvoiceLine | None:
    """The line of an invoice that sells a plan, or None."""
    return next((line for line in invoice.lines.all() if line.kind in PLAN_LINES), None)


def credit_line(lines: Iterable[InvoiceLine]) -> InvoiceLine | None:
    """The line that grants credits when the invoice is paid, or None."""
    return next((line for line in lines if line.credits), None)


def period_end(anchor: datetime, periods: int, cycle: str) -> datetime:
    """The end of the `periods`-th period from `anchor`, computed from the anchor so that month ends do not drift.

    31 January monthly: 28/29 February, 31 March, … (docs/domain.md section 4, Renewal).
    """
    return months_after(anchor, periods * (12 if cycle == BillingCycle.ANNUAL else 1))


def next_period(anchor: datetime, ended: datetime, cycle: str) -> NextPeriod:
    """The period that begins where one `ended`, computed from the anchor, also if the cycle changes there.

    If no period from the anchor ends there, because a gateway or an operator set it, `ended` is the new anchor.
    """
    months = (ended.year - anchor.year) * 12 + ended.month - anchor.month
    if period_end(anchor, months, BillingCycle.MONTHLY) != ended:
        anchor, months = ended, 0
    months += 12 if cycle == BillingCycle.ANNUAL else 1
    return NextPeriod(ended, period_end(anchor, months, BillingCycle.MONTHLY), anchor)


def _checked_line(line: dict[str, Any], currency: str, number: int) -> dict[str, Any]:
    description, quantity, amount = line.get("description"), line.get("quantity", 1), line.get("amount")
    if not isinstance(description, str) or not description.strip():
        raise InvalidInput(_("Line %(number)s needs a description.") % {"number": number})
    if type(quantity) is not int or not 1 <= quantity <= MAX_NUMBER:
        raise InvalidInput(
            _("Line %(number)s: the quantity has to be a whole number from 1 to %(max_number)s.")
            % {"number": number, "max_number": MAX_NUMBER}
        )
    granted = line.get("credits", 0)
    if type(granted) is not int or not 0 <= granted <= MAX_NUMBER:
        raise InvalidInput(
            _("Line %(number)s: the credits have to be a whole number from 0 to %(max_number)s.")
            % {"number": number, "max_number": MAX_NUMBER}
        )
    kind = line.get("kind", LineKind.OTHER)
    if kind not in LineKind.values:
        raise InvalidInput(
            _("Line %(number)s: %(kind)s is not a kind of line. Use one of: %(known)s.")
            % {"number": number, "kind": f"{kind!r}", "known": ", ".join(LineKind.values)}
        )
    given_back = _given_back(amount) if kind == UNUSED_TIME else None
    text = _line_amount(amount if given_back is None else given_back, currency, number)
    if given_back is not None and Decimal(text):
        text = f"-{text}"
    return {**line, "quantity": quantity, "amount": text}


def _given_back(amount: object) -> object:
    """A negative amount without its sign, as Decimal or as stored text; None for any other amount."""
    if isinstance(amount, str) and amount.startswith("-"):
        return amount[1:]
    return -amount if isinstance(amount, Decimal) and amount.is_signed() else None


def _line_amount(amount: object, currency: str, number: int) -> str:
    example, decimals = format_amount(Decimal(89), currency), minor_units(currency)
    expected = _wrong_amount(
        number, _('the amount has to be a Decimal, a number or text like "%(example)s".') % {"example": example}
    )
    try:
        amount = typed_amount(amount, currency)
    except InvalidAmount as refusal:
        raise _wrong_amount(number, refusal.text) from None
    if not isinstance(amount, str | Decimal):
        raise expected
    # Decimal accepts more notations than we do: 1_000, 1e2, digits of other scripts.
    if isinstance(amount, str) and not AMOUNT_PATTERN.fullmatch(amount):
        raise expected
    value = Decimal(amount)
    if not value.is_finite() or not 0 <= value <= MAX_AMOUNT:
        raise expected
    # Text like 89.000 has more decimals than dollars have (AMT-05); of a Decimal just the value counts.
    written = len(amount.partition(".")[2]) if isinstance(amount, str) else 0
    if written > decimals or value != value.quantize(Decimal(1).scaleb(-decimals)):
        raise _wrong_amount(
            number,
            _('%(currency)s has %(decimals)s decimals. Write the amount like "%(example)s".')
            % {"currency": currency, "decimals": decimals, "example": example},
        )
    return format_amount(value, currency)


def _wrong_amount(number: int, sentence: str) -> InvalidAmount:
    text = f"Line {number}: {sentence}"
    return InvalidAmount(text, errors={f"line_items.{number - 1}.amount": [text]})
