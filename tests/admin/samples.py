"""Rows for the console to show: one of every model, and operators with exactly the permissions of a test."""

import json
import uuid
from datetime import timedelta
from decimal import Decimal
from itertools import count

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from igny8_core.auth.models import (
    Account,
    AccountNote,
    CustomerLogin,
    Industry,
    KnownPlace,
    LoginFailure,
    OperatorInvitation,
    RecoveryCode,
    Role,
    SecondFactor,
    SiteUserAccess,
    Subscription,
    TeamInvitation,
    TrialTaken,
    User,
)
from igny8_core.auth.services.sessions import open_session
from igny8_core.business.billing.models import (
    BulkDecision,
    BulkDecisionRow,
    BusinessDay,
    CreditCostConfig,
    CreditPackage,
    CreditUsageHour,
    CreditUsageSum,
    DailySum,
    DailySumMark,
    Dispute,
    DunningPause,
    DunningStep,
    Invoice,
    InvoiceOffer,
    MadeDefault,
    PayeeVersion,
    Payment,
    PaymentMethodConfig,
    PlanPriceChange,
    PriceChangeNotice,
    Refund,
    Renewal,
    UsageHourMark,
    UsageSumMark,
    WebhookEvent,
)
from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.common.models import IdempotentAnswer, LimitHit, RateCounter, SentMail
from igny8_core.events.models import Lane, TaskRun
from tests import make
from tests.snapshots import restored

_numbers = count(1)


def operator_with(*permissions: str, **fields: object) -> User:
    """An operator with these permissions ("billing.view_payment") and no others."""
    operator = make.user(is_staff=True, **fields)
    for permission in permissions:
        app, _, codename = permission.partition(".")
        operator.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return operator


def first_of_each(text: str = "") -> Account:
    """The same as `one_of_each` makes, for a test that has made none of them yet, and much sooner."""
    return restored(f"one of each {text}", lambda: one_of_each(text))


def three_of_each() -> None:
    """Three rows of every model, for a test that has none of them."""
    restored("three of each", lambda: [one_of_each() for _ in range(3)])


def one_of_each(text: str = "") -> Account:
    """One more row of every model, all of one account; `text` stands wherever people can write."""
    number = next(_numbers)
    plan = make.plan(f"plan-{number}", name=f"Plan {text}", max_sites=5)
    owner = make.owner({"name": f"Account {text}", "plan": plan, "status": "pending_payment"}, first_name=text)
    account = owner.account
    assert account
    _catalogue(number, text)
    subscription = make.subscription(account, plan)
    invoice = subscription.invoices.get()
    invoice.notes = text
    invoice.save()
    payment = make.submitted_payment(invoice, f"Transfer {number} {text}", notes=text, proof=make.proof(account))
    PaymentService.approve_manual_payment(payment, make.operator(), admin_notes=text)
    PaymentService.process_refund(payment, Decimal("1.00"), reason=text or "Goodwill", reference=text[:100])
    decided = BulkDecision.objects.create(
        decided_by=owner, decision="approve", note=text, status="done", finished_at=timezone.now()
    )
    BulkDecisionRow.objects.create(bulk=decided, payment=payment, result="done", outcome=text)
    account.refresh_from_db()
    site = make.site(account, name=f"Site {text}", industry=Industry.objects.latest("pk"), domain="example.com")
    CreditService.spend(
        account, 5, operation_type="article", description=text, key=f"key-{number}", site=site, user=owner
    )
    _around(account, owner, number, text)
    _renewal(subscription, text)
    SiteUserAccess.objects.create(user=owner, site=site, granted_by=owner)
    return account


def _catalogue(number: int, text: str) -> None:
    Industry.objects.create(name=f"Industry {number} {text}", slug=f"industry-{number}")
    CreditPackage.objects.create(name=f"Package {text}", slug=f"package-{number}", credits=500, price="9.00")
    CreditCostConfig.objects.create(
        operation_type=f"operation-{number}", display_name=f"Cost {text}", credits_per_unit=1, unit=text or "article"
    )
    PaymentMethodConfig.objects.create(
        country_code=f"{chr(65 + number // 26 % 26)}{chr(65 + number % 26)}",
        payment_method="local_wallet",
        display_name=f"Wallet {text}",
        instructions=text,
    )
    MadeDefault.objects.create(kind="igny8_auth.plan", key=f"plan-{number} {text}")


