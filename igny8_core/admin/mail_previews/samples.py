"""Every mail that the system sends, drawn with sample data, for operators to look at.

The mails are written by the functions that write the real ones, of rows that are made for it in a transaction and
rolled back: nothing stays, and nothing is sent.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model

from igny8_core.auth.models import (
    Account,
    AccountStatus,
    OperatorInvitation,
    Plan,
    Role,
    Subscription,
    SubscriptionStatus,
    SuspendedReason,
    TeamInvitation,
    User,
    terms_columns,
)
from igny8_core.auth.services import mails as account_mails
from igny8_core.auth.services.invitations import invite
from igny8_core.auth.services.operators import LIFETIME
from igny8_core.business.billing.models import (
    AccountPaymentMethod,
    CreditNote,
    Invoice,
    InvoiceStatus,
    Payment,
    PaymentMethodConfig,
    PaymentStatus,
    Refund,
    RejectionCode,
    Renewal,
    WebhookEvent,
)
from igny8_core.business.billing.services.invoices.lifecycle import create_invoice
from igny8_core.business.billing.services.notifications import mails as billing_mails
from igny8_core.common import clock, limit_hits
from igny8_core.common.languages import in_language
from igny8_core.common.mail import Drawn, Mail, drawn
from igny8_core.common.marks import gettext_noop
from igny8_core.events.models import Event, TaskRun

Facts = dict[str, Any]
HANDLERS: dict[str, Callable[[Event], Mail | None]] = {**account_mails.HANDLERS, **billing_mails.HANDLERS}
FOR_OPERATORS = billing_mails.TO_OPERATORS | {"signups.stopped"}
FOR_OPERATORS |= {"operator_invitation.created", "operator_invitation.resent"}
MONTH = timedelta(days=30)
NO_PASSWORD = "pbkdf2_sha256$1$sample$sample"  # noqa: S105 - the hash of none
DECLINED = gettext_noop("Your bank declined the card. Use another card, or ask your bank.")
PRICE = {"amount": "89.00", "currency": "USD"}
BROKEN_RULE = {"number": 3, "name": "nothing is below zero", "rows": 1, "examples": ["account 17: balance -5"]}


def draw_mail(kind: str, language: str) -> Drawn | None:
    """The mail about an event of this type, in a language; None if there is no mail about it."""
    if kind not in HANDLERS:
        return None
    with in_language("" if kind in FOR_OPERATORS else language), transaction.atomic():
        try:
            mail = HANDLERS[kind](Samples().event(kind))
            return drawn(mail) if mail else None
        finally:
            transaction.set_rollback(True)


@dataclass(frozen=True)
class About:
    """What an event of a sample is about, and its data."""

    subject: Model
    data: Facts


class Samples:
    """Rows of a customer who has one of everything, each made when it is first asked for."""

    def event(self, kind: str) -> Event:
        """An event of this type, as the services record it."""
        about = FACTS[kind](self)
        return Event.objects.create(
            type=kind,
            account=self.account,
            object_type=about.subject._meta.label_lower,
            object_id=str(about.subject.pk),
            actor=self.owner,
            data=about.data,
            created_at=clock.now(),
        )

    @cached_property
    def name(self) -> str:
        """What keeps the rows apart from all others."""
        return uuid.uuid4().hex[:12]

    @cached_property
    def plan(self) -> Plan:
        return Plan.objects.create(
            name="Growth", slug=f"sample-{self.name}", price="89.00", included_credits=1000, max_sites=5, max_users=10
        )

    @cached_property
    def account(self) -> Account:
        address = f"books-{self.name}@example.com"
        return Account.objects.create(
            name="Analytical Engines Ltd",
            slug=f"sample-{self.name}",
            plan=self.plan,
            status=AccountStatus.ACTIVE,
            billing_email=address,
            confirmed_billing_email=address,
        )

    @cached_property
    def owner(self) -> User:
        owner = self._person("Ada", "Lovelace", Role.OWNER)
        self.account.owner = owner
        self.account.save(update_fields=["owner"])
        return owner

    @cached_property
    def member(self) -> User:
        return self._person("Charles", "Babbage", Role.ADMIN)

    @cached_property
    def invitation(self) -> TeamInvitation:
        self.owner.email_verified_at = clock.now()
        self.owner.save(update_fields=["email_verified_at"])
        address = f"mary-{self.name}@example.com"
        return invite(self.account, self.owner, email=address, role=Role.EDITOR, site_ids=[])

    @cached_property
    def operator_invitation(self) -> OperatorInvitation:
        group = Group.objects.create(name=f"Payments {self.name}")
        return OperatorInvitation.objects.create(
            email=f"grace-{self.name}@example.com",
            group=group,
            invited_by=self.owner,
            expires_at=clock.now() + LIFETIME,
        )

    @cached_property
    def subscription(self) -> Subscription:
        now = clock.now()
        return Subscription.objects.create(
            account=self.account,
            plan=self.plan,
            status=SubscriptionStatus.ACTIVE,
            billing_anchor=now,
            current_period_start=now,
            current_period_end=now + MONTH,
            **terms_columns(self.plan.terms),
        )

    @cached_property
    def invoice(self) -> Invoice:
        line = {"description": "Plan Growth, monthly", "quantity": 1, "amount": "89.00"}
        return create_invoice(self.account, [line], self.subscription, currency="USD")

    @cached_property
    def waiting(self) -> Payment:
        """A confirmation that waits."""
        return self._payment(PaymentStatus.PENDING_APPROVAL)

    @cached_property
    def paid(self) -> Payment:
        """A payment that paid the invoice."""
        now = clock.now()
        columns = {"status": InvoiceStatus.PAID, "paid_at": now, "settled_amount": self.invoice.total}
        Invoice.objects.filter(pk=self.invoice.pk).update(**columns)
        return self._payment(PaymentStatus.SUCCEEDED, processed_at=now)

    @cached_property
    def failed(self) -> Payment:
        return self._payment(
            PaymentStatus.FAILED, failed_at=clock.now(), reason_code=RejectionCode.NOT_FOUND, failure_reason=""
        )

    @cached_property
    def credit_note(self) -> CreditNote:
        facts = {"reference": "RF-2026-0042", "credits_taken_back": 150, "credits_not_recovered": 50}
        return self._credit_note("20.00", "One week of the month could not be used", payment=self.paid, **facts)

    @cached_property
    def unpaid_note(self) -> CreditNote:
        return self._credit_note(self.invoice.total, "Ordered twice")

    def _credit_note(self, amount: Any, reason: str, **columns: Any) -> CreditNote:
        number = f"CN-{self.name}-{len(columns)}"
        columns |= {"account": self.account, "invoice": self.invoice, "currency": self.invoice.currency}
        return CreditNote.objects.create(
            credit_note_number=number, amount=amount, reason=reason, created_at=clock.now(), **columns
        )

    @cached_property
    def refund(self) -> Refund:
        return Refund.objects.create(
            account=self.account, payment=self.paid, amount="20.00", currency="USD", reason="Goodwill", status="failed"
        )

    @cached_property
    def renewal(self) -> Renewal:
        end = self.subscription.current_period_end or clock.now()
        return Renewal.objects.create(
            account=self.account,
            subscription=self.subscription,
            invoice=self.invoice,
            period_start=end,
            period_end=end + MONTH,
        )

    @cached_property
    def card(self) -> AccountPaymentMethod:
        return AccountPaymentMethod.objects.create(
            account=self.account, type="stripe", display_name="Visa ending in 4242", is_default=True
        )

    @cached_property
    def message(self) -> WebhookEvent:
        return WebhookEvent.objects.create(
            provider="stripe", event_id=f"evt_{self.name}", type="charge.succeeded", body="{}", state="dead"
        )

    @cached_property
    def bank(self) -> PaymentMethodConfig:
        """A way to pay, as it was: it need not be there any more."""
        return PaymentMethodConfig(pk=0, country_code="*", payment_method="bank_transfer", display_name="Bank Transfer")

    def in_state(self, status: AccountStatus, **columns: Any) -> Account:
        """The account in another state."""
        for column, value in {"status": status, **columns}.items():
            setattr(self.account, column, value)
        self.account.save()
        return self.account

    def _person(self, first: str, last: str, role: Role) -> User:
        address = f"{first.lower()}-{self.name}@example.com"
        person = User(email=address, first_name=first, last_name=last, account=self.account, role=role)
        person.password = NO_PASSWORD
        person.save()
        return person

    def _payment(self, status: PaymentStatus, **columns: Any) -> Payment:
        return Payment.objects.create(
            account=self.account,
            invoice=self.invoice,
            amount=self.invoice.total,
            currency=self.invoice.currency,
            payment_method="bank_transfer",
            status=status,
            manual_reference="BT-2026-0042",
            payer_name="Ada Lovelace",
            **columns,
        )


def _day(days: int) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


def _of_person(**data: Any) -> Callable[[Samples], About]:
    return lambda of: About(of.owner, data)


def _of_plan(**data: Any) -> Callable[[Samples], About]:
    limits = {"max_sites": 5, "max_users": 10, "credits": 1000}
    facts = {"plan_name": "Growth", "to_name": "Starter", "at": _day(30), **limits, **data}
    return lambda of: About(of.subscription, facts)


def _of_payment(name: str, **data: Any) -> Callable[[Samples], About]:
    reason = "The gateway says 98.00 USD, and 89.00 USD were due."
    return lambda of: About(getattr(of, name), {**PRICE, "reason": reason, **data})


def _unpaid(subject: str, day: int) -> Callable[[Samples], About]:
    facts = {"amount_due": "89.00", "currency": "USD", "subject": subject, "day": day, "stage": day}
    return lambda of: About(of.invoice, facts)


def _suspended(of: Samples) -> About:
    reason = SuspendedReason.NON_PAYMENT
    facts = {"suspended_reason": reason.value, "invoice_id": of.invoice.pk, **_unpaid("renewal", 14)(of).data}
    return About(of.in_state(AccountStatus.SUSPENDED, suspended_reason=reason), facts)


def _on_trial(status: AccountStatus = AccountStatus.TRIAL, **data: Any) -> Callable[[Samples], About]:
    days = {"last_day": _day(3)[:10], "closes_on": _day(17)[:10]}
    return lambda of: About(of.in_state(status), {**days, **data})


def _unconfirmed_address(of: Samples) -> About:
    return About(of.in_state(AccountStatus.ACTIVE, confirmed_billing_email=""), {})


def _welcome(of: Samples) -> About:
    trial_ends_at = clock.now() + timedelta(days=14)
    return About(of.in_state(AccountStatus.TRIAL, trial_ends_at=trial_ends_at, owner=of.owner), {"status": "trial"})


def _of_bank(before: str, after: str) -> Callable[[Samples], About]:
    changed = {"payment_method": "bank_transfer", "iban": after or before}
    return lambda of: About(of.bank, {"name": "* Bank Transfer", "changed": changed, "before": {"iban": before}})


FACTS: dict[str, Callable[[Samples], About]] = {
    "account.created": _welcome,
    "account.billing_email_given": _unconfirmed_address,
    "signups.stopped": lambda of: About(limit_hits.of_this_hour("signups"), {}),
    **dict.fromkeys(
        (
            *("user.verification_requested", "user.password_changed", "user.password_reset", "user.login_attacked"),
            *("session.token_reused", "second_factor.enabled", "second_factor.disabled", "second_factor.reset"),
            *("recovery_codes.renewed", "user.password_reset_requested"),
        ),
        _of_person(),
    ),
    "user.updated": lambda of: About(of.member, {"changed": ["role", "is_active"]}),
    "recovery_code.used": _of_person(left=2),
    "invitation.created": lambda of: About(of.invitation, {}),
    "invitation.resent": lambda of: About(of.invitation, {}),
    "member.removed": lambda of: About(of.member, {}),
    "account.ownership_transferred": lambda of: About(of.account, {"from": of.owner.pk, "to": of.member.pk}),
    "operator_invitation.created": lambda of: About(of.operator_invitation, {}),
    "operator_invitation.resent": lambda of: About(of.operator_invitation, {}),
    "invoice.created": lambda of: About(of.invoice, {}),
    "invoice.sent": lambda of: About(of.invoice, {}),
    "invoice.credited": lambda of: About(of.invoice, {"credit_note": of.unpaid_note.credit_note_number}),
    "payment.submitted": lambda of: About(of.waiting, {}),
    "payment.left_undecided": lambda of: About(of.account, {"payment_ids": [of.waiting.pk]}),
    "payment.approved": lambda of: About(of.paid, {}),
    "payment.succeeded": lambda of: About(of.paid, {}),
    "payment.rejected": lambda of: About(of.failed, {}),
    "payment.refunded": lambda of: About(of.paid, {"credit_note": of.credit_note.credit_note_number}),
    "credits.low": lambda of: About(of.account, {"balance": 80, "threshold": 100, "owner": of.owner.pk}),
    "renewal.charge_failed": lambda of: About(
        of.renewal,
        {"declines": 1, "code": "card_declined", "reason": DECLINED, "next_charge_at": _day(3)},
    ),
    "payment_method.expiring": lambda of: About(
        of.card, {"brand": "visa", "last4": "4242", "exp_year": clock.today().year, "exp_month": 12}
    ),
    "invoice.reminded": _unpaid("order", -3),
    "invoice.overdue": _unpaid("renewal", 3),
    "account.suspended": _suspended,
    "account.trial_ending": _on_trial(),
    "account.trial_ended": _on_trial(),
    "account.canceled": _on_trial(AccountStatus.CANCELED, because="trial_ended"),
    "subscription.cancel_scheduled": _of_plan(),
    "subscription.canceled": _of_plan(),
    "subscription.downgrade_scheduled": _of_plan(),
    "subscription.downgrade_refused": _of_plan(over_limits=[{"limit": "sites", "used": 7, "allowed": 5}]),
    "subscription.plan_changed": _of_plan(),
    "subscription.reactivated": _of_plan(),
    **{
        f"subscription.price_change_{done}": lambda of: About(
            of.subscription,
            {
                "plan_name": "Growth",
                "from": _day(60)[:10],
                "old_amount": "89.00",
                "new_amount": "99.00",
                "currency": "USD",
                "billing_cycle": "monthly",
            },
        )
        for done in ("announced", "withdrawn")
    },
    "payment.failed": _of_payment("failed", off_session=True, code="card_declined", reason=DECLINED),
    "payment.action_required": _of_payment("waiting"),
    "payment.returned": _of_payment("failed", returned="98.00"),
    "payment.needs_review": _of_payment("waiting"),
    "payment.disputed": _of_payment("paid", reason="The payer says that they did not make this payment."),
    "payment.return_ordered": _of_payment("failed"),
    "refund.failed": _of_payment("refund", reason="The card was closed."),
    "webhook.dead": lambda of: About(
        of.message, {"provider": "stripe", "type": "charge.succeeded", "error": "The gateway did not answer."}
    ),
    "books.broken": lambda of: About(TaskRun(pk=1), {"broken": [BROKEN_RULE]}),
    "webhook.needs_review": lambda of: About(
        of.message,
        {"provider": "stripe", "type": "charge.succeeded", "reason": "No payment of ours has this ID."},
    ),
    "payment_method_config.created": _of_bank("", "GB33BUKB20201555555555"),
    "payment_method_config.updated": _of_bank("GB29NWBK60161331926819", "GB33BUKB20201555555555"),
    "payment_method_config.deleted": _of_bank("GB29NWBK60161331926819", ""),
}
