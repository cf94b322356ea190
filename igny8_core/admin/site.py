"""The operators' console: Django's admin site with our theme."""

import re
from collections.abc import Callable
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, cast

from django.apps import apps
from django.core.paginator import InvalidPage
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils.functional import SimpleLazyObject

from igny8_core.auth.models import CustomerLoginEnd
from igny8_core.auth.permissions import operator_of
from igny8_core.auth.services.customer_logins import end_customer_login
from igny8_core.auth.services.page_sessions import is_operators
from igny8_core.auth.services.users import password_changed_in_console
from igny8_core.auth.session_cookie import cookie_of, drop_cookie
from igny8_core.common.middleware import CONSOLE_PREFIX

# The theme has no type hints, but it changes no types of Django's methods.
if TYPE_CHECKING:
    from django.contrib.admin import AdminSite as UnfoldAdminSite
else:
    from unfold.sites import UnfoldAdminSite

View = Callable[..., HttpResponseBase]
# A link to a model's page, and what stands in it.
MODEL_LINK = re.compile(rf'<a\b[^>]*?\shref="{CONSOLE_PREFIX}(\w+)/(\w+)/[^"]*"[^>]*>(.*?)</a>', re.DOTALL)


class ConsoleSite(UnfoldAdminSite):
    """The operators' console."""

    index_title = "Dashboard"

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; what is shown of rows that this operator may not open is no link.

        Django and the theme link whatever a row refers to, whoever looks; each such link would lead to a refusal.
        """
        guarded: View = super().admin_view(view, cacheable)

        @wraps(guarded)
        def answer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponseBase:
            response = guarded(request, *args, **named)
            if isinstance(response, SimpleTemplateResponse) and not response.is_rendered:
                response.add_post_render_callback(lambda page: self._take_links_away(request, page))
            return response

        return answer

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """As Django's, found out when it is looked at: every page is given it, and hardly one shows it."""
        return cast("list[Any]", SimpleLazyObject(partial(super().get_app_list, request, app_label)))

    def password_change(  # type: ignore[override] # Django's stubs forget that a success redirects.
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Change one's own password. As Django's, and the change is recorded, so that the operator is told by mail."""
        response: HttpResponse = super().password_change(request, extra_context)
        if request.method == "POST" and response.status_code == 302:
            # After the form has saved it: passwords are hashed outside of transactions.
            password_changed_in_console(operator_of(request))
        return response

    def logout(  # type: ignore[override] # Django's stubs forget that it redirects.
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As Django's; the operator's look at a customer's pages in this browser ends too."""
        response: HttpResponse = super().logout(request, extra_context)
        if request.method == "POST" and is_operators(cookie_of(request)):
            end_customer_login(cookie_of(request), CustomerLoginEnd.LOGGED_OUT)
            drop_cookie(response)
        return response

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The results of the search field. The theme's own view fails if there is no such `page`."""
        try:
            result: HttpResponse = super().search(request, extra_context)  # type: ignore[misc]
        except InvalidPage:
            said = "The page in the address must be a number of one that there is. Search again."
            return HttpResponseBadRequest(said, content_type="text/plain")
        return result

    def _take_links_away(self, request: HttpRequest, page: HttpResponse) -> None:
        known: dict[tuple[str, str], bool] = {}

        def kept(link: re.Match[str]) -> str:
            model = (link[1], link[2])
            if model not in known:
                known[model] = self._may_open(request, *model)
            return link[0] if known[model] else f"<span>{link[3]}</span>"

        page.content = MODEL_LINK.sub(kept, page.content.decode()).encode()

    def _may_open(self, request: HttpRequest, app_label: str, model_name: str) -> bool:
        try:
            pages = self._registry.get(apps.get_model(app_label, model_name))
        except LookupError:
            return True  # a page of the console's own
        return pages is None or pages.has_view_or_change_permission(request)
