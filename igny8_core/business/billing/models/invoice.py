from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from igny8_core.common import clock
from igny8_core.common.model_fields import AmountField

if TYPE_CHECKING:
    from igny8_core.business.billing.models.invoice_line import InvoiceLine
    from igny8_core.business.billing.models.renewal import Renewal


class InvoiceStatus(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PENDING = "pending", _("Pending")
    PAID = "paid", _("Paid")
    VOID = "void", _("Void")
    UNCOLLECTIBLE = "uncollectible", _("Uncollectible")


INVOICE_TRANSITIONS: dict[str, frozenset[str]] = {
    InvoiceStatus.DRAFT: frozenset({InvoiceStatus.PENDING, InvoiceStatus.VOID}),
    InvoiceStatus.PENDING: frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE}),
    InvoiceStatus.UNCOLLECTIBLE: frozenset({InvoiceStatus.PAID, InvoiceStatus.VOID}),
    InvoiceStatus.PAID: frozenset(),
    InvoiceStatus.VOID: frozenset(),
}


class Invoice(models.Model):
    """What an account owes, and for what. It stores copies of what it states, so later changes do not affect it."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="invoices")
    subscription = models.ForeignKey(
        "igny8_auth.Subscription", null=True, blank=True, on_delete=models.PROTECT, related_name="invoices"
    )
    invoice_number = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=15, choices=InvoiceStatus.choices, default=InvoiceStatus.PENDING)
    currency = models.CharField(max_length=3, help_text="ISO 4217")
    subtotal = AmountField()
    tax = AmountField(default=Decimal(0))
    total = AmountField()
    settled_amount = AmountField(
        "settled",
        default=Decimal(0),
        db_default=Decimal(0),
        help_text="Sum of the allocations that count towards it",
    )
    invoice_date = models.DateField()
    due_date = models.DateField()
    paid_at = models.DateTimeField(null=True, blank=True)
    void_reason = models.CharField(max_length=255, blank=True)
    notes = models.TextField(blank=True)
    pay_link_version = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="How often its links were withdrawn: those of an earlier version open nothing",
    )
    stripe_invoice_id = models.CharField(
        "Stripe invoice ID", max_length=100, blank=True, help_text="Of the invoice at Stripe that this invoice copies"
    )
    purchase_order_number = models.CharField(
        max_length=50, blank=True, default="", db_default="", help_text="The customer's; printed on the invoice"
    )
    request_key = models.UUIDField(
        null=True, blank=True, editable=False, help_text="Of the form that it was written in, which is taken once"
    )
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="replacements",
        db_index=False,
        help_text="The invoice that it corrects",
    )
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_invoices"
        ordering = ("-id",)
        permissions = [
            ("void_invoice", "Can void invoices"),
            ("charge_invoice", "Can charge customers' saved cards for open invoices"),
            ("correct_invoice", "Can credit invoices and correct their buyer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=InvoiceStatus.values), name="igny8_invoices_status_known"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="igny8_invoices_currency_iso"),
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, tax__gte=0, total__gt=0), name="igny8_invoices_amounts_positive"
            ),
            models.CheckConstraint(condition=Q(total=F("subtotal") + F("tax")), name="igny8_invoices_total_adds_up"),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.PAID, paid_at__isnull=False)
                | (~Q(status=InvoiceStatus.PAID) & Q(paid_at__isnull=True)),
                name="igny8_invoices_paid_has_time",
            ),
            models.CheckConstraint(
                condition=Q(settled_amount__gte=0, settled_amount__lte=F("total")),
                name="igny8_invoices_settled_within_total",
            ),
            models.CheckConstraint(
                condition=Q(status=InvoiceStatus.PAID, settled_amount=F("total"))
                | (~Q(status=InvoiceStatus.PAID) & ~Q(settled_amount=F("total"))),
                name="igny8_invoices_paid_is_settled",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=[InvoiceStatus.DRAFT, InvoiceStatus.VOID]) | Q(settled_amount=0),
                name="igny8_invoices_void_holds_nothing",
            ),
            models.CheckConstraint(condition=Q(due_date__gte=F("invoice_date")), name="igny8_invoices_due_after_date"),
            models.UniqueConstraint(
                fields=["stripe_invoice_id"],
                condition=~Q(stripe_invoice_id=""),
                name="igny8_invoices_stripe_invoice_unique",
            ),
            # A form that is sent twice makes one invoice, and an invoice is corrected by one.
            models.UniqueConstraint(
                fields=["account", "request_key"],
                condition=Q(request_key__isnull=False),
                name="igny8_invoices_once_per_form",
            ),
            models.UniqueConstraint(
                fields=["replaces"], condition=Q(replaces__isnull=False), name="igny8_invoices_replaced_once"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="igny8_invoices_of_account"),
            # The customer's list, which can have a hundred thousand: by day, by amount, and those of a status.
            models.Index(
                fields=["account", "invoice_date", "id"], include=["invoice_number"], name="igny8_invoices_by_day"
            ),
            models.Index(fields=["account", "total", "id"], name="igny8_invoices_by_total"),
            models.Index(fields=["account", "status", "invoice_date", "id"], name="igny8_invoices_status_day"),
            # What is open stands on each of the customer's pages.
            models.Index(
                fields=["account", "due_date", "id"],
                name="igny8_invoices_open_due",
                condition=Q(status=InvoiceStatus.PENDING),
            ),
            models.Index(fields=["status", "due_date"], name="igny8_invoices_by_status"),
            # For the operators' search: what is open of an amount that stands on a statement.
            models.Index(
                fields=["total", "currency", "-id"],
                name="igny8_invoices_open_total",
                condition=Q(status=InvoiceStatus.PENDING),
            ),
        ]

    def __str__(self) -> str:
        return self.invoice_number

    @property
    def line_items(self) -> list[dict[str, Any]]:
        """The lines for people to read: `[{"description": "…", "quantity": 1, "amount": "89.00", …}]`.

        `amount` is the price of one unit. Code that decides something reads the columns of InvoiceLine instead. Lists
        of invoices prefetch `lines`.
        """
        return [line.as_item(self.currency) for line in self.lines.all()]

    def keep_lines(self, lines: "list[InvoiceLine]") -> None:
        """Keep `lines` that were read or written with the invoice, as if they were prefetched."""
        kept = self.lines.all()
        kept._result_cache = lines
        self._prefetched_objects_cache = {"lines": kept}

    @property
    def replaced_by(self) -> "Invoice | None":
        """The invoice that corrects this one; None if there is none."""
        return self.replacements.first()

    @property
    def renewal_paid(self) -> "Renewal | None":
        """The renewal that the invoice was made for; None for any other invoice."""
        return getattr(self, "renewal", None)

    def keep_renewal(self, renewal: "Renewal | None") -> None:
        """Keep the renewal that was read with the invoice, or that there is none."""
        # Typed as any field, and this is the other side of the renewal's.
        relation: Any = self._meta.get_field("renewal")
        relation.set_cached_value(self, renewal)

    @property
    def billing_period_start(self) -> datetime | None:
        """The start of the period that the invoice sells; None if it sells none, or one that begins when it is paid."""
        return self._period[0]

    @property
    def billing_period_end(self) -> datetime | None:
        """The end of the period that the invoice sells; None if it sells none, or one that begins when it is paid."""
        return self._period[1]

    @property
    def _period(self) -> tuple[datetime | None, datetime | None]:
        sold = next((line for line in self.lines.all() if line.sells_plan), None)
        return sold.period_sold(self.paid_at) if sold else (None, None)

    @property
    def billing_email(self) -> str:
        """The address on the document: the one stored at creation, otherwise the account's current one."""
        snapshot: dict[str, str] = self.metadata.get("billing_snapshot", {})
        return snapshot.get("email") or self.account.billing_email


class InvoiceCounter(models.Model):
    """The last number given to an account's documents of a series and month. Its row lock keeps them gapless."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="+")
    series = models.CharField(max_length=3, default="INV", help_text="INV for invoices, CN for credit notes")
    month = models.CharField(max_length=6, help_text="YYYYMM of the invoice date, UTC")
    last_number = models.PositiveIntegerField()

    class Meta:
        db_table = "igny8_invoice_counters"
        constraints = [
            models.UniqueConstraint(fields=["account", "series", "month"], name="igny8_invoice_counters_once")
        ]

    def __str__(self) -> str:
        return f"{self.series}-{self.account_id}-{self.month}: {self.last_number}"
