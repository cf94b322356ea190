"""Pages of lists, in the envelope. A page of a million rows is as quick as a page of ten."""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

MAX_DIGITS = 30
# Counting stops here: counting a million rows takes longer than reading a page of them.
COUNT_LIMIT = 10_000
# PostgreSQL reads all rows before a page, so pages end here: the thousandth page of 100 rows is the last.
DEEPEST_ROW = 100_000


class EnvelopePagination(PageNumberPagination):
    """Reads `page` (from 1) and `page_size` (25, at most 100) in ASCII digits; a page past the end is 404.

    `count` is exact up to 10,000; 10,001 means that there are more. Rows after the 100,000th need filters.
    """

    page_size = 25
    max_page_size = 100
    page_size_query_param = "page_size"

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: APIView | None = None
    ) -> list[Any]:
        """The keys on the requested page. `queryset` has the keys of the whole list in its order (benchmarks/lists.py).

        Raises ValidationError (400) or NotFound (404).
        """
        self.request = request
        self.number, size = _positive(request, "page", 1), self.get_page_size(request)
        start, end = (self.number - 1) * size, self.number * size
        # Fetch the keys once; they serve both the count and the page.
        keys = list(queryset[: COUNT_LIMIT + 1])
        self.count = len(keys)
        if self.count > COUNT_LIMIT and end > DEEPEST_ROW:
            raise ValidationError(
                {
                    "page": [
                        _("Pages end at row %(deepest_row)s. Use filters to make the list shorter.")
                        % {"deepest_row": DEEPEST_ROW}
                    ]
                }
            )
        behind = self.count > COUNT_LIMIT and end > COUNT_LIMIT
        page = list(queryset[start : end + 1]) if behind else keys[start : end + 1]
        if not page and self.number > 1:
            raise NotFound(_("There is no such page: the list ends before it. Ask for a lower page number."))
        self.has_more = len(page) > size
        return page[:size]

    def begin_first_page(self, request: Request) -> int:
        """The size of the first page, for a list that reads its rows without paginate_queryset().

        Raises ValidationError.
        """
        self.request, self.number = request, 1
        self.size = self.get_page_size(request)
        return self.size

    def first_page(self, data: list[Any], count: int) -> Response:
        """The answer with the first page: `data` are its serialized rows, `count` is at most COUNT_LIMIT + 1."""
        self.count, self.has_more = count, count > self.size
        return self.get_paginated_response(data)

    def get_page_size(self, request: Request) -> int:
        size = _positive(request, "page_size", self.page_size)
        if size > self.max_page_size:
            raise ValidationError(
                {"page_size": [_("Ask for at most %(max_page_size)s rows.") % {"max_page_size": self.max_page_size}]}
            )
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
                "description": f"Number of rows, exact up to {COUNT_LIMIT}. {COUNT_LIMIT + 1} means: there are more.",
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
        raise ValidationError({name: [_("Expected a whole number, 1 or greater.")]})
    return int(text)
