"""The cookie of who is signed in on our pages. The row behind it decides; the cookie only finds it."""

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


def cookie_of(request: HttpRequest) -> str:
    """What the browser sent; empty where it has no such cookie."""
    return request.COOKIES.get(settings.PAGE_SESSION_COOKIE_NAME, "")


def put_cookie(response: HttpResponseBase, value: str, age: timedelta | None = None) -> None:
    """Have the browser send `value` from now on; no script can read it, and no other site's form sends it.

    `age`: for so long; None means PAGE_SESSION_MAX_AGE.
    """
    response.set_cookie(
        settings.PAGE_SESSION_COOKIE_NAME,
        value,
        max_age=settings.PAGE_SESSION_MAX_AGE if age is None else age,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: HttpResponseBase) -> None:
    """Have the browser forget it."""
    # delete_cookie would not mark it as secure, and browsers refuse a __Host- cookie that is not.
    response.set_cookie(
        settings.PAGE_SESSION_COOKIE_NAME,
        "",
        max_age=0,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
