"""When an operator is logged out of the console by itself: after some time without use, and at the latest after a day's
work (settings CONSOLE_SESSION_IDLE and CONSOLE_SESSION_MAX_AGE)."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from igny8_core.auth.models import User
from igny8_core.auth.services.sessions import note_login
from igny8_core.common import clock
from igny8_core.common.middleware import CONSOLE_PREFIX

BEGAN, USED = "began_at", "used_at"
# The use of a session is written down once in so many seconds, not with every page.
NOTED_EVERY_SECONDS = 60


class ConsoleSessionMiddleware:
    """Ends the session before anybody looks who is logged in; stands before AuthenticationMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(CONSOLE_PREFIX) and SESSION_KEY in request.session:
            _end_or_note(request)
        return self.get_response(request)


@receiver(user_logged_in)
def note_begin(request: HttpRequest, user: User, **facts: Any) -> None:
    """Note when an operator logged in, in the session that is about to be saved, and in the security log."""
    now = int(clock.now().timestamp())
    request.session[BEGAN], request.session[USED] = now, now
    note_login(user, "console")


def _end_or_note(request: HttpRequest) -> None:
    now = int(clock.now().timestamp())
    began, used = request.session.get(BEGAN, now), request.session.get(USED, now)
    is_idle = now - used >= settings.CONSOLE_SESSION_IDLE.total_seconds()
    if is_idle or now - began >= settings.CONSOLE_SESSION_MAX_AGE.total_seconds():
        request.session.flush()
    elif BEGAN not in request.session or now - used >= NOTED_EVERY_SECONDS:
        request.session[BEGAN], request.session[USED] = began, now
