from collections.abc import Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.auth.password_validation import validate_password
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from igny8_core.common import clock
from igny8_core.common.addresses import validate_address
from igny8_core.common.text import normalized_password


class Role(models.TextChoices):
    """What a person may do in their account, from most to least."""

    OWNER = "owner", _("Owner")
    ADMIN = "admin", _("Admin")
    EDITOR = "editor", _("Editor")
    VIEWER = "viewer", _("Viewer")


MANAGER_ROLES = [Role.OWNER, Role.ADMIN]


class CanonicalEmailField(models.EmailField):  # type: ignore[type-arg]
    """An e-mail address that is saved and looked up in lower case, and that mail can be sent to."""

    default_validators = [validate_address]

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return prepared.strip().lower() if isinstance(prepared, str) else prepared


class People(BaseUserManager["User"]):
    """Creates users and operators."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create a member of an account (`account`, `role`) or an operator (`is_staff`). ValueError without e-mail."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an operator with all permissions, for `manage.py createsuperuser`.

        Raises ValidationError in production for a password that breaks the rules; Django asks no command to keep them.
        """
        if password is not None and settings.STRICT_PASSWORDS:
            validate_password(normalized_password(password), self.model(email=email))
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        """The user with this e-mail address, in any case."""
        return self.get(email=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in with an e-mail address: a member of one account, or an operator (`is_staff`)."""

    email = CanonicalEmailField("e-mail address", max_length=254)
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    account = models.ForeignKey(
        "igny8_auth.Account", null=True, blank=True, on_delete=models.PROTECT, related_name="users"
    )
    role = models.CharField(max_length=10, choices=Role.choices, blank=True, help_text="Empty without an account")
    email_verified_at = models.DateTimeField(
        "e-mail address verified",
        null=True,
        blank=True,
        help_text="When the person opened a link that was sent to the address",
    )
    # Events hold no addresses, because they outlive the person.
    email_before = models.CharField(
        max_length=254,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The address that an operator last replaced, which is told of it",
    )
    # With the person, so that no request pays for asking. The secret is a SecondFactor.
    second_factor_since = models.DateTimeField(
        "second factor on since",
        null=True,
        blank=True,
        editable=False,
        help_text="Since when logging in also needs a code of the person's device; empty: a password is enough",
    )
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="In which the person reads pages, mails and refusals; empty: the account's",
    )
    terms_version = models.CharField(
        max_length=50, blank=True, default="", db_default="", help_text="Of the terms that the person agreed to"
    )
    terms_accepted_at = models.DateTimeField(null=True, blank=True, help_text="When the person agreed to them")
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: the person cannot log in, and open sessions end at their next request"
    )
    is_staff = models.BooleanField("operator", default=False, help_text="On: the person may log in to this console")
    date_joined = models.DateTimeField("joined", default=clock.now)

    # What has_perm was asked for and refused, in this request.
    missed_permissions: Sequence[str] = ()

    objects = People()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "igny8_users"
        ordering = ("id",)
        permissions = [
            ("reset_second_factor", "Can take another person's second factor away"),
            ("invite_operator", "Can invite operators, with no more powers than one's own"),
        ]
        indexes = [models.Index(fields=["email"], opclasses=["varchar_pattern_ops"], name="igny8_users_email_prefix")]
        constraints = [
            models.UniqueConstraint(
                fields=["email"],
                name="igny8_users_email_unique",
                violation_error_message="Another user already has this e-mail address. Use a different one.",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="igny8_users_email_lower_case"),
            models.CheckConstraint(
                condition=Q(account__isnull=True, role="") | Q(account__isnull=False, role__in=Role.values),
                name="igny8_users_role_with_account",
                violation_error_message="Choose a role for a user with an account, and no role for a user without one.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    def set_password(self, raw_password: str | None) -> None:
        """Hash a password in the one form of it; None makes one that nobody knows."""
        super().set_password(raw_password if raw_password is None else normalized_password(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Whether this is the password, however its characters are put together."""
        if raw_password is None:
            return False
        normalized = normalized_password(raw_password)
        if super().check_password(normalized):
            return True
        # Hashes from before passwords were normalized: made of what was typed, and made anew when it is typed again.
        if normalized == raw_password or not super().check_password(raw_password):
            return False
        self.set_password(raw_password)
        self._password = None
        self.save(update_fields=["password"])
        return True

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """As Django's. What was asked for and missed is noted, so that a refusal can say what it takes."""
        has_it = super().has_perm(perm, obj)
        if not has_it:
            self.missed_permissions = [*self.missed_permissions, perm]
        return has_it

    def may_as_operator(self, permission: str) -> bool:
        """Whether the person is an operator today, with this permission. For what goes on after the console's pages.

        Who is no operator any more can still be in a group, and has_perm does not know that.
        """
        return self.is_staff and self.has_perm(permission)

    @property
    def spoken_language(self) -> str:
        """The language that the person or else their account has chosen; empty if neither has. Reads the account."""
        return self.language or (self.account.language if self.account else "")

    @property
    def full_name(self) -> str:
        """First and last name, or the e-mail address if both are empty."""
        return f"{self.first_name} {self.last_name}".strip() or self.email
