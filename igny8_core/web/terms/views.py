"""What people agree to, for installations that have no pages of their own for it (settings.TERMS_URL)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from igny8_core.web.frame.rendering import for_people, page


@require_safe
@for_people
def terms(request: HttpRequest) -> HttpResponse:
    """GET /terms."""
    if settings.TERMS_URL:
        return HttpResponseRedirect(settings.TERMS_URL)
    return page(request, "terms/terms.html", {"version": settings.TERMS_VERSION})


@require_safe
@for_people
def privacy(request: HttpRequest) -> HttpResponse:
    """GET /privacy."""
    if settings.PRIVACY_URL:
        return HttpResponseRedirect(settings.PRIVACY_URL)
    return page(request, "terms/privacy.html")
