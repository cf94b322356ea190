"""The languages at the foot of each page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from igny8_core.auth.services.users import update_profile
from igny8_core.common.languages import COOKIE_AGE_SECONDS, is_language
from igny8_core.web.frame.people import local_or_home, person_of
from igny8_core.web.frame.rendering import for_people


@require_POST
@for_people
def choose_language(request: HttpRequest) -> HttpResponse:
    """POST /language: read this browser's pages in `language` from now on, and go on at `next`.

    Who is signed in gets mails in it, too. A language that there is not is left aside.
    """
    chosen = request.POST.get("language", "")
    response = HttpResponseRedirect(local_or_home(request.POST.get("next", "")), status=303)
    if not is_language(chosen):
        return response
    person = person_of(request)
    if person is not None:
        update_profile(person, language=chosen)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        chosen,
        max_age=COOKIE_AGE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
