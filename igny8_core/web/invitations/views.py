"""Accepting an invitation to a team with the link of a mail."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import InvitationGone
from igny8_core.auth.models import TeamInvitation, User
from igny8_core.auth.services.invitations import NewPerson, accept_invitation, invitation_of, login_of
from igny8_core.common.errors import DomainError, NotFound
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.limits import count
from igny8_core.web.frame.people import person_of, sign_in
from igny8_core.web.frame.rendering import behind_a_key, page
from igny8_core.web.invitations.forms import NewPersonForm


@require_http_methods(["GET", "HEAD", "POST"])
@behind_a_key
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """/invitations/<token>: join, as who is signed in or as a new person. Opening the page uses nothing up."""
    try:
        count(request, "token")
        offered = invitation_of(token)
    except (NotFound, InvitationGone) as refusal:
        return page(request, "invitations/refused.html", {"refusal": refusal}, status=refusal.http_status)
    person = person_of(request)
    known = person or login_of(offered)
    if known is None:
        return _new_person(request, token, offered)
    if person is None or request.method != "POST":
        return _shown(request, token, offered, known)
    return _joined(request, token, offered, person)


def _new_person(request: HttpRequest, token: str, offered: TeamInvitation) -> HttpResponse:
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    refusal: DomainError | None = None
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            newcomer = NewPerson(said["password"], said["first_name"], said["last_name"])
            member = accept_invitation(token, None, newcomer)
            messages.success(request, _("Welcome! You are in the team now."))
            return sign_in(request, member, reverse("home"))
        except DomainError as refused:
            refusal = refused
            form.refuse(refused)
    context = {"invitation": offered, "form": form, "token": token}
    return with_retry(page(request, "invitations/new_person.html", context, status=status_of(form, refusal)), refusal)


def _shown(request: HttpRequest, token: str, offered: TeamInvitation, known: User) -> HttpResponse:
    """The invitation to somebody with a login: what they can do with it as who they are signed in as."""
    person = person_of(request)
    context = {
        "invitation": offered,
        "token": token,
        "is_another": person is not None and person.email != offered.email,
        "is_member": known.account_id == offered.account_id,
        "is_elsewhere": known.account_id not in {None, offered.account_id},
    }
    return page(request, "invitations/known_person.html", context)


def _joined(request: HttpRequest, token: str, offered: TeamInvitation, person: User) -> HttpResponse:
    try:
        accept_invitation(token, person, None)
    except DomainError as refusal:
        context = {"invitation": offered, "refusal": refusal}
        return page(request, "invitations/refused.html", context, status=refusal.http_status)
    messages.success(request, _("Welcome! You are in the team now."))
    return HttpResponseRedirect(reverse("home"), status=303)
