"""What an invoice sells, line by line."""

from datetime import datetime
from functools import cache
from typing import Any, cast

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models import BillingCycle
from igny8_core.common.model_fields import AmountField
from igny8_core.common.money import format_amount
from igny8_core.common.months import months_after


class LineKind(models.TextChoices):
    """What a line sells."""

    PLAN = "plan", _("Plan")
    PLAN_CHANGE = "plan_change", _("Change of plan")
    UNUSED_TIME = "unused_time", _("Unused time")
    CREDIT_PACKAGE = "credit_package", _("Credit package")
    OTHER = "other", _("Other")


# The kinds of lines that sell a plan: for a whole period, or from a change of plan to the period's end.
PLAN_LINES = (LineKind.PLAN, LineKind.PLAN_CHANGE)
# The one kind with a negative amount: credit for the unused time of the old plan.
UNUSED_TIME = LineKind.UNUSED_TIME
# Columns that lines of some kinds have, in the order of `line_items`.
_DETAILS = (
    *("billing_cycle", "period_price", "period_credits", "credits", "credits_rollover", "restarts_period"),
    *("valid_days", "period_start", "period_end"),
)

_SLUGS: dict[str, Any] = {"plan_slug": F("plan__slug"), "package_slug": F("package__slug")}


class InvoiceLineManager(models.Manager["InvoiceLine"]):
    """Lines with the current slugs of their plan and package. The slugs are for display and decide nothing."""

    def get_queryset(self) -> models.QuerySet["InvoiceLine"]:
        # Annotating takes longer than all the rest of an approval's Python, and it is the same each time.
        rows, this = _annotated(self.model).all(), cast(Any, self)
        cast(Any, rows)._db, cast(Any, rows)._hints = this._db, this._hints
        return rows


@cache
def _annotated(model: type["InvoiceLine"]) -> models.QuerySet["InvoiceLine"]:
    rows: models.QuerySet[InvoiceLine] = models.QuerySet(model).annotate(**_SLUGS)
    return rows


