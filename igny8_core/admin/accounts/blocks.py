"""What stands on an account's page beside its details: the newest of each kind, each with a link to all of them.

Each block is one statement for at most SHOWN rows by an index, so that an account with very many invoices opens as fast
as a new one. A block whose list the operator may not open is not there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from igny8_core.auth.models import Account, AccountNote, CustomerLogin, Site, Subscription, User
from igny8_core.business.billing.models import CreditGrant, CreditTransaction, Invoice, Payment
from igny8_core.common.money import amount_text
from igny8_core.console.columns import EMPTY, change_url, label, time_text
from igny8_core.events import consumers
from igny8_core.events.models import Delivery, Event
from igny8_core.events.registry import UnknownEventType, event_type

SHOWN = 10
TONES = {
    "active": "success",
    "paid": "success",
    "succeeded": "success",
    "past_due": "danger",
    "failed": "danger",
    "overdue": "danger",
    "pending_payment": "warning",
    "pending_approval": "warning",
    "dead": "danger",
}
Row = Sequence[str]


@dataclass(frozen=True)
class Block:
    """The newest rows of one kind; `all_of_them` is the address of their list, filtered by the account."""

    title: str
    heads: Row
    rows: list[Row]
    all_of_them: str = ""
    nothing: str = field(default="None yet.")

    @property
    def is_wide(self) -> bool:
        """Whether its columns need the whole width of a usual screen."""
        return len(self.heads) > 5

    @property
    def headed_rows(self) -> list[list[tuple[str, str]]]:
        """Each cell with its head, which stands beside it on a phone."""
        return [list(zip(self.heads, row, strict=True)) for row in self.rows]


def blocks_of(account: Account, request: HttpRequest) -> list[Block]:
    """The blocks of an account that this operator may see, in the order in which they stand."""
    may = request.user.has_perm
    payments = partial(_payments, with_invoices=may("billing.view_invoice"))
    makers: list[tuple[str, Callable[[Account], Block]]] = [
        ("igny8_auth.view_accountnote", _notes),
        ("igny8_auth.view_subscription", _subscriptions),
        ("billing.view_invoice", _invoices),
        ("billing.view_payment", payments),
        ("billing.view_credittransaction", _credits),
        ("billing.view_creditgrant", _grants),
        ("igny8_auth.view_user", _team),
        ("igny8_auth.view_site", _sites),
        ("events.view_event", _activity),
        ("events.view_delivery", _mails),
        ("igny8_auth.view_customerlogin", _looks),
    ]
    return [make(account) for permission, make in makers if may(permission)]


def mails_of(account: Account) -> QuerySet[Delivery]:
    """The mails about an account, newest first; what waits for the mail server too."""
    mails = Delivery.objects.filter(event__account=account, consumer__in=consumers.names_of_mailers())
    return mails.select_related("event").order_by("-event_id", "-id")


def mail_text(mail: Delivery) -> str:
    """What a mail is about, and when that was."""
    what = mail.event.data.get("mail", "") if mail.event.type == "mail.resent" else ""
    return f"{_says(what or mail.event.type)} {'Sent again. ' if what else ''}({time_text(mail.event.created_at)})"


def _notes(account: Account) -> Block:
    notes = AccountNote.objects.filter(account=account).select_related("author")
    rows: list[Row] = [(time_text(note.created_at), str(note.author), note.text) for note in notes[:SHOWN]]
    return Block("Notes", ("Written", "By", "Note"), rows, _list("igny8_auth_accountnote", account))


def _subscriptions(account: Account) -> Block:
    found = Subscription.objects.filter(account=account).select_related("plan", "pending_plan").order_by("-pk")
    heads = ("Plan", "Status", "Price", "Credits", "Sites, users", "Period", "Then")
    rows: list[Row] = [_subscription_row(each) for each in found[:SHOWN]]
    return Block("Subscription and terms in force", heads, rows, _list("igny8_auth_subscription", account))


def _subscription_row(each: Subscription) -> Row:
    terms = each.terms
    price = credit = limits = EMPTY
    if terms is not None:
        price = f"{amount_text(terms.price, terms.currency)} {terms.billing_cycle}"
        credit, limits = str(terms.credits), f"{terms.max_sites}, {terms.max_users}"
    begin, end = time_text(each.current_period_start), time_text(each.current_period_end)
    then = "ends" if each.cancel_at_period_end else (f"becomes {each.pending_plan}" if each.pending_plan else EMPTY)
    plan = _link("igny8_auth_subscription", each.pk, each.plan.name)
    return (plan, _status(each), price, credit, limits, f"{begin} to {end}", then)


def _invoices(account: Account) -> Block:
    found = Invoice.objects.filter(account=account).order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (
            _link("billing_invoice", each.pk, each.invoice_number),
            _status(each),
            amount_text(each.total, each.currency),
            str(each.invoice_date),
            str(each.due_date),
        )
        for each in found
    ]
    return Block("Invoices", ("Number", "Status", "Total", "Of", "Due"), rows, _list("billing_invoice", account))


def _payments(account: Account, *, with_invoices: bool) -> Block:
    found = Payment.objects.filter(account=account).select_related("invoice").order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (
            _link("billing_payment", each.pk, str(each.pk)),
            _status(each),
            amount_text(each.amount, each.currency),
            each.get_payment_method_display(),
            *([each.invoice.invoice_number] if with_invoices else []),
            time_text(each.created_at),
        )
        for each in found
    ]
    heads = ("ID", "Status", "Amount", "By", *(["Invoice"] if with_invoices else []), "Of")
    return Block("Payments", heads, rows, _list("billing_payment", account))


def _credits(account: Account) -> Block:
    found = CreditTransaction.objects.filter(account=account).order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (
            time_text(each.created_at),
            each.get_transaction_type_display(),
            f"{each.amount:+}",
            str(each.balance_after),
            each.metadata.get("reason") or each.description,
        )
        for each in found
    ]
    heads = ("At", "What", "Credits", "Balance", "Why")
    return Block("Credits", heads, rows, _list("billing_credittransaction", account))


def _grants(account: Account) -> Block:
    found = CreditGrant.objects.filter(account=account, remaining__gt=0).order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (
            _link("billing_creditgrant", each.pk, each.source),
            each.get_kind_display(),
            f"{each.remaining} of {each.amount}",
            time_text(each.expires_at) if each.expires_at else "never",
        )
        for each in found
    ]
    heads = ("From", "Kind", "Left", "Expires")
    return Block("Grants with credits left", heads, rows, _list("billing_creditgrant", account))


def _team(account: Account) -> Block:
    found = User.objects.filter(account=account).order_by("pk")[:SHOWN]
    rows: list[Row] = [
        (
            _link("igny8_auth_user", each.pk, each.email),
            each.full_name,
            each.get_role_display(),
            "yes" if each.is_active else "no",
            "yes" if each.second_factor_since else "no",
        )
        for each in found
    ]
    heads = ("Login", "Name", "Role", "Active", "Second factor")
    return Block("Team", heads, rows, _list("igny8_auth_user", account))


def _sites(account: Account) -> Block:
    found = Site.objects.filter(account=account).order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (_link("igny8_auth_site", each.pk, each.name), each.domain or EMPTY, each.get_status_display())
        for each in found
    ]
    return Block("Sites", ("Site", "Domain", "Status"), rows, _list("igny8_auth_site", account))


def _activity(account: Account) -> Block:
    found = Event.objects.filter(account=account).select_related("actor").order_by("-pk")[:SHOWN]
    rows: list[Row] = [
        (time_text(each.created_at), _link("events_event", each.pk, _says(each.type)), str(each.actor or EMPTY))
        for each in found
    ]
    return Block("Activity", ("At", "What", "By"), rows, _list("events_event", account))


def _mails(account: Account) -> Block:
    rows: list[Row] = [
        (
            time_text(each.event.created_at),
            _link("events_delivery", each.pk, _says(each.event.data.get("mail", "") or each.event.type)),
            "Sent again" if each.event.type == "mail.resent" else EMPTY,
            _status(each),
        )
        for each in mails_of(account)[:SHOWN]
    ]
    all_of_them = _list("events_delivery", account, "event__account")
    return Block("Mails", ("At", "About", "", "Status"), rows, f"{all_of_them}&mails=yes", "No mails yet.")


def _looks(account: Account) -> Block:
    found = CustomerLogin.objects.filter(account=account).select_related("operator", "person")[:SHOWN]
    rows: list[Row] = [
        (time_text(each.began_at), str(each.operator), str(each.person), each.reason, _end_of(each)) for each in found
    ]
    heads = ("Began", "Operator", "As", "Why", "Until")
    return Block("Operators who looked at the pages", heads, rows, _list("igny8_auth_customerlogin", account))


def _end_of(look: CustomerLogin) -> str:
    return time_text(look.ended_at or look.ends_at)


def _says(kind: str) -> str:
    try:
        return event_type(kind).says
    except UnknownEventType:  # of a release before
        return kind


def _status(row: Any) -> str:
    return label(str(row.get_status_display()), TONES.get(row.status, ""))


def _link(model: str, pk: int, text: str) -> str:
    return format_html('<a class="text-link" href="{}">{}</a>', change_url(model, pk), text)


def _list(model: str, account: Account, path: str = "account") -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{path}__id__exact={account.pk}"
