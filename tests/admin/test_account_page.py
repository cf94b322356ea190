"""The page of an account: all that belongs to it, and what operators do there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from igny8_core.admin.accounts.blocks import mails_of
from igny8_core.auth.models import Account, AccountNote, AccountStatus, User
from igny8_core.business.billing.models import CreditGrant, CreditTransaction
from igny8_core.business.billing.services.invoices.lifecycle import send_again
from igny8_core.common import clock
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.admin.samples import first_of_each, operator_with

HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
pytestmark = pytest.mark.django_db
SEES = "igny8_auth.view_account"


def page_of(account: Account, rest: str = "change") -> str:
    return f"/admin/igny8_auth/account/{account.pk}/{rest}/"


def hidden_in(text: str) -> dict[str, str]:
    """The hidden fields of a dialog, as a browser sends them."""
    fields = [dict(re.findall(r'(name|value)="([^"]*)"', field)) for field in HIDDEN.findall(text)]
    return {field["name"]: field.get("value", "") for field in fields if "name" in field}


def opened(browser: Client, account: Account, action: str) -> dict[str, str]:
    answer = browser.get(page_of(account, action))
    assert answer.status_code == 200
    assert account.name in answer.content.decode()
    return hidden_in(answer.content.decode())


def said(browser: Client, account: Account, dialog: dict[str, str], action: str, **fields: Any) -> str:
    """What the account's page says after a dialog was sent."""
    answer = browser.post(page_of(account, action), {**dialog, **fields}, follow=True)
    assert answer.redirect_chain, answer.content.decode()
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.fixture
def tenant(db: None) -> Account:
    account = make.owner().account
    assert account
    return account


def test_the_page_shows_all_that_belongs_to_the_account(console: Client) -> None:
    account = first_of_each()

    text = console.get(page_of(account)).content.decode()

    for block in ("Notes", "Subscription and terms in force", "Invoices", "Payments", "Credits", "Team", "Sites"):
        assert f'aria-label="{block}"' in text
    for block in ("Activity", "Mails", "Grants with credits left", "Operators who looked at the pages"):
        assert f'aria-label="{block}"' in text
    for name in ("igny8_auth_accountnote", "billing_invoice", "billing_payment", "events_event"):
        app, _, model = name.rpartition("_")
        listed = console.get(f"/admin/{app}/{model}/?account__id__exact={account.pk}")
        assert (listed.status_code, f"/admin/{app}/{model}/?account__id__exact={account.pk}" in text) == (200, True)


def test_who_may_not_see_invoices_reads_no_invoice_number(client: Client, tenant: Account) -> None:
    number = make.submitted_payment(make.invoice(tenant)).invoice.invoice_number

    client.force_login(operator_with(SEES, "billing.view_payment"))
    without = client.get(page_of(tenant)).content.decode()
    client.force_login(operator_with(SEES, "billing.view_payment", "billing.view_invoice"))

    assert 'aria-label="Payments"' in without
    assert number not in without
    assert number in client.get(page_of(tenant)).content.decode()


def test_all_of_the_mails_are_those_of_the_account(console: Client, tenant: Account) -> None:
    make.submitted_payment()
    send_again(make.invoice(tenant), make.operator())
    event = Event.objects.filter(account=tenant).latest("pk")
    Delivery.objects.create(event=event, consumer="no mail", status="done")
    (address,) = set(re.findall(r'"(/admin/events/delivery/\?[^"]*)"', console.get(page_of(tenant)).content.decode()))

    rows = console.get(address.replace("&amp;", "&")).context["cl"].result_list

    assert rows
    assert {row.pk for row in rows} == {mail.pk for mail in mails_of(tenant)}


def test_the_page_costs_as_many_statements_however_much_there_is(console: Client) -> None:
    account = first_of_each()
    console.get(page_of(account))
    with CaptureQueriesContext(connection) as few:
        console.get(page_of(account))
    for _ in range(3):
        make.submitted_payment(make.invoice(account))
        make.user(account=account)
        make.site(account)
        AccountNote.objects.create(account=account, author=account.owner, text="Called.")

    with CaptureQueriesContext(connection) as many:
        console.get(page_of(account))

    assert len(many) == len(few), [query["sql"] for query in many]
    assert len(few) <= 45


def test_an_operator_sees_the_blocks_and_buttons_that_they_may(client: Client) -> None:
    account = first_of_each()
    client.force_login(operator_with(SEES, "billing.view_invoice", "igny8_auth.give_goodwill"))

    text = client.get(page_of(account)).content.decode()

    assert set(re.findall(r'<section[^>]*aria-label="([^"]+)"', text)) == {"Invoices"}
    assert re.findall(r"</span>([^<]+)</a>", text.partition('class="console-buttons"')[2].partition("</nav>")[0]) == [
        "Give goodwill"
    ]


def test_a_note_is_written_once_and_nobody_changes_it(console: Client, tenant: Account, olga: User) -> None:
    dialog = opened(console, tenant, "add-note")

    first = said(console, tenant, dialog, "add-note", text="They pay on Monday.")
    again = said(console, tenant, dialog, "add-note", text="They pay on Monday.")

    note = AccountNote.objects.get()
    assert (note.account, note.author, note.text) == (tenant, olga, "They pay on Monday.")
    assert first == again == "The note stands on the account's page."
    with pytest.raises(Exception, match="append"):
        AccountNote.objects.update(text="They do not.")


