from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from igny8_core.auth.models.team_invitation import InvitationState
from igny8_core.auth.models.user import CanonicalEmailField
from igny8_core.common import clock


class OperatorInvitation(models.Model):
    """An invitation of an e-mail address to work in the console with a role. Its token is made, and never stored."""

    email = CanonicalEmailField("e-mail address", max_length=254)
    # Empty once the group is deleted: then the invitation gives nothing any more.
    group = models.ForeignKey("auth.Group", null=True, on_delete=models.SET_NULL, related_name="+", verbose_name="role")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=clock.now, help_text="When the newest mail was ordered")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        db_table = "igny8_operator_invitations"
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=Q(accepted_at__isnull=True, canceled_at__isnull=True),
                name="igny8_operator_invitations_one_open",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True) | Q(canceled_at__isnull=True),
                name="igny8_operator_invitations_one_end",
            ),
        ]

    def __str__(self) -> str:
        return str(self.email)

    @property
    def status(self) -> InvitationState:
        """Open, expired, accepted or canceled."""
        if self.accepted_at:
            return InvitationState.ACCEPTED
        if self.canceled_at:
            return InvitationState.CANCELED
        return InvitationState.OPEN if self.expires_at > clock.now() else InvitationState.EXPIRED
