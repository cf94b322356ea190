"""Input and output of the operators' operations on unpaid invoices and trials."""

from rest_framework import serializers

from igny8_core.auth.models import AccountStatus, SuspendedReason
from igny8_core.business.billing.models import StageKind
from igny8_core.business.billing.services.dunning.rules import Subject
from igny8_core.common.api.fields import CurrencyField, EnumField, MoneyField
from igny8_core.common.api.serializers import OutputSerializer


class DunningStepOutput(OutputSerializer):
    stage = serializers.IntegerField(help_text="Days after the due date; negative: before it")
    kind = EnumField(StageKind, help_text="What was done")
    is_skipped = serializers.BooleanField(help_text="Whether no mail was sent, because a later stage was due as well")
    taken_on = serializers.DateField(help_text="The customer's day on which it was taken")


class NextStageOutput(OutputSerializer):
    stage = serializers.IntegerField(source="stage.day", help_text="Days after the due date; negative: before it")
    kind = EnumField(StageKind, source="stage.kind", help_text="What will be done")
    day = serializers.DateField(source="on", help_text="The first day on which it can be taken, where the customer is")


class DunnedInvoiceOutput(OutputSerializer):
    id = serializers.IntegerField()
    invoice_number = serializers.CharField()
    subject = EnumField(
        Subject, help_text="renewal: of a running subscription; order: of one that never began; other: mails only"
    )
    amount_due = MoneyField(help_text="What is still due")
    currency = CurrencyField()
    due_date = serializers.DateField()
    clock_day = serializers.IntegerField(help_text="Where the clock stands, in days after the due date")
    held_because = serializers.CharField(help_text="Why the clock stands still today; empty if it runs")
    steps = DunningStepOutput(many=True, help_text="What was done, in order")
    next = NextStageOutput(allow_null=True, help_text="What comes next if nothing changes; null if that is not known")


class DunningOutput(OutputSerializer):
    account_id = serializers.IntegerField(source="account.id")
    status = EnumField(AccountStatus, source="account.status", help_text="What the account may do now")
    suspended_reason = EnumField(
        SuspendedReason,
        source="account.suspended_reason",
        allow_blank=True,
        help_text="Empty if it is not suspended",
    )
    trial_ends_at = serializers.DateTimeField(
        source="account.trial_ends_at", allow_null=True, help_text="When the trial ends or ended; null: it has no end"
    )
    exempt_until = serializers.DateField(allow_null=True, help_text="The last day of an exemption; null: there is none")
    exempt_reason = serializers.CharField(help_text="Why it is exempt; empty if it is not")
    invoices = DunnedInvoiceOutput(many=True, help_text="At most 100 unpaid invoices, the one due first in front")
    sample = NextStageOutput(
        many=True, help_text="What the settings mean: all stages of a renewal that is invoiced today and never paid"
    )
