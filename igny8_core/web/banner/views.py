"""What the script of an open page asks: whether something about the account's payment has changed."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.services.page_sessions import person_of_cookie
from igny8_core.auth.session_cookie import cookie_of
from igny8_core.web.banner.standing import standing_of

NOTHING_OPEN = "settled"


@require_safe
def standing(request: HttpRequest) -> HttpResponse:
    """GET /standing: {"version": …}, or 304 to who knows it already; 401 once nobody is signed in any more."""
    person = person_of_cookie(cookie_of(request), is_use=False)
    if person is None:
        return _kept_by_nobody(JsonResponse({"code": "not_authenticated"}, status=401))
    known = standing_of(person)
    version = known.version if known else NOTHING_OPEN
    etag = f'"{version}"'
    if request.headers.get("If-None-Match") == etag:
        return _kept_by_nobody(HttpResponseNotModified(headers={"ETag": etag}))
    return _kept_by_nobody(JsonResponse({"version": version}, headers={"ETag": etag}))


def _kept_by_nobody(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    # Somebody who has signed out meanwhile is no fault for the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
