"""What may only be done shortly after the person has shown who they are, by API and in the console (AUT-32).

The API answers what has to be done first. The console and the pages ask with a page, and go on with what was asked.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils.translation import gettext as _
from rest_framework.request import Request

from igny8_core.auth.errors import ConfirmationRequired
from igny8_core.auth.models import User
from igny8_core.auth.permissions import caller_of
from igny8_core.auth.services.confirmations import is_fresh, is_session_confirmed
from igny8_core.common import clock
from igny8_core.common.api.refusals import refusals_of
from igny8_core.common.errors import InvalidInput

Method = TypeVar("Method", bound=Callable[..., Any])
# In a session of the console: when its operator last showed who they are, in seconds since 1970.
CONFIRMED_AT = "confirmed_at"
# In the same: since when the second factor is on of which a code was given in it.
FACTOR = "second_factor"


def needs_confirmation(when: Callable[..., bool] | None = None) -> Callable[[Method], Method]:
    """Decorator of a view method, outside of all others but @action: the caller has shown who they are just now.

    `when` gets the method's arguments and says whether that is needed this time. Raises ConfirmationRequired.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def checked(view: Any, request: Request, *args: Any, **named: Any) -> Any:
            if when is None or when(view, request, *args, **named):
                require_confirmed(request)
            return method(view, request, *args, **named)

        checked.refusals = (*refusals_of(method), ConfirmationRequired)  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate


def require_confirmed(request: Request) -> None:
    """Refuse a caller of the API who has not shown who they are in this session just now.

    Raises ConfirmationRequired.
    """
    if not is_session_confirmed(caller_of(request).session_id):
        raise ConfirmationRequired()


def password_unless_confirmed(request: Request, given: dict[str, Any]) -> str | None:
    """The password in the body of an operation that takes one; None where the caller has confirmed instead.

    Raises ConfirmationRequired, or InvalidInput where confirmations are switched off.
    """
    if "password" in given:
        return str(given["password"])
    if not settings.CONFIRMATION_AGE:
        raise InvalidInput(errors={"password": [_("This field is required.")]})
    require_confirmed(request)
    return None


def require_confirmed_operator(request: HttpRequest) -> None:
    """The same for an operator in the console. Raises ConfirmationRequired, which becomes a page that asks."""
    if not is_fresh(request.session.get(CONFIRMED_AT, 0)):
        raise ConfirmationRequired()


def note_confirmed(request: HttpRequest) -> None:
    """Note in the console's session that its operator has just shown who they are."""
    request.session[CONFIRMED_AT] = int(clock.now().timestamp())


def needs_code(request: HttpRequest, operator: User) -> bool:
    """Whether the console's session began with a password and still needs a code, of the device of now."""
    since = operator.second_factor_since
    return since is not None and request.session.get(FACTOR) != since.isoformat()


def note_code(request: HttpRequest, operator: User) -> None:
    """Note in the console's session that a code was given; its cookie changes, as at every login."""
    request.session.cycle_key()
    since = operator.second_factor_since
    request.session[FACTOR] = since.isoformat() if since else ""
    note_confirmed(request)


@receiver(user_logged_in)
def _login_confirms(request: HttpRequest, **facts: Any) -> None:
    note_confirmed(request)
