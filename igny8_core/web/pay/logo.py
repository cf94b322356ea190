"""The seller's own logo, where settings.COMPANY_LOGO names one."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from igny8_core.common.api.downloads import SAFE_HEADERS

DAY = 24 * 3600


def logo_address() -> str:
    """Where pages find the logo: the seller's own, else the packaged one."""
    return reverse("company_logo") if settings.COMPANY_LOGO else static("web/logo.svg")


@require_safe
def company_logo(request: HttpRequest) -> HttpResponse:
    """GET /pay/logo: the file that the invoices' PDFs show too; where none is set, it leads to the packaged one."""
    if not settings.COMPANY_LOGO:
        return HttpResponseRedirect(static("web/logo.svg"))
    file = Path(settings.COMPANY_LOGO)
    content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    headers = {**SAFE_HEADERS, "Cache-Control": f"public, max-age={DAY}"}
    return HttpResponse(file.read_bytes(), content_type=content_type, headers=headers)
