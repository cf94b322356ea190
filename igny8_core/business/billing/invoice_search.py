"""What customers find an invoice by: a part of its number, its status, the days between which it was made."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Prefetch, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from igny8_core.auth.models import Account
from igny8_core.business.billing.models import CreditNote, Invoice, Payment
from igny8_core.business.billing.selectors import invoices_of

SERIES = "INV"


class Order(TextChoices):
    """In which order a list stands."""

    NEWEST = "newest", _("Newest first")
    OLDEST = "oldest", _("Oldest first")
    HIGHEST = "highest", _("Highest amount first")
    LOWEST = "lowest", _("Lowest amount first")


# Each has an index with these columns behind the account.
COLUMNS = {
    Order.NEWEST: ("-invoice_date", "-id"),
    Order.OLDEST: ("invoice_date", "id"),
    Order.HIGHEST: ("-total", "-id"),
    Order.LOWEST: ("total", "id"),
}


@dataclass(frozen=True)
class Wanted:
    """Which invoices of an account, and in which order; what is empty narrows nothing."""

    text: str = ""
    status: str = ""
    first: date | None = None
    last: date | None = None
    order: Order = Order.NEWEST


@dataclass(frozen=True)
class Found:
    """A page of invoices; whether there are more behind it."""

    invoices: list[Invoice]
    has_more: bool


def numbered(invoices: QuerySet[Invoice], text: str) -> QuerySet[Invoice]:
    """Those with `text` anywhere in their number, in any case: numbers are written in capital letters.

    All numbers begin alike and have that nowhere else, so the beginning of a number is looked up by its index.
    """
    part = text.upper()
    if part.startswith(f"{SERIES}-"):
        return invoices.filter(invoice_number__startswith=part)
    return invoices.filter(invoice_number__contains=part)


def find_invoices(account: Account, wanted: Wanted, *, page: int, size: int) -> Found:
    """The page (from 1) of the account's invoices that are wanted.

    Their keys are found by an index alone; only what is shown is read.
    """
    start = (page - 1) * size
    keys = list(wanted_keys(account, wanted)[start : start + size + 1])
    shown = {invoice.pk: invoice for invoice in invoices_of(account).filter(pk__in=keys[:size])}
    return Found([shown[key] for key in keys[:size]], len(keys) > size)


def wanted_keys(account: Account, wanted: Wanted) -> QuerySet[Invoice, int]:
    """The ids of the account's invoices that are wanted, in their order."""
    rows = Invoice.objects.filter(account=account)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.first:
        rows = rows.filter(invoice_date__gte=wanted.first)
    if wanted.last:
        rows = rows.filter(invoice_date__lte=wanted.last)
    if wanted.text:
        rows = numbered(rows, wanted.text)
    return rows.order_by(*COLUMNS[wanted.order]).values_list("pk", flat=True)


def whole_invoice(account: Account, invoice_id: int) -> Invoice | None:
    """The account's invoice with its lines, and its payments and credit notes, newest first; None if there is none."""
    with_all = invoices_of(account).prefetch_related(
        "lines",
        Prefetch("payments", Payment.objects.filter(account=account).order_by("-pk")),
        Prefetch("credit_notes", CreditNote.objects.filter(account=account).order_by("-pk")),
    )
    return with_all.filter(pk=invoice_id).first()
