"""The addresses of the site, and pages that fail: what people see then is made as it is everywhere."""

from typing import NoReturn

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import HttpRequest
from django.urls import path

from igny8_core import urls

handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


def forbidden(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


def broken(request: HttpRequest) -> NoReturn:
    raise RuntimeError("broken")


def busy(request: HttpRequest) -> NoReturn:
    raise OperationalError("the server closed the connection")


urlpatterns = [
    path("faults/forbidden", forbidden),
    path("faults/broken", broken),
    path("faults/busy", busy),
    *urls.urlpatterns,
]
