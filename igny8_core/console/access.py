"""Every page of the console with what it takes to open it, read from the pages' own checks."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, get_resolver

CONSOLE = "admin/"
Check = Callable[[HttpRequest], bool]
# Pages of a model beside Django's own and the buttons': their name, the model, and which check of its admin they make.
# A page that is missing here fails the test of the table.
OTHER_PAGES = {
    "billing_payment_queue": ("billing.payment", "view"),
    "billing_payment_check": ("billing.payment", "view"),
    "billing_payment_decide": ("billing.payment", "approve"),
    "billing_payment_decided": ("billing.payment", "view"),
    "billing_payment_proof": ("billing.payment", "view"),
    "billing_payment_proof_pages": ("billing.payment", "view"),
    "billing_invoice_decide": ("billing.invoice", "void"),
    "billing_invoice_pdf": ("billing.invoice", "view"),
    "billing_invoice_picture": ("billing.invoice", "view"),
    "billing_creditnote_pdf": ("billing.creditnote", "view"),
    "billing_creditnote_picture": ("billing.creditnote", "view"),
    "billing_paymentmethodconfig_preview": ("billing.paymentmethodconfig", "view"),
    "billing_paymentmethodconfig_switch": ("billing.paymentmethodconfig", "change"),
    "events_delivery_drop_selected": ("events.delivery", "retry"),
    "console_mail_previews": ("events.delivery", "view"),
    "auth_user_password_change": ("igny8_auth.user", "change"),
}
# What every operator may open: the dashboard, their own login, and what scripts of the pages load.
FOR_EVERY_OPERATOR = frozenset(
    {"index", "search", "console_search", "password_change", "password_change_done", "console_second_factor", "jsi18n"}
)
# What is opened before anybody is logged in, leads elsewhere, or answers a script for a field of another page.
OF_NO_ROLE = frozenset(
    {"login", "logout", "console_code", "operator_invitation", "view_on_site", "autocomplete", "app_list", None}
)


@dataclass(frozen=True)
class ConsolePage:
    """A page: its address as a pattern, its name, what is done there, and whether a request may."""

    address: str
    name: str
    does: str
    check: Check

    @property
    def shown(self) -> str:
        """The address with * for the id of a row."""
        return re.sub(r"<[^>]+>", "*", self.address)


class UnknownPage(LookupError):
    """A page of the console of which nothing says what it takes to open it."""


def pages_of_console() -> list[ConsolePage]:
    """All pages that take a permission, by address. Raises UnknownPage."""
    return sorted((page for address, name in _named() for page in _pages(address, name)), key=lambda page: page.address)


def permissions_asked(page: ConsolePage) -> list[str]:
    """The permissions that a page asks for; of those of which one is enough the first. Empty: superusers alone."""
    asked: list[str] = []

    class Everything:
        is_superuser, is_staff, is_active, is_authenticated, is_anonymous = False, True, True, True, False

        def has_perm(self, name: str, obj: object = None) -> bool:
            asked.append(name)
            return True

        def has_perms(self, names: Iterable[str], obj: object = None) -> bool:
            return all(self.has_perm(name) for name in names)

    return list(dict.fromkeys(asked)) if page.check(request_of(Everything())) else []


def request_of(user: Any) -> HttpRequest:
    """A request of somebody, to put to a page's check."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    return request


def _named() -> Iterator[tuple[str, str | None]]:
    def walk(patterns: Iterable[Any], before: str) -> Iterator[tuple[str, str | None]]:
        for pattern in patterns:
            address = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, address)
            elif isinstance(pattern, URLPattern) and address.startswith(CONSOLE):
                yield address, pattern.name

    yield from walk(get_resolver().url_patterns, "")


def _pages(address: str, name: str | None) -> list[ConsolePage]:
    if name is None or name in OF_NO_ROLE | FOR_EVERY_OPERATOR:
        return []
    for model, pages in admin.site._registry.items():
        label, check = OTHER_PAGES.get(name, ("", ""))
        if label == model._meta.label_lower:
            return [ConsolePage(address, name, name.rpartition("_")[2], getattr(pages, f"has_{check}_permission"))]
        begin = f"{model._meta.app_label}_{model._meta.model_name}_"
        if not label and name.startswith(begin):
            return _pages_of_model(address, name, name.removeprefix(begin), pages)
    raise UnknownPage(f"Say in igny8_core/console/access.py what it takes to open {address} ({name}).")


def _pages_of_model(address: str, name: str, page: str, pages: Any) -> list[ConsolePage]:
    if page in {"changelist", "history"}:
        return [ConsolePage(address, name, "looks", pages.has_view_or_change_permission)]
    if page == "change":
        looks = ConsolePage(address, name, "looks", pages.has_view_or_change_permission)
        return [looks, ConsolePage(address, name, "saves", pages.has_change_permission)]
    if page in {"add", "delete"}:
        check = pages.has_add_permission if page == "add" else pages.has_delete_permission
        return [ConsolePage(address, name, f"{page}s", check)]
    allowed = getattr(getattr(pages, page, None), "allowed_permissions", None)
    if allowed is None:
        raise UnknownPage(f"Say in igny8_core/console/access.py what it takes to open {address} ({name}).")
    checks = [getattr(pages, f"has_{each}_permission") for each in allowed]
    return [ConsolePage(address, name, page, lambda request: all(check(request) for check in checks))]
