"""Changes that people make to their own login."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from igny8_core.auth.models import User
from igny8_core.auth.services.session_service import SessionService, TokenPair
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.events import services as events


class UserService:
    """What a logged-in person may change about themselves."""

    @staticmethod
    @service_transaction
    def update_profile(user: User, **names: str) -> User:
        """Change first or last name."""
        if not names:
            return user
        for field, value in names.items():
            setattr(user, field, value)
        user.save(update_fields=[*names])
        events.record(events.NewEvent("user.updated", user, user.account_id, user.pk, dict(names)))
        return user

    @staticmethod
    @service_transaction
    def change_password(user: User, current_password: str, new_password: str) -> TokenPair:
        """Set a new password; every session ends at once, and the caller gets a new one.

        Raises InvalidInput naming the field when the current password is wrong or the new one too weak.
        """
        user = User.objects.select_related("account__plan").get(pk=user.pk)
        if not user.check_password(current_password):
            raise InvalidInput(errors={"current_password": ["This is not your current password."]})
        check_new_password(new_password, user, field="new_password")
        user.set_password(new_password)
        user.save(update_fields=["password"])
        events.record(events.NewEvent("user.password_changed", user, user.account_id, user.pk))
        return SessionService.open(user)


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Hold a new password against the rules. Raises InvalidInput with all that is wrong, under `field`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(errors={field: list(error.messages)}) from error
