"""What invoices said in JSON becomes rows that name plans and packages by id; then the JSON is gone.

A slug of then is not always a slug of now. What it named is found in the history; where that leaves a doubt, the migration
stops with the invoice's number, and nothing has changed.
"""

import re
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import django.db.models.deletion
from django.db import connection, migrations, models
from django.db.models import F, Q

import igny8_core.common.model_fields

KINDS = ("plan", "plan_change", "unused_time", "credit_package", "other")
OF_PLANS = ("plan", "plan_change")
WITH_PLAN = (*OF_PLANS, "unused_time")
CYCLES = ("monthly", "annual")
AMOUNT = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,4})?", re.ASCII)
MAX_NUMBER = 2**31 - 1
KNOWN = {
    *("description", "quantity", "amount", "kind", "plan", "package", "billing_cycle", "credits", "credits_rollover"),
    *("valid_days", "period_start", "period_end", "period_price", "period_credits", "restarts_period"),
}
BATCH = 1000
NOT_ADDING_UP = """
    SELECT invoice.invoice_number, invoice.subtotal, coalesce(sum(line.line_total), 0)
    FROM igny8_invoices invoice LEFT JOIN igny8_invoice_lines line ON line.invoice_id = invoice.id
    GROUP BY invoice.id HAVING invoice.subtotal <> coalesce(sum(line.line_total), 0) ORDER BY invoice.id LIMIT 1
"""


class NothingTrue(ValueError):
    """What a line says cannot become a row."""

    def __init__(self, invoice: Any, number: int, why: str) -> None:
        super().__init__(
            f"Invoice {invoice.invoice_number} (id {invoice.pk}), line {number}, cannot become a row of "
            f"igny8_invoice_lines: {why} Nothing has changed. Correct that, and migrate again."
        )


class Names:
    """What slugs of then named: plans and packages by what has the slug now, and by what the history says."""

    def __init__(self, apps: Any) -> None:
        self.plans = _called(apps.get_model("igny8_auth", "Plan"))
        self.packages = _called(apps.get_model("billing", "CreditPackage"))
        self.package_names: dict[str, set[int]] = defaultdict(set)
        for pk, name in apps.get_model("billing", "CreditPackage").objects.values_list("pk", "name"):
            self.package_names[name].add(pk)
        # The slug that a subscription's plan had when it was last said, and the plan that it still has.
        self.of_subscription: dict[int, tuple[str, int]] = {}
        self._read_history(apps)

    def _read_history(self, apps: Any) -> None:
        events = apps.get_model("events", "Event").objects.order_by("pk")
        for kind, called in (("plan", self.plans), ("credit_package", self.packages)):
            there = set().union(*called.values())
            told = events.filter(type__in=[f"{kind}.created", f"{kind}.updated"], data__changed__has_key="slug")
            for pk, slug in told.values_list("object_id", "data__changed__slug"):
                if int(pk) in there:
                    called[slug].add(int(pk))
        last: dict[int, str] = {}
        told = events.filter(type__in=["subscription.created", "subscription.plan_changed"])
        for pk, data in told.values_list("object_id", "data").iterator():
            last[int(pk)] = data.get("to") or data.get("plan", "")
        # What Stripe bills changes its plan without a word before it is paid.
        ours = apps.get_model("igny8_auth", "Subscription").objects.filter(billing_driver="local")
        for pk, plan in ours.values_list("pk", "plan_id").iterator():
            if last.get(pk):
                self.of_subscription[pk] = last[pk], plan
                self.plans[last[pk]].add(plan)

    def plan(self, invoice: Any, number: int, slug: Any) -> int:
        """Id of the plan that a line of the invoice calls `slug`."""
        said, plan = self.of_subscription.get(invoice.subscription_id, ("", 0))
        if slug and said == slug:
            return plan
        return _only(invoice, number, "plan", slug, self.plans.get(slug, set()))

    def package(self, invoice: Any, number: int, slug: Any, description: str) -> int:
        """Id of the package that a line of the invoice calls `slug`; the line says its name, too."""
        found = self.packages.get(slug, set())
        named = re.fullmatch("Credit package (.*), [0-9]+ credits", description, re.DOTALL)
        if slug and not found and named:
            found = self.package_names.get(named[1], set())
        return _only(invoice, number, "credit package", slug, found)


