"""The second step of signing in: the code of a person's device."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import LinkExpired, SecondFactorRequired, SecondFactorWrong, TooManyTries
from igny8_core.auth.services.half_logins import user_of_half_login
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.common.errors import DomainError
from igny8_core.web.frame.forms import CodeForm, status_of, with_retry
from igny8_core.web.frame.people import local_or_home, open_session_of
from igny8_core.web.frame.rendering import for_people, page


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
def login_code(request: HttpRequest) -> HttpResponse:
    """POST /login/code: the code, after the password; who opens the address by itself begins with the password."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("login"), status=303)
    form, half = CodeForm(request.POST), request.POST.get("half", "")
    leads_to = local_or_home(request.POST.get("next", ""))
    refusal: DomainError | None = None
    try:
        person = user_of_half_login(half)
        if form.is_valid():
            require_code(person, form.cleaned_data["otp"])
            return open_session_of(request, person, leads_to)
    except LinkExpired:
        messages.info(request, _("That took a while. Please begin with your password once more."))
        return HttpResponseRedirect(reverse("login"), status=303)
    except (SecondFactorRequired, SecondFactorWrong, TooManyTries) as refused:
        refusal = refused
        form.refuse(refused)
    context = {"form": form, "half": half, "next": leads_to}
    return with_retry(page(request, "login/code.html", context, status=status_of(form, refusal)), refusal)
