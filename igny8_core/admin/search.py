"""/admin/search/: what one text finds over everything that this operator may view."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from igny8_core.business.billing.operator_search import LONGEST, Found, Kind, find_everywhere, readable
from igny8_core.common.money import amount_text
from igny8_core.console.columns import change_url, time_text


@dataclass(frozen=True)
class Hit:
    """A row that was found: what it is called, and what tells it from others."""

    title: str
    href: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """What was found of a kind; `href`: the list of all of it, empty if there is no more."""

    title: str
    hits: list[Hit]
    href: str


# How each kind is called, and what is said of a row.
SHOWN_AS: dict[Kind, tuple[str, Callable[[Any], tuple[str, ...]]]] = {
    Kind.INVOICE: ("Invoices", lambda row: (row.account.name, _amount(row.total, row), _status(row), _day(row))),
    Kind.PAYMENT: (
        "Payments",
        lambda row: (row.account.name, _amount(row.amount, row), row.manual_reference, _status(row), _day(row)),
    ),
    Kind.ACCOUNT: ("Accounts", lambda row: (row.billing_email or str(row.owner or ""), _status(row), _day(row))),
    Kind.USER: ("Users", lambda row: (row.full_name, str(row.account or "Operator"))),
    Kind.CREDIT_NOTE: ("Credit notes", lambda row: (row.account.name, _amount(row.amount, row), _day(row))),
    Kind.REFUND: ("Refunds", lambda row: (row.account.name, _amount(row.amount, row), _status(row), _day(row))),
    Kind.DISPUTE: ("Disputes", lambda row: (row.account.name, _amount(row.amount, row), _status(row), _day(row))),
    Kind.SUBSCRIPTION: ("Subscriptions", lambda row: (row.account.name, _status(row), _day(row))),
    Kind.SAVED_METHOD: ("Saved payment methods", lambda row: (row.account.name, row.display_name)),
    Kind.MESSAGE: ("Webhook messages", lambda row: (row.type, row.get_state_display(), time_text(row.received_at))),
}
# What a row is called where that is not what it says of itself.
TITLES: dict[Kind, Callable[[Any], str]] = {
    Kind.PAYMENT: lambda row: f"{row} of {row.invoice.invoice_number}",
    Kind.DISPUTE: lambda row: row.gateway_dispute_id,
    Kind.MESSAGE: lambda row: row.event_id,
}
# Their lists find by the same text.
LISTS_THAT_SEARCH = {Kind.INVOICE, Kind.PAYMENT, Kind.ACCOUNT, Kind.USER}


@require_safe
def search_page(request: HttpRequest) -> HttpResponse:
    """The page of results for `q`. The theme's own search of the menu, which sends `s`, is answered as before."""
    if "q" not in request.GET and "s" in request.GET:
        answer: HttpResponse = admin.site.search(request)  # type: ignore[attr-defined]
        return answer
    asked = readable(request.GET.get("q", ""))
    is_too_long = len(asked) > LONGEST
    kinds = [kind for kind in Kind if request.user.has_perm(_permission(kind))]
    facts = {
        "title": "Search",
        "asked": asked[:LONGEST],
        "longest": LONGEST,
        "is_too_long": is_too_long,
        "names": [SHOWN_AS[kind][0].lower() for kind in kinds],
        "groups": [_group(found, asked) for found in find_everywhere(asked, kinds)],
    }
    context = {**admin.site.each_context(request), **facts}
    return TemplateResponse(request, "admin/search.html", context, status=400 if is_too_long else 200)


def _group(found: Found, asked: str) -> Group:
    kind, (title, details) = found.kind, SHOWN_AS[found.kind]
    named = TITLES.get(kind, str)
    hits = [Hit(named(row), change_url(kind.value, row.pk), details(row)) for row in found.rows]
    is_listed = found.has_more and kind in LISTS_THAT_SEARCH
    return Group(title, hits, reverse(f"admin:{kind.value}_changelist", query={"q": asked}) if is_listed else "")


def _permission(kind: Kind) -> str:
    app, _, model = kind.value.rpartition("_")
    return f"{app}.view_{model}"


def _amount(amount: Any, row: Any) -> str:
    return amount_text(amount, row.currency) if amount is not None else ""


def _status(row: Any) -> str:
    text: str = row.get_status_display()
    return text


def _day(row: Any) -> str:
    return f"{row.created_at:%d %b %Y}"


urlpatterns = [path("", admin.site.admin_view(search_page), name="console_search")]