def test_an_account_is_suspended_and_activated(console: Client, tenant: Account) -> None:
    assert "is suspended" in said(console, tenant, opened(console, tenant, "suspend"), "suspend", reason="Abuse")
    tenant.refresh_from_db()
    assert tenant.status == AccountStatus.SUSPENDED

    assert "is active" in said(console, tenant, opened(console, tenant, "activate"), "activate", reason="Sorry")
    tenant.refresh_from_db()
    assert tenant.status == AccountStatus.ACTIVE


def test_what_changed_meanwhile_is_refused_with_both_versions(console: Client, tenant: Account) -> None:
    dialog = opened(console, tenant, "adjust")
    said(console, tenant, opened(console, tenant, "suspend"), "suspend", reason="Abuse")

    told = said(console, tenant, dialog, "adjust", amount="50", reason="Promised")

    assert f"{tenant.name} was active, without a subscription" in told
    assert "now it is suspended" in told
    assert not CreditTransaction.objects.exists()


def test_credits_are_adjusted_once_however_often_it_is_clicked(console: Client, tenant: Account) -> None:
    dialog = opened(console, tenant, "adjust")

    for _ in range(2):
        assert "The balance is 50." in said(console, tenant, dialog, "adjust", amount="50", reason="Promised")

    assert CreditTransaction.objects.get().amount == 50
    refused = said(console, tenant, opened(console, tenant, "adjust"), "adjust", amount="-51", reason="Wrong")
    assert "has 50 credits" in refused


def test_another_amount_in_a_dialog_that_was_sent_is_not_said_to_be_booked(console: Client, tenant: Account) -> None:
    """Going back in the browser shows the dialog again, with its key."""
    until = str(clock.today())
    for action, fields in (("adjust", {}), ("goodwill", {"until": until})):
        dialog = opened(console, tenant, action)
        said(console, tenant, dialog, action, amount="5", reason="Promised", **fields)

        again = said(console, tenant, dialog, action, amount="50", reason="Promised", **fields)

        assert "nothing more was done" in again
        assert "50 credits" not in again
    tenant.refresh_from_db()
    assert tenant.credits == 10


def test_goodwill_expires_and_has_a_limit(console: Client, tenant: Account, settings: Any) -> None:
    day = clock.today() + timedelta(days=30)
    dialog = opened(console, tenant, "goodwill")

    for _ in range(2):
        said(console, tenant, dialog, "goodwill", amount="200", until=str(day), reason="Was down")

    grant = CreditGrant.objects.get()
    assert (grant.amount, grant.expires_at and grant.expires_at.date()) == (200, day + timedelta(days=1))
    too_many = settings.GOODWILL_CREDITS_MAX + 1
    dialog = opened(console, tenant, "goodwill")
    told = said(console, tenant, dialog, "goodwill", amount=str(too_many), until=str(day), reason="Was down")
    assert "credits are given as goodwill" in told
    past = said(console, tenant, dialog, "goodwill", amount="5", until="2020-01-01", reason="Was down")
    assert "is expected" in past
    assert CreditGrant.objects.count() == 1


def test_nobody_acts_on_their_own_account(client: Client, tenant: Account) -> None:
    member = make.operator(account=tenant)
    client.force_login(member)
    day = str(clock.today() + timedelta(days=3))

    for action, fields in {
        "suspend": {"reason": "Mine"},
        "adjust": {"amount": "5", "reason": "Mine"},
        "goodwill": {"amount": "5", "until": day, "reason": "Mine"},
        "look": {"reason": "Mine"},
    }.items():
        told = said(client, tenant, opened(client, tenant, action), action, **fields)
        assert "You are a member of this account" in told
    assert not CreditTransaction.objects.exists()


def test_the_plan_is_changed_and_ended(console: Client) -> None:
    subscription = make.running_subscription()
    make.plan("growth", name="Growth", price="139.00", max_sites=3)
    make.payment_method()
    account = subscription.account

    ordered = said(console, account, opened(console, account, "change-plan"), "change-plan", plan_slug="growth",
                   reason="Asked")  # fmt: skip
    ended = said(console, account, opened(console, account, "end-plan"), "end-plan", at_period_end="on", reason="Asked")

    assert "Growth" in ordered or "invoice" in ordered
    assert ended == "The subscription ends with its period."


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_sent_again_as_a_mail_of_its_own(console: Client, mailoutbox: list[Any]) -> None:
    payment = make.submitted_payment(make.invoice(make.owner().account))
    account = payment.account
    deliver_due()
    sent = [mail for mail in mailoutbox if account.owner and account.owner.email in mail.to]
    assert sent
    mail = Delivery.objects.filter(event__account=account, event__type="invoice.created").get()
    dialog = opened(console, account, "resend")

    told = [said(console, account, dialog, "resend", mail=str(mail.pk)) for _ in range(2)]
    deliver_due()

    again = [other for other in mailoutbox if other.subject == sent[0].subject]
    assert told[0] == "The mail is on its way."
    assert "a moment ago" in told[1]
    assert len({each.extra_headers["Message-ID"] for each in again}) == 2
    assert Event.objects.filter(type="mail.resent").count() == 1
