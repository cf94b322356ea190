"""Django's handler400 to handler500: JSON under /api/, Django's own pages elsewhere."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views import defaults

from igny8_core.common.api.envelope import failure_response
from igny8_core.common.api.exceptions import MALFORMED, NO_SUCH_ADDRESS, UNEXPECTED
from igny8_core.common.middleware import API_PREFIX


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400."""
    if _is_api(request):
        return failure_response(400, MALFORMED, "bad_request")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403."""
    if _is_api(request):
        return failure_response(
            403, _("You may not do this. Ask an owner or admin of your account."), "permission_denied"
        )
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404."""
    if _is_api(request):
        return failure_response(404, NO_SUCH_ADDRESS, "not_found")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500; Django has logged the exception."""
    if _is_api(request):
        return failure_response(UNEXPECTED.status, UNEXPECTED.message, UNEXPECTED.code)
    return defaults.server_error(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API_PREFIX)
