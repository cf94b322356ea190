"""What the OpenAPI document says of our views, read from what the views declare."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.views import ListView


class ApiSchema(AutoSchema):
    """Documents a ListView's rows, filters and ordering and what is public; the rest is drf-spectacular's."""

    def get_auth(self) -> list[dict[str, Any]]:
        if PublicEndpoint in self.view.permission_classes:
            return []
        return list(super().get_auth())

    def get_response_serializers(self) -> Any:
        if isinstance(self.view, ListView) and self.method == "GET":
            return self.view.serializer_class(many=True)
        return super().get_response_serializers()

    def get_override_parameters(self) -> list[Any]:
        if not isinstance(self.view, ListView) or self.method != "GET":
            return list(super().get_override_parameters())
        view = self.view
        parameters = [OpenApiParameter(name, known.schema) for name, known in sorted(view.filters.items())]
        if view.orderings:
            names = [sign + name for name in view.orderings for sign in ("", "-")]
            schema = {"type": "string", "enum": names, "default": view.default_ordering}
            parameters.append(OpenApiParameter("ordering", schema, description="With - before it: descending."))
        return parameters
