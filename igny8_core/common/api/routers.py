"""How ViewSets get their addresses."""

from typing import Any

from rest_framework.routers import Route, SimpleRouter
from rest_framework.viewsets import ViewSetMixin

from igny8_core.common.api.views import SingletonViewSet

SINGLETON = Route(
    url="{prefix}{trailing_slash}",
    mapping={"get": "retrieve", "patch": "partial_update", "delete": "destroy"},
    name="{basename}-detail",
    detail=True,
    initkwargs={},
)


class ApiRouter(SimpleRouter):
    """DRF's router in Django's path syntax: a prefix may hold ids of its own, such as `sites/<int64:site_id>/access`.

    A SingletonViewSet is found at its prefix alone. Names for `reverse()` begin with the ViewSet's class name.
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
