"""The parent classes of all API views: known query parameters, validated bodies, resources as ViewSets, paged lists."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, NotFound, PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request, override_method
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from igny8_core.common.api.callers import count_person, count_write, forget_caller, too_many_misses
from igny8_core.common.api.downloads import in_asked_type
from igny8_core.common.api.envelope import success
from igny8_core.common.api.exceptions import NO_SUCH_ADDRESS
from igny8_core.common.api.negotiation import QuickNegotiation
from igny8_core.common.api.pagination import EnvelopePagination
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.query import Filter, filtered, ordered, refuse_unknown_parameters


class ApiView(APIView):
    """A view that must declare `permission_classes` (checks.py) and lists the query parameters that it accepts."""

    query_parameters: ClassVar[frozenset[str]] = frozenset()
    # The heading of its operations in the OpenAPI document.
    tag: ClassVar[str] = ""
    content_negotiation_class: type[BaseContentNegotiation] = QuickNegotiation
    # Whether the general limits hold (request_limits.py).
    is_limited: ClassVar[bool] = True
    # Whether what changes something here uses up the account's writes of the day. Not what has a price of its own.
    uses_up_writes: ClassVar[bool] = True
    http_method_names = ["get", "head", "post", "put", "patch", "delete", "options"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """DRF's checks, then query parameters. Raises ValidationError for an unknown one."""
        super().initial(request, *args, **kwargs)
        if self.uses_up_writes and request._request.method not in SAFE_METHODS:
            count_write(request.user)
        if request.META.get("QUERY_STRING"):
            refuse_unknown_parameters(request.query_params, self.known_query_parameters())

    def perform_authentication(self, request: Request) -> None:
        """Find out who asks, and count them. Raises Throttled for who asks too much."""
        count_person(request)

    def handle_exception(self, exc: Exception) -> Response:
        """DRF's answer to an exception. Who asks for many things that are not there is told to wait instead."""
        if isinstance(exc, AuthenticationFailed | NotAuthenticated):
            forget_caller(self.request)
        return super().handle_exception(too_many_misses(self.request, exc) or exc)

    def check_permissions(self, request: Request) -> None:
        """Raises NotAuthenticated or PermissionDenied. OPTIONS needs the permission of any other method of the view."""
        if request.method == "OPTIONS":
            self._require_any_method(request)
        else:
            super().check_permissions(request)

    def _require_any_method(self, request: Request) -> None:
        refusal: NotAuthenticated | PermissionDenied = PermissionDenied()
        for method in filter("OPTIONS".__ne__, self.allowed_methods):
            try:
                with override_method(self, request, method) as as_if_used:
                    return super().check_permissions(as_if_used)
            except (NotAuthenticated, PermissionDenied) as exc:
                refusal = exc
        raise refusal

    def get_throttles(self) -> Sequence[BaseThrottle]:  # type: ignore[override]
        """The view's throttles. OPTIONS requests are not counted."""
        return [] if self.request.method == "OPTIONS" else super().get_throttles()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        return in_asked_type(request, super().finalize_response(request, response, *args, **kwargs))

    def known_query_parameters(self) -> frozenset[str]:
        return self.query_parameters

    def validated(self, serializer_class: type[Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """The request's body, validated by `serializer_class`. Raises ValidationError.

        With `partial` (for PATCH) fields can be missing; the result leaves them out.
        """
        serializer = serializer_class(data=self.request.data, partial=partial, context=self.serializer_context())
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def serializer_context(self) -> dict[str, Any]:
        return {"request": self.request, "view": self}

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """The methods that this address supports, as in the Allow header."""
        return success({"methods": self.allowed_methods})


class ApiViewSet(ViewSetMixin, ApiView):
    """A resource: methods `list`, `create`, `retrieve`, `partial_update`, `destroy`, and other verbs with `@action`.

    Keyword arguments of `@action` override the class: `permission_classes`, `throttle_classes`, `query_parameters` and
    so on. Resources for operators name the permission of each action in `operator_permissions` (auth/permissions.py).
    `lookup_url_kwarg` is the name of the id in addresses and the name of the methods' parameter.
    """

    lookup_value_converter = "int64"


class SingletonViewSet(ApiViewSet):
    """A resource of which each owner has exactly one, so its address has no id (routers.py)."""


class ListViewSet(ApiViewSet):
    """A resource with a paged list, which allows the filters and orderings that it names.

    Subclasses set `serializer_class`, `filters` (parameter → Filter), `orderings` (public name → column),
    `default_ordering` (a public name, "-" before it for descending), and `rows()`, which starts from the account.
    The class's docstring describes the list in the OpenAPI document.
    """

    pagination_class = EnvelopePagination
    serializer_class: type[Serializer[Any]]
    filters: ClassVar[Mapping[str, Filter]] = {}
    orderings: ClassVar[Mapping[str, str]] = {}
    default_ordering: ClassVar[str]

    def rows(self) -> QuerySet[Any]:
        """All rows that this caller may see."""
        raise NotImplementedError

    def known_query_parameters(self) -> frozenset[str]:
        if self.action != "list":
            return self.query_parameters
        return self.query_parameters | {"page", "page_size", "ordering"} | set(self.filters)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One page of the rows."""
        query = request.query_params
        rows = filtered(self.rows(), query, self.filters)
        picked = any(known.picks for name, known in self.filters.items() if name in query)
        rows = ordered(rows, query, self.orderings, self.default_ordering, picked=picked)
        paginator = self.pagination_class()
        keys = paginator.paginate_queryset(rows.values_list("pk", flat=True), request, self)
        found = self.rows().in_bulk(keys)
        page = [found[key] for key in keys if key in found]
        serializer = self.serializer_class(page, many=True, context=self.serializer_context())
        return paginator.get_paginated_response(serializer.data)


class NoSuchAddress(ApiView):
    """The last route under `api/`: answers every unknown address with JSON, also under DEBUG and without a slash."""

    authentication_classes = ()
    permission_classes = (PublicEndpoint,)
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Raises NotFound for every method."""
        raise NotFound(NO_SUCH_ADDRESS)
