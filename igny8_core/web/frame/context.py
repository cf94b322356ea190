"""What every page's template knows without being told."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from igny8_core.common.written import language_tag
from igny8_core.web.banner.standing import Standing, standing_of
from igny8_core.web.frame.customer_login import look_of
from igny8_core.web.frame.people import local_or_home, person_of

# The page of an invoice says of itself how far its payment is.
SAYS_IT_ITSELF = ("/pay/", "/signup/card")


def frame(request: HttpRequest) -> dict[str, Any]:
    """`company`, `person` (who is signed in), `standing` (what their account has to pay); read when used.

    `support_email`: where customers write to. `languages`: code and own name of each. `locale`: how scripts write
    numbers and days. `here`: where its form leads back to; without a `next` that is not of this site. `look`: the
    operator's look that they are seen in, or None.
    """
    return {
        "company": settings.COMPANY_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "languages": settings.LANGUAGES,
        "locale": SimpleLazyObject(language_tag),
        "here": _here(request),
        "look": SimpleLazyObject(lambda: look_of(request)),
        "person": SimpleLazyObject(lambda: person_of(request)),
        "standing": SimpleLazyObject(lambda: _standing(request)),
    }


def _here(request: HttpRequest) -> str:
    leads_on = request.GET.get("next", "")
    is_ours = not leads_on or local_or_home(leads_on) == leads_on
    return request.get_full_path() if is_ours else request.path


def _standing(request: HttpRequest) -> Standing | None:
    person = None if request.path_info.startswith(SAYS_IT_ITSELF) else person_of(request)
    return standing_of(person) if person else None