def _called(model: Any) -> dict[str, set[int]]:
    called: dict[str, set[int]] = defaultdict(set)
    for pk, slug in model.objects.values_list("pk", "slug"):
        called[slug].add(pk)
    return called


def _only(invoice: Any, number: int, what: str, slug: Any, found: set[int]) -> int:
    if len(found) != 1:
        told = f"ids {sorted(found)} had it" if found else "none has it, and the history names none"
        raise NothingTrue(
            invoice,
            number,
            f"which {what} it sells is not certain: it names the slug {slug!r}, and {told}. Give the slug back to the "
            f"{what} that was sold until the migration is done.",
        )
    return next(iter(found))


def carry_over(apps: Any, schema_editor: Any) -> None:
    """Make the rows. Raises NothingTrue with the invoice and its line for what can be no row."""
    names, line_model = Names(apps), apps.get_model("billing", "InvoiceLine")
    invoices = apps.get_model("billing", "Invoice").objects.order_by("pk")
    wanted = invoices.only("account_id", "subscription_id", "invoice_number", "line_items").iterator(BATCH)
    rows: list[Any] = []
    for invoice in wanted:
        rows += _rows(names, line_model, invoice)
        if len(rows) >= BATCH:
            line_model.objects.bulk_create(rows)
            rows = []
    line_model.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(NOT_ADDING_UP)
        wrong = cursor.fetchone()
    if wrong:
        raise ValueError(
            f"The lines of invoice {wrong[0]} add up to {wrong[2]}, and its subtotal is {wrong[1]}. Nothing has changed. "
            "Correct that, and migrate again."
        )


def _rows(names: Names, model: Any, invoice: Any) -> list[Any]:
    if not isinstance(invoice.line_items, list):
        raise NothingTrue(invoice, 1, "a list of lines was expected.")
    return [_row(names, model, invoice, line, number) for number, line in enumerate(invoice.line_items, start=1)]


def _row(names: Names, model: Any, invoice: Any, line: Any, number: int) -> Any:
    said = _Said(invoice, number, line)
    kind = line.get("kind", "other")
    if kind not in KINDS:
        raise said.refused("kind", f"one of {', '.join(KINDS)} was expected")
    quantity, unit_amount = said.number("quantity", least=1), said.amount("amount")
    if unit_amount < 0 and kind != "unused_time":
        raise said.refused("amount", "only unused time is less than nothing")
    row = model(
        invoice=invoice,
        account_id=invoice.account_id,
        position=number,
        kind=kind,
        description=said.text("description"),
        quantity=quantity,
        unit_amount=unit_amount,
        line_total=quantity * unit_amount,
        valid_days=said.number("valid_days") if line.get("valid_days") is not None else None,
        period_start=said.moment("period_start"),
        period_end=said.moment("period_end"),
        credits=said.number("credits") if "credits" in line else None,
    )
    if kind in WITH_PLAN:
        row.plan_id = names.plan(invoice, number, line.get("plan"))
    if kind == "credit_package":
        row.package_id = names.package(invoice, number, line.get("package"), row.description)
    if kind in OF_PLANS:
        row.billing_cycle, row.credits_rollover = said.cycle(), bool(line.get("credits_rollover"))
        row.credits = row.credits or 0
    if kind == "plan_change":
        row.period_price, row.period_credits = said.amount("period_price"), said.number("period_credits")
        row.restarts_period = bool(line.get("restarts_period"))
    return row


