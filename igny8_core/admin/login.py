"""The console's login form."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import PasswordsBusy
from igny8_core.auth.services.login_guard import guarded, note_place
from igny8_core.common.api.fields import canonical_email
from igny8_core.common.errors import TooManyRequests
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
        if self.request is None:
            return super().clean()
        email = canonical_email(str(self.cleaned_data.get("username", "")))
        place = place_of(self.request)
        try:
            with guarded(email, place, wrong=ValidationError):
                cleaned = super().clean()
        except (PasswordsBusy, TooManyRequests) as refusal:
            raise ValidationError(refusal.text, code=refusal.code) from refusal
        except ValidationError:
            # Also of a customer who has no business here, with the right password.
            security_event("authn_login_fail", "failure", address_mark=mark_of(email), door="console")
            raise
        operator = self.get_user()
        # Who has a second factor has not shown yet who they are.
        if operator.second_factor_since is None:
            note_place(operator, place)
        return cleaned
