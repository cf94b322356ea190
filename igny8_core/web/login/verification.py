"""Confirming an e-mail address with the link of a mail."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from igny8_core.auth.errors import EmailAlreadyVerified, InvalidLink, LinkExpired
from igny8_core.auth.models import User
from igny8_core.auth.services import users
from igny8_core.auth.services.users import address_of_link, request_email_verification
from igny8_core.web.frame.limits import count, count_person
from igny8_core.web.frame.people import person_of, signed_in
from igny8_core.web.frame.rendering import behind_a_key, for_people, page


@require_http_methods(["GET", "HEAD", "POST"])
@behind_a_key
def verify_email(request: HttpRequest, token: str) -> HttpResponse:
    """/verify-email/<token>: the button confirms. Opening the page does not: mail scanners open every link."""
    try:
        count(request, "token")
        email = address_of_link(token)
        if request.method == "POST":
            users.verify_email(token)
            messages.success(request, _("Your e-mail address is confirmed. Thank you."))
            return HttpResponseRedirect(reverse("home" if person_of(request) else "login"), status=303)
    except (InvalidLink, LinkExpired) as refusal:
        return page(request, "login/verification_refused.html", {"refusal": refusal}, status=refusal.http_status)
    return page(request, "login/verify_email.html", {"token": token, "email": email})


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@signed_in
def verification_link(request: HttpRequest, person: User) -> HttpResponse:
    """POST /verify-email: have the link mailed again; who opens the address is led home, where its button is."""
    if request.method == "POST":
        count_person("verify", person)
        try:
            request_email_verification(person)
            addressed = person.account.billing_email if person.email_verified_at and person.account else person.email
            messages.success(request, _("A link is on its way to %(email)s.") % {"email": addressed})
        except EmailAlreadyVerified as refusal:
            messages.success(request, refusal.text)
    return HttpResponseRedirect(reverse("home"), status=303)
