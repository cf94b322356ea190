"""The account's invoices: found by number, status and day, and each with its lines, payments and documents."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, User
from igny8_core.business.billing.errors import InvoiceNotFound
from igny8_core.business.billing.invoice_search import find_invoices, whole_invoice
from igny8_core.business.billing.models import Invoice, InvoiceStatus
from igny8_core.business.billing.services.invoices.instructions import why_rejected
from igny8_core.business.billing.services.invoices.lines import printed_lines
from igny8_core.business.billing.services.invoices.pay_links import pay_link
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.addresses import path_of
from igny8_core.web.frame.forms import status_of
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people
from igny8_core.web.invoices.forms import LAST_PAGE, InvoiceListForm, status_names

SIZE = 25


@require_safe
@for_people
@member
def invoices(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/invoices: every member may look at them."""
    form = InvoiceListForm(request.GET)
    found = find_invoices(account, form.wanted, page=form.number, size=SIZE)
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "rows": rows_of(found.invoices),
        "first_row": (form.number - 1) * SIZE + 1,
        "last_row": (form.number - 1) * SIZE + len(found.invoices),
        "previous": form.number - 1,
        "next": form.number + 1 if found.has_more and form.number < LAST_PAGE else 0,
        "query": query.urlencode(),
        "may_pay": person.role in MANAGER_ROLES,
    }
    response = account_page(request, person, account, "account_invoices", "invoices/invoices.html", context)
    response.status_code = status_of(form)
    return response


@require_safe
@for_people
@member
def invoice(request: HttpRequest, person: User, account: Account, invoice_id: int) -> HttpResponse:
    """GET /account/invoices/<id>: one invoice of the account."""
    context = {**facts_of(shown_invoice(account, invoice_id)), "may_pay": person.role in MANAGER_ROLES}
    return account_page(request, person, account, "account_invoices", "invoices/invoice.html", context)


@require_safe
@for_people
@member
def pay(request: HttpRequest, person: User, account: Account, invoice_id: int) -> HttpResponse:
    """GET /account/invoices/<id>/pay: leads to the page where it is paid."""
    return HttpResponseRedirect(path_of(pay_link(shown_invoice(account, invoice_id))), status=303)


def shown_invoice(account: Account, invoice_id: int) -> Invoice:
    """The account's invoice, with all that its page shows. Raises InvoiceNotFound."""
    found = whole_invoice(account, invoice_id)
    if found is None:
        raise InvoiceNotFound()
    return found


def rows_of(found: list[Invoice]) -> list[dict[str, Any]]:
    """Invoices as a list shows them."""
    names = status_names()
    return [{"invoice": each, "status": names[each.status], "is_open": is_open(each)} for each in found]


def is_open(invoice: Invoice) -> bool:
    """Whether somebody can pay it here."""
    return invoice.status == InvoiceStatus.PENDING and not invoice.stripe_invoice_id


def facts_of(invoice: Invoice) -> dict[str, Any]:
    """What the page of an invoice shows."""
    payments = [{"row": each, "why": each.failure_reason and why_rejected(each)} for each in invoice.payments.all()]
    return {
        "invoice": invoice,
        "status": status_names()[invoice.status],
        "is_open": is_open(invoice),
        "lines": printed_lines(invoice),
        "payments": payments,
        "notes": list(invoice.credit_notes.all()),
        "customer": invoice.metadata.get("billing_snapshot", {}),
    }
