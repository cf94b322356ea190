"""/admin/mail-previews/: every mail that the system sends, drawn with sample data. Nothing is sent from here."""

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.views.decorators.http import require_safe

from igny8_core.admin.mail_previews.samples import FOR_OPERATORS, HANDLERS, draw_mail
from igny8_core.events.registry import event_type

PERMISSION = "events.view_delivery"


@require_safe
def previews_page(request: HttpRequest) -> HttpResponse:
    """The list of all mails by the events that they are about, and the one that was chosen, as HTML and as text."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    kinds = sorted(HANDLERS)
    kind, language = request.GET.get("kind", kinds[0]), request.GET.get("language", settings.LANGUAGE_CODE)
    if kind not in HANDLERS or language not in dict(settings.LANGUAGES):
        raise Http404
    facts = {
        "title": "E-mail previews",
        "kind": kind,
        "says": event_type(kind).says,
        "language": language,
        "languages": [] if kind in FOR_OPERATORS else settings.LANGUAGES,
        "groups": [
            ("To customers", [name for name in kinds if name not in FOR_OPERATORS]),
            ("To operators", [name for name in kinds if name in FOR_OPERATORS]),
        ],
        "drawn": draw_mail(kind, language),
    }
    return TemplateResponse(request, "admin/mail_previews.html", {**admin.site.each_context(request), **facts})


urlpatterns = [path("", admin.site.admin_view(previews_page), name="console_mail_previews")]
