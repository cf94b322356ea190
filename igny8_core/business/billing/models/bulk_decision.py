"""Many payments that an operator decides together: the order, and what became of each payment."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from igny8_core.common import clock


class Decision(models.TextChoices):
    APPROVE = "approve", "Approve"
    REJECT = "reject", "Reject"


class BulkStatus(models.TextChoices):
    WAITING = "waiting", "Being decided"
    DONE = "done", "Done"


class BulkDecision(models.Model):
    """An operator's decision about many payments, with their words. A worker carries it out, row by row."""

    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    decision = models.CharField(max_length=10, choices=Decision.choices)
    note = models.TextField(blank=True, help_text="For operators")
    override_duplicate = models.BooleanField(
        default=False, help_text="Also approve those that were shown with repeats of their transfer"
    )
    reason_code = models.CharField(max_length=20, blank=True)
    reason = models.TextField(blank=True, help_text="What the customers of rejected payments read")
    status = models.CharField(max_length=10, choices=BulkStatus.choices, default=BulkStatus.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "igny8_bulk_decisions"
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(decision__in=Decision.values), name="igny8_bulk_decisions_decision_known"
            ),
            models.CheckConstraint(condition=Q(status__in=BulkStatus.values), name="igny8_bulk_decisions_status_known"),
            models.CheckConstraint(
                condition=~Q(status=BulkStatus.WAITING) | Q(next_attempt_at__isnull=False),
                name="igny8_bulk_decisions_waiting_has_next_try",
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="igny8_bulk_decisions_due", condition=Q(status=BulkStatus.WAITING)
            )
        ]

    def __str__(self) -> str:
        return f"Decision {self.pk}"


class RowResult(models.TextChoices):
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


class BulkDecisionRow(models.Model):
    """A payment of a BulkDecision, and what became of it: written in the transaction that decides it."""

    # No index of its own: the constraint's index begins with this column.
    bulk = models.ForeignKey(BulkDecision, on_delete=models.PROTECT, related_name="rows", db_index=False)
    payment = models.ForeignKey("billing.Payment", on_delete=models.PROTECT, related_name="+")
    seen_repeats = models.JSONField(
        default=list, blank=True, help_text="Ids of the payments of the same transfer that the operator was shown"
    )
    result = models.CharField(max_length=10, choices=RowResult.choices, default=RowResult.WAITING)
    outcome = models.TextField(blank=True, help_text="What was brought about, or why it was refused")
    caution = models.TextField(blank=True, help_text="Why the account cannot use yet what was paid for")

    class Meta:
        db_table = "igny8_bulk_decision_rows"
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["bulk", "payment"], name="igny8_bulk_decision_rows_once"),
            models.CheckConstraint(
                condition=Q(result__in=RowResult.values), name="igny8_bulk_decision_rows_result_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["bulk", "id"],
                name="igny8_bulk_decision_rows_left",
                condition=Q(result=RowResult.WAITING),
            )
        ]

    def __str__(self) -> str:
        return f"Payment {self.payment_id} of decision {self.bulk_id}"
