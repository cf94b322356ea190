"""Who looks at a page."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from igny8_core.auth.devices import place_with_mark, put_mark
from igny8_core.auth.models import User
from igny8_core.auth.services.half_logins import half_login
from igny8_core.auth.services.login_guard import note_place
from igny8_core.auth.services.page_sessions import end_page_session, open_page_session, person_of_cookie
from igny8_core.auth.services.sessions import note_login
from igny8_core.auth.session_cookie import cookie_of, drop_cookie, put_cookie
from igny8_core.web.frame.forms import CodeForm
from igny8_core.web.frame.limits import count_write
from igny8_core.web.frame.rendering import page

PersonView = Callable[..., HttpResponse]


def person_of(request: HttpRequest) -> User | None:
    """Who is signed in, with account and plan, or None; read once per request."""
    known: dict[str, User | None] = request.__dict__.setdefault("_person_of_page", {})
    if "person" not in known:
        known["person"] = person_of_cookie(cookie_of(request))
    return known["person"]


def signed_in(view: PersonView) -> PersonView:
    """Give the view who is signed in, as its second argument; everybody else is led to the login, and back."""

    @wraps(view)
    def answer(request: HttpRequest, *args: object, **named: object) -> HttpResponse:
        person = person_of(request)
        if person is None:
            return to_login(request.get_full_path())
        if request.method == "POST":
            count_write(person)
        return view(request, person, *args, **named)

    return answer


def member(view: PersonView) -> PersonView:
    """As signed_in, for who belongs to an account, which comes third; the others are led home, to begin one."""

    @signed_in
    def answer(request: HttpRequest, person: User, **named: object) -> HttpResponse:
        if person.account is None:
            return HttpResponseRedirect(reverse("home"), status=303)
        return view(request, person, person.account, **named)

    return answer


def to_login(next_address: str) -> HttpResponse:
    """Lead to the login, and from there to an address of ours."""
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': next_address})}", status=303)


def sign_in(request: HttpRequest, person: User, leads_to: str) -> HttpResponse:
    """Sign in who has just given their password, and lead them on. A session that the browser had before ends.

    Who has a second factor is asked for its code first.
    """
    if person.second_factor_since is not None:
        return page(request, "login/code.html", {"half": half_login(person), "next": leads_to, "form": CodeForm()})
    return open_session_of(request, person, leads_to)


def open_session_of(request: HttpRequest, person: User, leads_to: str) -> HttpResponse:
    """Sign in who has shown all that their login asks for, and lead them on."""
    end_page_session(cookie_of(request))
    response = HttpResponseRedirect(leads_to, status=303)
    place = place_with_mark(request)
    put_cookie(response, open_page_session(person, place.browser))
    note_login(person, "pages")
    note_place(person, place)
    put_mark(response, place)
    return response


def sign_out(request: HttpRequest, leads_to: str) -> HttpResponse:
    """End the session of this browser, and lead on; who is signed out already stays so."""
    end_page_session(cookie_of(request))
    response = HttpResponseRedirect(leads_to, status=303)
    drop_cookie(response)
    return response


def local_or_home(address: str) -> str:
    """`address` where it is a path of this site; anything else leads to the person's own page."""
    is_path = address.startswith("/") and not any(ord(character) < 32 for character in address)
    is_ours = is_path and url_has_allowed_host_and_scheme(address, allowed_hosts=None)
    return address if is_ours else reverse("home")
