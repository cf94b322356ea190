"""How a page is answered."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from igny8_core.common.errors import DomainError
from igny8_core.web.frame.refusals import refused

View = Callable[..., HttpResponse]


def page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """The page of a template below web/templates/web/, such as "login/login.html"."""
    return HttpResponse(render_to_string(f"web/{template}", context or {}, request), status=status)


def for_people(view: View) -> View:
    """A page: what a service refuses is answered with a page that says why, and no cache keeps any of it."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **named: object) -> HttpResponse:
        try:
            response = view(request, *args, **named)
        except DomainError as refusal:
            response = refused(request, refusal)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer


def behind_a_key(view: View) -> View:
    """A page whose address is a key: search engines do not list it, and our log does not have it.

    The site's Referrer-Policy (same-origin) keeps it from other sites. With no-referrer, browsers would send
    "Origin: null" with our forms, which the CSRF check must refuse.
    """

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **named: object) -> HttpResponse:
        response = for_people(view)(request, *args, **named)
        response["X-Robots-Tag"] = "noindex, nofollow"
        # Django's line about a refused request would write the key into the log.
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response

    return answer
