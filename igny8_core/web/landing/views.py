"""The start page: what this is, and what it costs."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.selectors import public_plans
from igny8_core.web.frame.rendering import for_people, page


@require_safe
@for_people
def landing(request: HttpRequest) -> HttpResponse:
    """GET /: for people who do not know us yet; those who are signed in find their way home."""
    return page(request, "landing/landing.html", {"plans": public_plans()})
