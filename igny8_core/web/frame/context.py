"""What every page's template knows without being told."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from igny8_core.web.frame.people import person_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """`company`, and `person`: who is signed in, looked up when a template asks."""
    return {"company": settings.COMPANY_NAME, "person": SimpleLazyObject(lambda: person_of(request))}
