"""Lists in pages, in the envelope."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.paginator import EmptyPage, Paginator
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

MAX_DIGITS = 30
LARGEST_PAGE = 10**9


class EnvelopePagination(PageNumberPagination):
    """`page` (from 1) and `page_size` (25, at most 100), in ASCII digits; a page past the end is 404."""

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The rows of the requested page; raises ValidationError (400) or NotFound (404)."""
        self.request = request
        paginator = Paginator(queryset, self.get_page_size(request))
        # Above this no page exists, and larger numbers would overflow the database's OFFSET.
        number = min(_positive(request, "page", 1), LARGEST_PAGE)
        try:
            self.page = paginator.page(number)
        except EmptyPage:
            raise NotFound(f"There is no such page. The last page is {paginator.num_pages}.") from None
        return list(self.page)

    def get_page_size(self, request: Request) -> int:
        size = _positive(request, "page_size", self.page_size)
        if size > self.max_page_size:
            raise ValidationError({"page_size": [f"At most {self.max_page_size}."]})
        return size

    def get_paginated_response(self, data: Any) -> Response:
        if self.page is None:
            raise RuntimeError("paginate_queryset comes first")
        return Response(
            {
                "success": True,
                "data": data,
                "count": self.page.paginator.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
            }
        )

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "success": {"type": "boolean", "const": True},
            "data": schema,
            "count": {"type": "integer", "minimum": 0},
            "next": link,
            "previous": link,
        }
        return {"type": "object", "required": list(properties), "properties": properties}


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", text) or int(text) == 0:
        raise ValidationError({name: ["Expected a whole number from 1."]})
    return int(text)
