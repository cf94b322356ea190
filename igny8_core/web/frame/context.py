"""What every page's template knows without being told."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from igny8_core.web.banner.standing import Standing, standing_of
from igny8_core.web.frame.people import person_of

# The page of an invoice says of itself how far its payment is.
SAYS_IT_ITSELF = ("/pay/", "/signup/card")


def frame(request: HttpRequest) -> dict[str, Any]:
    """`company`, `person` (who is signed in), `standing` (what their account has to pay); read when used.

    `support_email`: where customers write to. `languages`: code and own name of each.
    """
    return {
        "company": settings.COMPANY_NAME,
        "support_email": settings.SUPPORT_EMAIL,
        "languages": settings.LANGUAGES,
        "person": SimpleLazyObject(lambda: person_of(request)),
        "standing": SimpleLazyObject(lambda: _standing(request)),
    }


def _standing(request: HttpRequest) -> Standing | None:
    person = None if request.path_info.startswith(SAYS_IT_ITSELF) else person_of(request)
    return standing_of(person) if person else None
