"""Lists in pages, in the envelope; as quick on a million rows as on ten."""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

MAX_DIGITS = 30
# Counting all of a million rows takes longer than reading a page of them, so counting stops here.
COUNT_LIMIT = 10_000
# A page is reached by passing over the ones before it: the thousandth of a hundred rows is the last.
DEEPEST_ROW = 100_000


class EnvelopePagination(PageNumberPagination):
    """`page` (from 1) and `page_size` (25, at most 100), in ASCII digits; a page past the end is 404.

    `count` is exact up to 10,000; 10,001 says that there are more. Rows behind the 100,000th are reached by filters.
    """

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """What the requested page has of `queryset`, the keys of a list in its order (benchmarks/lists.py).

        Raises ValidationError (400) or NotFound (404).
        """
        self.request = request
        self.number, size = _positive(request, "page", 1), self.get_page_size(request)
        start, end = (self.number - 1) * size, self.number * size
        # Read once, to be counted and for the page: what a search finds is found once.
        keys = list(queryset[: COUNT_LIMIT + 1])
        self.count = len(keys)
        if self.count > COUNT_LIMIT and end > DEEPEST_ROW:
            raise ValidationError({"page": [f"Pages end at row {DEEPEST_ROW}. Narrow the list with filters."]})
        behind = self.count > COUNT_LIMIT and end > COUNT_LIMIT
        page = list(queryset[start : end + 1]) if behind else keys[start : end + 1]
        if not page and self.number > 1:
            raise NotFound("There is no such page: the list ends before it.")
        self.has_more = len(page) > size
        return page[:size]

    def begin_first_page(self, request: Request) -> int:
        """How many rows the first page has, for a list that reads them in a way of its own. Raises ValidationError."""
        self.request, self.number = request, 1
        self.size = self.get_page_size(request)
        return self.size

    def first_page(self, data: list[Any], count: int) -> Response:
        """The answer with the rows of the first page, written already, of `count` (at most COUNT_LIMIT + 1)."""
        self.count, self.has_more = count, count > self.size
        return self.get_paginated_response(data)

    def get_page_size(self, request: Request) -> int:
        size = _positive(request, "page_size", self.page_size)
        if size > self.max_page_size:
            raise ValidationError({"page_size": [f"At most {self.max_page_size}."]})
        return size

    def get_next_link(self) -> str | None:
        return replace_query_param(self._address(), "page", self.number + 1) if self.has_more else None

    def get_previous_link(self) -> str | None:
        if self.number == 1:
            return None
        if self.number == 2:
            return remove_query_param(self._address(), "page")
        return replace_query_param(self._address(), "page", self.number - 1)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "success": True,
                "data": data,
                "count": self.count,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
            }
        )

    def get_paginated_response_schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        properties = {
            "success": {"type": "boolean", "const": True},
            "data": schema,
            "count": {
                "type": "integer",
                "minimum": 0,
                "maximum": COUNT_LIMIT + 1,
                "description": f"Exact up to {COUNT_LIMIT}; {COUNT_LIMIT + 1} says that there are more.",
            },
            "next": link,
            "previous": link,
        }
        return {"type": "object", "required": list(properties), "properties": properties}

    def _address(self) -> str:
        return str(self.request.build_absolute_uri())  # type: ignore[union-attr]


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(rf"[0-9]{{1,{MAX_DIGITS}}}", text) or int(text) == 0:
        raise ValidationError({name: ["Expected a whole number from 1."]})
    return int(text)
