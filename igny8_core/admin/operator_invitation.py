"""Becoming an operator with the link of a mail: the password is chosen here, the second factor follows at the login."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from igny8_core.auth.errors import InvitationGone, IsCustomer, IsOperatorAlready, PasswordsBusy
from igny8_core.auth.services.operators import NewOperator, accept_operator_invitation, open_operator_invitation
from igny8_core.common.api.fields import MAX_PASSWORD_INPUT, NameField
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.errors import DomainError, InvalidInput, NotFound, TooManyRequests
from igny8_core.common.network import client_networks
from igny8_core.common.rate_limits import seconds_to_wait
from igny8_core.common.strict_forms import StrictForm

ONCE_MORE = "The two passwords differ. Type the same one in both fields."


class OperatorNames(StrictSerializer):
    """The names of somebody who becomes an operator, as the API judges names."""

    first_name = NameField(max_length=150)
    last_name = NameField(max_length=150)


class NewOperatorForm(StrictForm, forms.Form):
    """What somebody who becomes an operator says of themselves."""

    rules = OperatorNames
    first_name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget({"autocomplete": "given-name"}))
    last_name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget({"autocomplete": "family-name"}))
    password = forms.CharField(
        strip=False,
        max_length=MAX_PASSWORD_INPUT,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="At least 12 characters. A sentence that only you think of works well.",
    )
    password_confirm = forms.CharField(
        label="Password, once more",
        strip=False,
        max_length=MAX_PASSWORD_INPUT,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any] | None:
        """Refuses two passwords that differ."""
        said = super().clean() or {}
        if "password" in said and "password_confirm" in said and said["password"] != said["password_confirm"]:
            self.add_error("password_confirm", ONCE_MORE)
        return said


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_page(request: HttpRequest, token: str) -> HttpResponse:
    """/admin/operator-invitation/<token>/: choose a password. Opening the page uses nothing up."""
    form = NewOperatorForm(request.POST if request.method == "POST" else None)
    try:
        _count(request)
        invitation = open_operator_invitation(token)
        if form.is_bound and form.is_valid():
            said = form.cleaned_data
            accept_operator_invitation(token, NewOperator(said["password"], said["first_name"], said["last_name"]))
            messages.success(request, "You are an operator now. Log in with your new password.")
            return HttpResponseRedirect(reverse("admin:login"), status=303)
    except (NotFound, InvitationGone, IsCustomer, IsOperatorAlready, TooManyRequests) as refusal:
        return _answered(request, {"refusal": refusal, "title": "Invitation"}, refusal.http_status)
    except (InvalidInput, PasswordsBusy) as refusal:
        _show(form, refusal)
    context = {"title": "Become an operator", "form": form, "invitation": invitation}
    return _answered(request, context, 400 if form.is_bound else 200)


def _show(form: NewOperatorForm, refusal: DomainError) -> None:
    for name, texts in (refusal.errors or {"password": [refusal.text]}).items():
        form.add_error(name, texts)


def _count(request: HttpRequest) -> None:
    """Count a try of the caller's networks, as at all pages that mailed links lead to. Raises TooManyRequests."""
    wait = seconds_to_wait("token", *client_networks(request)) if settings.THROTTLING else None
    if wait:
        raise TooManyRequests(f"Too many tries in a short time. Try again in {wait} seconds.", retry_after=wait)


def _answered(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    shown = {**admin.site.each_context(request), **context}
    response = TemplateResponse(request, "admin/operator_invitation.html", shown, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    # Django's line about a refused request would write the token into the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


urlpatterns = [path("<str:token>/", accept_page, name="operator_invitation")]
