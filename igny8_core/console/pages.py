"""What the pages of the operators' console are built from: who may change what, and how it is noted."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, reverse
from unfold.paginator import InfinitePaginator

from igny8_core.console.columns import EMPTY
from igny8_core.events import services as events
from igny8_core.events.histories import SHOWN_AT_MOST, history_of

# The theme has no type hints; it adds to Django's class and changes none of its methods' types. Django's forms know
# what they are of only while types are checked.
if TYPE_CHECKING:
    from django import forms
    from django.contrib import admin

    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
else:
    from django.forms import ModelForm as ModelForm
    from unfold.admin import ModelAdmin, TabularInline
View = Callable[..., HttpResponseBase]


class ConsoleAdmin(ModelAdmin):
    """A model's pages in the console: no counting of whole tables, and a refusal where an action is not offered."""

    empty_value_display = EMPTY
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    # Filters with fields to fill in are applied together, by a button.
    list_filter_submit = True
    warn_unsaved_form = True
    # What its events are called, where not after the model, and whether they hold values: never those about people.
    event_noun = ""
    tells_values = False

    def get_urls(self) -> list[URLPattern]:
        """The model's pages; each that is about one row answers for an id that no row has."""
        patterns: list[URLPattern] = super().get_urls()
        for pattern in patterns:
            pattern.callback = self._for_a_row(pattern.callback)
        return patterns

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """As Django does; which columns the form changed is kept for the event."""
        columns = {field.name for field in self.opts.get_fields()}
        request.changed_columns = columns & {*form.changed_data}  # type: ignore[attr-defined]
        return super().construct_change_message(request, form, formsets, add)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save what the form changed and nothing else: balances and passwords may be others than when it was read."""
        changed = form.changed_data
        columns = [field.name for field in self.opts.concrete_fields if field.name in changed]
        obj.save(update_fields=columns if change else None)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Note what an operator added, in Django's log and as an event."""
        self._record("created", request, obj, None if self.tells_values else _changed(request))
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> LogEntry:
        """Note what an operator changed, in Django's log and as an event."""
        self._record("updated", request, obj, _changed(request))
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Note what an operator is about to delete, in Django's log and as events."""
        for obj in queryset:
            self._record("deleted", request, obj, None)
        return super().log_deletions(request, queryset)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list. Raises PermissionDenied for a POST of an action that this operator is not offered (MAS-08)."""
        # Django shows the list again, which nobody can tell from success.
        if request.method == "POST" and not self._offers(request, request.POST.getlist("action")):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's events. Django's own log holds only what was typed into forms, which is the least of it."""
        row = self.get_object(request, unquote(object_id))
        told = {"told": history_of(row) if row else [], "shown_at_most": SHOWN_AT_MOST, "title": f"History: {row}"}
        return super().history_view(request, object_id, {**told, **(extra_context or {})})

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What a deletion would take with it; what is in use is told from what the operator may not delete."""
        found, counts, forbidden, in_use = super().get_deleted_objects(objs, request)
        # Django names both, and the theme shows the permissions first, which is not what stands in the way.
        return found, counts, set() if in_use else forbidden, in_use

    def _for_a_row(self, view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            # The page for a new password calls it id.
            object_id = kwargs.get("object_id", kwargs.get("id"))
            if object_id is None or not self.admin_site.has_permission(request):
                return view(request, *args, **kwargs)
            if self.get_object(request, unquote(object_id)) is None:
                return self._no_such_row(request, object_id)
            return view(request, *args, **kwargs)

        return checked

    def _no_such_row(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        named = f"{self.opts.verbose_name} with the ID “{object_id[:50]}”"
        messages.warning(request, f"There is no {named}. Perhaps it was deleted.")
        address = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        # A dialog is asked for by a script, which would swap the list into it.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": address})
        return HttpResponseRedirect(address)

    def _record(self, participle: str, request: HttpRequest, obj: Any, columns: set[str] | None) -> None:
        kind, actor = f"{self.event_noun or self.opts.model_name}.{participle}", request.user.pk
        if self.tells_values:
            event = events.configured(kind, obj, actor, columns)
        else:
            event = events.about(kind, obj, actor, {"changed": sorted(columns or ())})
        with transaction.atomic():
            events.record(event)

    def _offers(self, request: HttpRequest, posted: list[str]) -> bool:
        offered = self.get_actions(request)
        return bool(offered) and set(posted) <= {"", *offered}


def _changed(request: HttpRequest) -> set[str]:
    columns: set[str] = request.changed_columns  # type: ignore[attr-defined]
    return columns


class SoldAdmin(ConsoleAdmin):
    """Pages of what is for sale: what an invoice sells, paid or not, is kept. Its rows have `invoice_lines`."""

    def get_deleted_objects(
        self, objs: Sequence[Any] | QuerySet[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What stands in the way of a deletion, without reading all that was ever sold of it."""
        # A name, and not the lines: there may be a hundred thousand of them.
        sold = self.model._default_manager.filter(pk__in=[obj.pk for obj in objs], invoice_lines__isnull=False)
        names = [str(row) for row in sold.distinct()]
        if not names:
            return super().get_deleted_objects(objs, request)
        messages.warning(
            request,
            f"{', '.join(names)}: ordered or sold, so it is kept, because invoices and open orders name it. To offer "
            "it no more, take away “is active”.",
        )
        return [str(obj) for obj in objs], {}, set(), [f"Invoices that sell {name}" for name in names]


class WrittenByServices:
    """No operator adds, changes or deletes these rows by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyInline(WrittenByServices, TabularInline):
    """Rows to look at on the page of what they belong to; who may see the page may see them."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the page."""
        return True


class ReadOnlyAdmin(WrittenByServices, ConsoleAdmin):
    """Pages to look at."""

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Who has the model's view or change permission."""
        name = self.opts.model_name
        permissions = (f"{self.opts.app_label}.{kind}_{name}" for kind in ("view", "change"))
        return any(request.user.has_perm(permission) for permission in permissions)


class LogAdmin(ReadOnlyAdmin):
    """Pages of a table that grows without end: it is paged through without ever being counted."""

    paginator = InfinitePaginator
