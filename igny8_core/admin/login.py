"""The console's login form."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError

from igny8_core.auth.devices import place_of
from igny8_core.auth.errors import PasswordsBusy
from igny8_core.auth.services.login_guard import guarded, note_place
from igny8_core.common.api.fields import canonical_email
from igny8_core.common.errors import TooManyRequests

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
        note_place(self.get_user(), place)
        return cleaned