class _Said:
    """The values of a line, each as what a column holds. Raises NothingTrue for what none can."""

    def __init__(self, invoice: Any, number: int, line: Any) -> None:
        self.invoice, self.position, self.line = invoice, number, line
        if not isinstance(line, dict):
            raise NothingTrue(invoice, number, "an object was expected.")
        if unknown := line.keys() - KNOWN:
            raise NothingTrue(invoice, number, f"nothing is known of {', '.join(sorted(unknown))}.")

    def refused(self, name: str, expected: str) -> NothingTrue:
        return NothingTrue(self.invoice, self.position, f"{name} is {self.line.get(name)!r}; {expected}.")

    def text(self, name: str) -> str:
        value = self.line.get(name)
        if not isinstance(value, str):
            raise self.refused(name, "a text was expected")
        return value

    def number(self, name: str, least: int = 0) -> int:
        value = self.line.get(name, 1 if name == "quantity" else None)
        if type(value) is not int or not least <= value <= MAX_NUMBER:
            raise self.refused(name, f"a whole number from {least} was expected")
        return value

    def amount(self, name: str) -> Decimal:
        value = self.line.get(name)
        if not isinstance(value, str) or not AMOUNT.fullmatch(value):
            raise self.refused(name, "an amount was expected")
        return Decimal(value)

    def moment(self, name: str) -> datetime | None:
        value = self.line.get(name) or None
        try:
            found = datetime.fromisoformat(value) if value else None
        except (TypeError, ValueError):
            raise self.refused(name, "a time was expected") from None
        return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found

    def cycle(self) -> str:
        value = self.line.get("billing_cycle")
        if value not in CYCLES:
            raise self.refused("billing_cycle", f"one of {', '.join(CYCLES)} was expected")
        return str(value)


