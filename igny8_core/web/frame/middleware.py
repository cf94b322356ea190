"""What a service refuses on a page that has no words of its own for it."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from igny8_core.auth.session_cookie import cookie_of
from igny8_core.common.api.exceptions import passes_by_itself
from igny8_core.common.errors import DomainError
from igny8_core.common.languages import speak
from igny8_core.web.frame.people import person_of
from igny8_core.web.frame.refusals import busy, refused

# Programs are known by their token, the console is in English, and these ask nothing of who looks.
OTHER_DOORS = ("/api/", "/admin/", "/static/", "/healthz/", "/readyz/", "/metrics", "/standing")

logger = logging.getLogger(__name__)


class PersonLanguageMiddleware:
    """Answers who is signed in on our pages in their language, from the first word on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if cookie_of(request) and not request.path_info.startswith(OTHER_DOORS):
            _speak_to(request)
        return self.get_response(request)


def _speak_to(request: HttpRequest) -> None:
    try:
        person = person_of(request)
    except (DatabaseError, InterfaceError):
        # The view asks again, and what it raises is answered below.
        return
    if person is not None:
        speak(person.spoken_language)


class RefusalMiddleware:
    """Answers such a refusal with a page that says why: of the console below /admin/, else of ours.

    For example a password that is typed into the console while too many others are being checked. The API words its
    refusals itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The refusal; None leaves everything else to Django."""
        if isinstance(exception, DomainError):
            return refused(request, exception)
        if isinstance(exception, (DatabaseError, InterfaceError)) and passes_by_itself(exception):
            logger.error("database out of reach", exc_info=exception)
            return busy(request)
        return None
