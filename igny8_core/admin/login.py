"""The console's login form."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from igny8_core.auth.errors import PasswordsBusy
from igny8_core.common.api.fields import canonical_email
from igny8_core.common.network import client_network
from igny8_core.common.rate_limits import seconds_to_wait
from igny8_core.common.security_log import mark_of, security_event

# The theme has no type hints, but it changes no types of Django's methods.
if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm


class LoginForm(AuthenticationForm):
    """The login form. Its attempts count together with those of the API's login (AUT-10)."""

    def clean(self) -> dict[str, Any]:
        """Django's check. Raises ValidationError after too many attempts, before any password is checked."""
        if settings.THROTTLING and self.request is not None:
            self._count_try(self.request)
        try:
            return super().clean()
        except PasswordsBusy as refusal:
            raise ValidationError(refusal.text, code=refusal.code) from refusal
        except ValidationError:
            # Also of a customer who has no business here, with the right password.
            address = canonical_email(str(self.cleaned_data.get("username", "")))
            security_event("authn_login_fail", "failure", address_mark=mark_of(address), door="console")
            raise

    def _count_try(self, request: HttpRequest) -> None:
        email = canonical_email(str(self.cleaned_data.get("username", "")))
        waits = [seconds_to_wait("login", who) for who in (f"network {client_network(request)}", f"email {email}")]
        if wait := max((seconds for seconds in waits if seconds), default=0):
            raise ValidationError(f"Too many attempts to log in. Try again in {wait} seconds.", code="throttled")
