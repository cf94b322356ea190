"""Switching payment methods on and off in the list, which is grouped by country."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from igny8_core.auth.permissions import operator_of
from igny8_core.business.billing.models import ALL_COUNTRIES, PaymentMethodConfig
from igny8_core.business.billing.offers import countries_left_without
from igny8_core.business.billing.payees import details_of
from igny8_core.business.billing.services.payment_methods.configuration import update_payment_method
from igny8_core.common.errors import DomainError
from igny8_core.common.written import country_text
from igny8_core.console.pages import ConsoleAdmin

EVERYWHERE = "All other countries"


class SwitchesMethods(ConsoleAdmin):
    """The list with its switches, and the question before the last method of a country goes."""

    def get_urls(self) -> list[URLPattern]:
        """The model's pages, and the address of a row's switch."""
        view = self.admin_site.admin_view(self.switch_view)
        return [path("<path:object_id>/switch/", view, name="billing_paymentmethodconfig_switch"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, in groups by country."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            shown = response.context_data["cl"].result_list
            may_delete = self.has_delete_permission(request)
            more = {"countries": _grouped(shown), "may_switch": self.has_change_permission(request)}
            response.context_data |= {**more, "may_select": may_delete}
        return response

    def switch_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Offer a method, or stop offering it, as the button says. Raises PermissionDenied."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        config: PaymentMethodConfig | None = self.get_object(request, object_id)
        if config is None:
            return self._no_such_row(request, object_id)
        if request.method != "POST":
            raise PermissionDenied
        is_on = request.POST.get("on") == "1"
        lost = [] if is_on or not config.is_enabled else countries_left_without(config)
        if lost and "sure" not in request.POST:
            return self._ask(request, config, lost)
        try:
            update_payment_method(config, operator_of(request), is_enabled=is_on)
        except DomainError as refusal:
            messages.warning(request, refusal.text)
        else:
            messages.success(request, f"{named(config)} is {'offered' if is_on else 'not offered any more'}.")
        return HttpResponseRedirect(reverse("admin:billing_paymentmethodconfig_changelist"), status=303)

    def _ask(self, request: HttpRequest, config: PaymentMethodConfig, lost: list[str]) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": f"Stop offering {named(config)}?",
            "opts": self.opts,
            "config": config,
            "countries": [place(code) for code in lost],
        }
        return TemplateResponse(request, "admin/billing/paymentmethodconfig/last.html", context)


@dataclass(frozen=True)
class Listed:
    """A method of the list, with its details in a line."""

    config: PaymentMethodConfig

    @property
    def details(self) -> str:
        return ", ".join(f"{label} {value}" for label, value in details_of(self.config))


@dataclass(frozen=True)
class Country:
    """A country's own rows, and the names of those that are offered."""

    name: str
    rows: list[Listed]

    @property
    def offered(self) -> list[str]:
        return [row.config.display_name for row in self.rows if row.config.is_enabled]


def _grouped(configs: Iterable[PaymentMethodConfig]) -> list[Country]:
    """The rows by country: first those for all others, then by the country's name."""
    by_code: dict[str, list[Listed]] = {}
    for config in configs:
        by_code.setdefault(config.country_code, []).append(Listed(config))
    codes = sorted(by_code, key=lambda code: (code != ALL_COUNTRIES, place(code)))
    return [Country(place(code), by_code[code]) for code in codes]


def named(config: PaymentMethodConfig) -> str:
    """A method and where it is offered, as operators read it."""
    return f"{config.display_name} ({place(config.country_code)})"


def place(code: str) -> str:
    """The name of a country, or what * stands for."""
    return EVERYWHERE if code == ALL_COUNTRIES else country_text(code)