class InvoiceLine(models.Model):
    """One line of an invoice. Its columns alone decide what was sold.

    A trigger refuses changes and deletion. It also refuses new lines once the invoice's first ones are committed,
    unless the invoice is a draft. Columns that a line does not state are empty, as the limits of older lines.
    """

    # No index: lines are found by invoice and position, and an account's lines through its invoices.
    invoice = models.ForeignKey("billing.Invoice", on_delete=models.PROTECT, related_name="lines", db_index=False)
    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.PositiveSmallIntegerField(help_text="From 1")
    kind = models.CharField(max_length=20, choices=LineKind.choices, default=LineKind.OTHER)
    description = models.TextField()
    quantity = models.PositiveIntegerField(default=1)
    unit_amount = AmountField("unit price", help_text="In the invoice's currency")
    line_total = AmountField("total")
    plan = models.ForeignKey(
        "igny8_auth.Plan", null=True, blank=True, on_delete=models.PROTECT, related_name="invoice_lines"
    )
    package = models.ForeignKey(
        "billing.CreditPackage", null=True, blank=True, on_delete=models.PROTECT, related_name="invoice_lines"
    )
    billing_cycle = models.CharField(max_length=10, choices=BillingCycle.choices, blank=True, default="")
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    credits = models.PositiveIntegerField(null=True, blank=True, help_text="Granted per unit when the invoice is paid")
    credits_rollover = models.BooleanField("credits roll over", null=True, blank=True)
    valid_days = models.PositiveIntegerField(
        "valid for days", null=True, blank=True, help_text="Bought credits expire after this many days"
    )
    max_sites = models.PositiveIntegerField("sites", null=True, blank=True)
    max_users = models.PositiveIntegerField("users", null=True, blank=True)
    period_price = AmountField(null=True, blank=True, help_text="For a change of plan: the price of a whole period")
    period_credits = models.PositiveIntegerField(
        null=True, blank=True, help_text="For a change of plan: the credits of a whole period"
    )
    restarts_period = models.BooleanField(
        "starts a new period", null=True, blank=True, help_text="For a change of plan: a new period starts with it"
    )
    tax_rate = models.DecimalField(
        "tax rate in per cent", max_digits=7, decimal_places=4, default=0, db_default=0, help_text="Per cent"
    )
    tax_category = models.CharField(max_length=20, blank=True, default="", db_default="")
    tax_amount = AmountField(default=0, db_default=0)

    objects = InvoiceLineManager()

    class Meta:
        db_table = "igny8_invoice_lines"
        ordering = ("invoice_id", "position")
        constraints = [
            models.UniqueConstraint(fields=["invoice", "position"], name="igny8_invoice_lines_position_once"),
            models.CheckConstraint(condition=Q(kind__in=LineKind.values), name="igny8_invoice_lines_kind_known"),
            models.CheckConstraint(condition=Q(position__gte=1, quantity__gte=1), name="igny8_invoice_lines_counted"),
            models.CheckConstraint(
                condition=Q(line_total=F("quantity") * F("unit_amount")), name="igny8_invoice_lines_adds_up"
            ),
            models.CheckConstraint(
                condition=Q(unit_amount__gte=0) | Q(kind=LineKind.UNUSED_TIME), name="igny8_invoice_lines_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=[LineKind.PLAN, LineKind.PLAN_CHANGE, LineKind.UNUSED_TIME], plan__isnull=False)
                | Q(kind__in=[LineKind.CREDIT_PACKAGE, LineKind.OTHER], plan__isnull=True),
                name="igny8_invoice_lines_plan",
            ),
            models.CheckConstraint(
                condition=Q(kind=LineKind.CREDIT_PACKAGE, package__isnull=False)
                | ~Q(kind=LineKind.CREDIT_PACKAGE) & Q(package__isnull=True),
                name="igny8_invoice_lines_package",
            ),
            # A line for a period states the billing cycle; a change of plan also states the price of a whole period.
            models.CheckConstraint(
                condition=~Q(kind__in=[LineKind.PLAN, LineKind.PLAN_CHANGE])
                | Q(billing_cycle__in=BillingCycle.values, credits__isnull=False, credits_rollover__isnull=False),
                name="igny8_invoice_lines_of_plans_say_all",
            ),
            models.CheckConstraint(
                condition=~Q(kind=LineKind.PLAN_CHANGE)
                | Q(period_price__gte=0, period_credits__isnull=False, restarts_period__isnull=False),
                name="igny8_invoice_lines_of_changes_say_all",
            ),
        ]

    # Set by the manager's query.
    plan_slug: str | None
    package_slug: str | None

    def __str__(self) -> str:
        return self.description

    @property
    def sells_plan(self) -> bool:
        """Whether it sells a plan, for a period or for the rest of one."""
        return self.kind in PLAN_LINES

    @property
    def is_renewal(self) -> bool:
        """Whether it sells a whole period with fixed dates. The first period's dates are known when it is paid."""
        return self.kind == LineKind.PLAN and self.period_start is not None

    def period_sold(self, paid_at: datetime | None) -> tuple[datetime | None, datetime | None]:
        """Start and end of the period that it sells. One that begins with its payment (`paid_at`) has none before."""
        if self.period_end:
            return self.period_start, self.period_end
        months = 12 if self.billing_cycle == BillingCycle.ANNUAL else 1
        return paid_at, months_after(paid_at, months) if paid_at else None

    @property
    def currency(self) -> str:
        """The currency of the line's amounts, which is the invoice's (ISO 4217)."""
        return self.invoice.currency

    def as_item(self, currency: str) -> dict[str, Any]:
        """The line as an item of `Invoice.line_items`, with amounts in the decimals of `currency`."""
        item: dict[str, Any] = {
            "description": self.description,
            "quantity": self.quantity,
            "amount": format_amount(self.unit_amount, currency),
        }
        if self.kind == LineKind.OTHER:
            return item if self.credits is None else {**item, "credits": self.credits}
        item["kind"] = self.kind
        if self.plan_id:
            item["plan"] = self.plan_slug
        if self.package_id:
            item["package"] = self.package_slug
        item |= {name: value for name in _DETAILS if (value := getattr(self, name)) not in (None, "")}
        if self.period_price is not None:
            item["period_price"] = format_amount(self.period_price, currency)
        for name in ("period_start", "period_end"):
            if name in item:
                item[name] = item[name].isoformat()
        if self.kind == LineKind.CREDIT_PACKAGE:
            item["valid_days"] = self.valid_days
        return item
