"""The router that gives ViewSets their addresses."""

from typing import Any

from rest_framework.routers import Route, SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from igny8_core.common.api.views import SingletonViewSet

SINGLETON = Route(
    url="{prefix}{trailing_slash}",
    mapping={"get": "retrieve", "post": "create", "patch": "partial_update", "delete": "destroy"},
    name="{basename}-detail",
    detail=True,
    initkwargs={},
)


class ApiRouter(SimpleRouter):
    """DRF's router with Django's path syntax, so a prefix can hold ids: `sites/<int64:site_id>/access`.

    A SingletonViewSet is at its prefix, without an id. Names for `reverse()` begin with the ViewSet's class name.
    """

    def __init__(self) -> None:
        super().__init__(use_regex_path=False)

    def get_default_basename(self, viewset: type[ViewSetMixin]) -> str:
        return viewset.__name__.removesuffix("ViewSet").lower()

    def get_routes(self, viewset: type[ViewSetMixin]) -> list[Any]:
        """The router's patterns for one ViewSet."""
        routes = super().get_routes(viewset)
        if issubclass(viewset, SingletonViewSet):
            return [SINGLETON, *(route for route in routes if not route.detail)]
        return routes
