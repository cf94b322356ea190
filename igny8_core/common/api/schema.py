"""Writes the OpenAPI document of our views from what the views declare."""

import inspect
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from igny8_core.common.api import idempotency
from igny8_core.common.api.idempotency import HEADER
from igny8_core.common.api.openapi_refusals import AUTHENTICATES, REFUSALS, THROTTLED
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refusals_of
from igny8_core.common.api.summaries import summary_of
from igny8_core.common.api.views import ListViewSet
from igny8_core.common.errors import DomainError

# The tag of the operations for operators. Customers' copies of the document leave them out.
OPERATORS = "operators"


class ApiSchema(AutoSchema):
    """drf-spectacular's AutoSchema, extended for our views.

    It adds the rows, filters and ordering of a ListViewSet, public operations, the Idempotency-Key and refusals.
    """

    def get_description(self) -> str:  # type: ignore[override]
        """The docstring of a ListViewSet's class for its list; the method's docstring for other operations."""
        if listing := self._listing():
            return inspect.getdoc(type(listing)) or ""
        return str(super().get_description())

    def get_summary(self) -> str:
        """A short name of the operation (summaries.py)."""
        return summary_of(self.get_operation_id(), for_operators=OPERATORS in self.get_tags())

    def get_tags(self) -> list[str]:
        tag = getattr(self.view, "tag", "")
        return [tag] if tag else list(super().get_tags())

    def get_auth(self) -> list[dict[str, Any]]:
        if PublicEndpoint in self.view.permission_classes:
            return []
        return list(super().get_auth())

    def get_response_serializers(self) -> Any:
        if listing := self._listing():
            return listing.serializer_class(many=True)
        return super().get_response_serializers()

    def get_override_parameters(self) -> list[Any]:
        parameters = self._list_parameters()
        rule = getattr(self._handler(), "idempotency_key", None)
        if rule:
            text = "If you repeat the request with the same key within 48 hours, you get the first answer again."
            schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"}
            parameters.append(OpenApiParameter(HEADER, schema, "header", required=rule == "required", description=text))
        return parameters

    def get_operation(self, *args: Any) -> dict[str, Any] | None:
        """The operation with extensions that openapi_refusals.py reads and removes."""
        operation: dict[str, Any] | None = super().get_operation(*args)
        if operation is None:
            return None
        codes: dict[str, list[str]] = {}
        for error in (*refusals_of(self._handler()), *self._idempotency_errors()):
            codes.setdefault(str(error.http_status), []).append(error.code)
        return {
            **operation,
            REFUSALS: codes,
            # The general limits hold for all but the messages of gateways.
            THROTTLED: getattr(self.view, "is_limited", True),
            AUTHENTICATES: bool(self.view.authentication_classes),
        }

    def _listing(self) -> ListViewSet | None:
        return self.view if isinstance(self.view, ListViewSet) and self.view.action == "list" else None

    def _handler(self) -> Any:
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)

    def _idempotency_errors(self) -> list[type[DomainError]]:
        rule = getattr(self._handler(), "idempotency_key", None)
        if rule is None:
            return []
        missing = [idempotency.IdempotencyKeyRequired] if rule == "required" else []
        return [
            idempotency.InvalidIdempotencyKey,
            idempotency.IdempotencyKeyInFlight,
            idempotency.IdempotencyKeyReused,
            *missing,
        ]

    def _list_parameters(self) -> list[Any]:
        view = self._listing()
        if view is None:
            return list(super().get_override_parameters())
        parameters = [OpenApiParameter(name, known.schema) for name, known in sorted(view.filters.items())]
        if view.orderings:
            names = [sign + name for name in view.orderings for sign in ("", "-")]
            schema = {"type": "string", "enum": names, "default": view.default_ordering}
            parameters.append(
                OpenApiParameter("ordering", schema, description="Order of the rows; - before a name: descending.")
            )
        return parameters
