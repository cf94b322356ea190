from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from igny8_core.auth.models.user import Role
from igny8_core.common import clock


class InvitationState(models.TextChoices):
    OPEN = "open", _("Open")
    EXPIRED = "expired", _("Expired")
    ACCEPTED = "accepted", _("Accepted")
    CANCELED = "canceled", pgettext_lazy("invitation", "Canceled")


class TeamInvitation(models.Model):
    """An invitation of an e-mail address to join an account. The hash of its token is stored, not the token."""

    account = models.ForeignKey("igny8_auth.Account", on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField("e-mail address", max_length=254)
    role = models.CharField(max_length=10, choices=Role.choices)
    sites = models.ManyToManyField("igny8_auth.Site", blank=True, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token in the e-mailed link")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_team_invitations"
        verbose_name = "invitation"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                "account",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, canceled_at__isnull=True),
                name="igny8_team_invitations_one_open",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="igny8_team_invitations_role_known"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(canceled_at__isnull=True),
                name="igny8_team_invitations_one_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.account}"

    @property
    def status(self) -> InvitationState:
        """Open, expired, accepted or canceled. Open invitations can be accepted."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.canceled_at:
            return InvitationState.CANCELED
        return InvitationState.OPEN if self.expires_at > clock.now() else InvitationState.EXPIRED