def _renewal(subscription: Subscription, text: str) -> None:
    change = PlanPriceChange.objects.create(
        plan=subscription.plan,
        price=Decimal("99.00"),
        currency="USD",
        billing_cycle="monthly",
        effective_on=timezone.now().date(),
        notice_days=30,
    )
    subscription.refresh_from_db()
    PriceChangeNotice.objects.create(
        price_change=change, subscription=subscription, account=subscription.account, applies_from=timezone.now()
    )
    end = subscription.current_period_end
    assert end
    # The invoice that is paid already, so that the newest one stays paid.
    Renewal.objects.create(
        account=subscription.account,
        subscription=subscription,
        invoice=subscription.invoices.get(),
        period_start=end,
        period_end=end + timedelta(days=30),
        last_decline=text[:100],
        price_change=change,
    )


def _around(account: Account, owner: User, number: int, text: str) -> None:
    soon = timezone.now() + timedelta(days=1)
    open_session(owner)
    SecondFactor.objects.create(user=owner)
    RecoveryCode.objects.create(user=owner, digest=uuid.uuid4().hex)
    TeamInvitation.objects.create(
        account=account,
        email=f"guest{number}@example.com",
        role=Role.EDITOR,
        token_hash=uuid.uuid4().hex,
        invited_by=owner,
        expires_at=soon,
    )
    OperatorInvitation.objects.create(
        email=f"operator{number}@example.com", group=Group.objects.first(), invited_by=owner, expires_at=soon
    )
    AccountNote.objects.create(account=account, author=owner, text=text or "Called them.")
    CustomerLogin.objects.create(account=account, person=owner, operator=owner, reason=text or "Asked", ends_at=soon)
    InvoiceOffer.objects.create(
        invoice=Invoice.objects.filter(account=account).latest("pk"),
        payment_method="manual",
        payee_version=PayeeVersion.objects.create(country_code="*", payment_method="manual", instructions=text),
        position=9,
        country_code="*",
        display_name=f"Wallet {text}",
        config_id=number,
    )
    WebhookEvent.objects.create(
        provider="stripe",
        event_id=f"evt_{number}",
        type="charge.failed",
        body=json.dumps({"text": text}),
        next_attempt_at=soon,
    )
    Refund.objects.create(
        account=account,
        payment=Payment.objects.filter(account=account).latest("pk"),
        amount="1.00",
        currency="USD",
        status="failed",
        reason=text or "Goodwill",
        failure_reason=text,
    )
    Dispute.objects.create(
        account=account,
        payment=Payment.objects.filter(account=account).latest("pk"),
        gateway="stripe",
        gateway_dispute_id=f"du_{number}",
        amount="1.00",
        currency="USD",
        reason=text or "fraudulent",
    )
    invoice = Invoice.objects.filter(account=account).latest("pk")
    of_invoice = {"account": account, "invoice": invoice}
    DunningStep.objects.create(stage=number, kind="overdue", amount_due="89.00", taken_on=soon.date(), **of_invoice)
    DunningPause.objects.create(until=soon.date(), reason=text or "Agreed", created_by=owner, **of_invoice)
    BusinessDay.objects.create(country_code="PK", day=soon.date() + timedelta(days=number), name=f"Feast {text}")
    UsageSumMark.objects.get_or_create(pk=1, defaults={"summed_up_to": soon})
    UsageHourMark.objects.get_or_create(pk=1, defaults={"summed_up_to": soon})
    DailySumMark.objects.get_or_create(pk=1, defaults={"day": soon.date()})
    DailySum.objects.create(day=soon.date() + timedelta(days=number), kind="used", currency="", amount=number)
    CreditUsageSum.objects.create(account=account, quarter=soon, operation_type="article", credits=5, operations=1)
    CreditUsageHour.objects.create(account=account, hour=soon, operation_type="article", credits=5, operations=1)
    IdempotentAnswer.objects.create(caller=f"user {owner.pk}", key=f"key-{number}", status=201, body="{}")
    SentMail.objects.create(
        recipient=f"hash-{number}", kind="documents", account_id=account.pk, message_id=f"<{number}>"
    )
    LimitHit.objects.create(limit="login", hour=soon + timedelta(hours=number), count=1)
    LoginFailure.objects.create(mark=f"place-{number}", address=f"address-{number}", failures=1, last_at=soon)
    KnownPlace.objects.create(mark=f"place-{number}", user=owner)
    TrialTaken.objects.create(mark=f"mailbox-{number}")
    RateCounter.objects.create(key=f"key-{number}", window_start=soon, count=1)
    Lane.objects.create(name=f"lane-{number}", last_error=text)
    TaskRun.objects.create(task=f"task-{number}", ended_at=soon)
    Group.objects.create(name=f"Group {number} {text}")
    LogEntry.objects.create(
        user=owner,
        content_type=ContentType.objects.get_for_model(Account),
        object_id=str(account.pk),
        object_repr=f"Account {text}"[:200],
        action_flag=CHANGE,
        change_message=text,
    )
