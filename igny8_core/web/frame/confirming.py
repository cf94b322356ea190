"""Pages that do what needs a person to show once more that it is them: they are asked, and what they sent goes on."""

from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from igny8_core.auth.models import User
from igny8_core.auth.services.confirmations import confirm_session, is_session_confirmed
from igny8_core.auth.services.page_sessions import session_id_of_cookie
from igny8_core.auth.session_cookie import cookie_of
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.forms import with_retry
from igny8_core.web.frame.people import PersonView
from igny8_core.web.frame.rendering import page

PASSWORD, CODE = "confirm_password", "confirm_otp"
NOT_REPEATED = {PASSWORD, CODE, "csrfmiddlewaretoken"}


def confirmed(view: PersonView) -> PersonView:
    """Inside of @signed_in: what is posted is done once the person has shown who they are, a short time ago or now."""

    @wraps(view)
    def answer(request: HttpRequest, person: User, *args: object, **named: object) -> HttpResponse:
        if request.method != "POST":
            return view(request, person, *args, **named)
        session_id = session_id_of_cookie(cookie_of(request))
        if PASSWORD in request.POST or CODE in request.POST:
            try:
                _confirm(request, session_id, person)
            except DomainError as refusal:
                return _asked(request, person, refusal)
        if not is_session_confirmed(session_id):
            return _asked(request, person)
        return view(request, person, *args, **named)

    return answer


def _confirm(request: HttpRequest, session_id: str, person: User) -> None:
    confirm_session(session_id, person, password=request.POST.get(PASSWORD, ""), otp=request.POST.get(CODE, ""))


def _asked(request: HttpRequest, person: User, refusal: DomainError | None = None) -> HttpResponse:
    sent = [(name, value) for name, values in request.POST.lists() for value in values]
    texts = [text for found in (refusal.errors or {}).values() for text in found] if refusal else []
    context = {
        "address": request.get_full_path(),
        "fields": [(name, value) for name, value in sent if name not in NOT_REPEATED],
        "asks_code": person.second_factor_since is not None,
        "problem": (texts or [refusal.text])[0] if refusal else "",
        "email": person.email,
        "what": _("Nothing was changed yet."),
    }
    status = refusal.http_status if refusal else 403
    return with_retry(page(request, "security/confirm.html", context, status=status), refusal)