# What waits to be checked at the commit would forbid to alter the tables.
WITHOUT_JSON = """
SET CONSTRAINTS ALL IMMEDIATE;
DROP TRIGGER igny8_invoices_final ON igny8_invoices;
"""
# As in 0003, without the column that went. Lines are kept as they were made, all of an invoice in one transaction: no row
# of an invoice that is no draft comes after others were committed. A transaction under way whose rows are seen is one's own.
GUARDED = """
CREATE TRIGGER igny8_invoices_final BEFORE UPDATE ON igny8_invoices FOR EACH ROW
    WHEN (OLD.status IN ('paid', 'void') AND
          (OLD.status, OLD.account_id, OLD.subscription_id, OLD.invoice_number, OLD.currency, OLD.subtotal, OLD.tax,
           OLD.total, OLD.settled_amount, OLD.invoice_date, OLD.due_date, OLD.paid_at, OLD.metadata -> 'billing_snapshot')
          IS DISTINCT FROM
          (NEW.status, NEW.account_id, NEW.subscription_id, NEW.invoice_number, NEW.currency, NEW.subtotal, NEW.tax,
           NEW.total, NEW.settled_amount, NEW.invoice_date, NEW.due_date, NEW.paid_at, NEW.metadata -> 'billing_snapshot'))
    EXECUTE FUNCTION igny8_refuse_invoice_change();

ALTER TABLE igny8_invoice_lines ADD CONSTRAINT igny8_invoice_lines_invoice_same_account
    FOREIGN KEY (account_id, invoice_id) REFERENCES igny8_invoices (account_id, id);
CREATE TRIGGER igny8_invoice_lines_unchanged BEFORE UPDATE OR DELETE ON igny8_invoice_lines
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_change();

CREATE FUNCTION igny8_refuse_late_invoice_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    current bigint := pg_current_xact_id()::text::bigint;
    invoice record;
BEGIN
    SELECT invoice_number, status INTO invoice FROM igny8_invoices WHERE id = NEW.invoice_id;
    IF invoice.status <> 'draft' AND EXISTS (
        SELECT FROM igny8_invoice_lines line WHERE line.invoice_id = NEW.invoice_id
        AND pg_xact_status(greatest(current - age(line.xmin), 3)::text::xid8) IS DISTINCT FROM 'in progress'
    ) THEN
        RAISE EXCEPTION 'Invoice % is % and is kept as it is: it takes no more lines.', invoice.invoice_number,
            invoice.status USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER igny8_invoice_lines_together BEFORE INSERT ON igny8_invoice_lines
    FOR EACH ROW EXECUTE FUNCTION igny8_refuse_late_invoice_line();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0020_gateway_ids"),
        ("igny8_auth", "0007_operators_decide_subscriptions"),
        ("events", "0003_append_only"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(help_text="From 1")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("plan", "Plan"),
                            ("plan_change", "Change of plan"),
                            ("unused_time", "Unused time"),
                            ("credit_package", "Credit package"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=20,
                    ),
                ),
                ("description", models.TextField()),
                ("quantity", models.PositiveIntegerField(default=1)),
                (
                    "unit_amount",
                    igny8_core.common.model_fields.AmountField(
                        decimal_places=4, help_text="Price of one, in the invoice's currency", max_digits=14
                    ),
                ),
                ("line_total", igny8_core.common.model_fields.AmountField(decimal_places=4, max_digits=14)),
                (
                    "billing_cycle",
                    models.CharField(
                        blank=True, choices=[("monthly", "Monthly"), ("annual", "Annual")], default="", max_length=10
                    ),
                ),
                ("period_start", models.DateTimeField(blank=True, null=True)),
                ("period_end", models.DateTimeField(blank=True, null=True)),
                (
                    "credits",
                    models.PositiveIntegerField(blank=True, help_text="Granted per piece when it is paid", null=True),
                ),
                ("credits_rollover", models.BooleanField(blank=True, null=True)),
                (
                    "valid_days",
                    models.PositiveIntegerField(blank=True, help_text="Days until bought credits expire", null=True),
                ),
                ("max_sites", models.PositiveIntegerField(blank=True, null=True)),
                ("max_users", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "period_price",
                    igny8_core.common.model_fields.AmountField(
                        blank=True,
                        decimal_places=4,
                        help_text="Of a change: what a whole period costs",
                        max_digits=14,
                        null=True,
                    ),
                ),
                (
                    "period_credits",
                    models.PositiveIntegerField(
                        blank=True, help_text="Of a change: what a whole period includes", null=True
                    ),
                ),
                (
                    "restarts_period",
                    models.BooleanField(blank=True, help_text="Of a change: a new period begins with it", null=True),
                ),
                (
                    "tax_rate",
                    models.DecimalField(db_default=0, decimal_places=4, default=0, help_text="Per cent", max_digits=7),
                ),
                ("tax_category", models.CharField(blank=True, db_default="", default="", max_length=20)),
                (
                    "tax_amount",
                    igny8_core.common.model_fields.AmountField(
                        db_default=0, decimal_places=4, default=0, max_digits=14
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="igny8_auth.account",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="billing.invoice",
                    ),
                ),
                (
                    "package",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_lines",
                        to="billing.creditpackage",
                    ),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoice_lines",
                        to="igny8_auth.plan",
                    ),
                ),
            ],
            options={
                "db_table": "igny8_invoice_lines",
                "ordering": ("invoice_id", "position"),
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "position"), name="igny8_invoice_lines_position_once"),
                    models.CheckConstraint(
                        condition=Q(("kind__in", ["plan", "plan_change", "unused_time", "credit_package", "other"])),
                        name="igny8_invoice_lines_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=Q(("position__gte", 1), ("quantity__gte", 1)), name="igny8_invoice_lines_counted"
                    ),
                    models.CheckConstraint(
                        condition=Q(("line_total", F("quantity") * F("unit_amount"))),
                        name="igny8_invoice_lines_adds_up",
                    ),
                    models.CheckConstraint(
                        condition=Q(("unit_amount__gte", 0), ("kind", "unused_time"), _connector="OR"),
                        name="igny8_invoice_lines_not_negative",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("kind__in", ["plan", "plan_change", "unused_time"]), ("plan__isnull", False)),
                            Q(("kind__in", ["credit_package", "other"]), ("plan__isnull", True)),
                            _connector="OR",
                        ),
                        name="igny8_invoice_lines_plan",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("kind", "credit_package"), ("package__isnull", False)),
                            Q(Q(("kind", "credit_package"), _negated=True), ("package__isnull", True)),
                            _connector="OR",
                        ),
                        name="igny8_invoice_lines_package",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("kind__in", ["plan", "plan_change"]), _negated=True),
                            Q(
                                ("billing_cycle__in", ["monthly", "annual"]),
                                ("credits__isnull", False),
                                ("credits_rollover__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="igny8_invoice_lines_of_plans_say_all",
                    ),
                    models.CheckConstraint(
                        condition=Q(
                            Q(("kind", "plan_change"), _negated=True),
                            Q(
                                ("period_credits__isnull", False),
                                ("period_price__gte", 0),
                                ("restarts_period__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="igny8_invoice_lines_of_changes_say_all",
                    ),
                ],
            },
        ),
        migrations.RunPython(carry_over),
        migrations.RunSQL(WITHOUT_JSON),
        migrations.RemoveField(model_name="invoice", name="line_items"),
        migrations.RunSQL(GUARDED),
    ]
