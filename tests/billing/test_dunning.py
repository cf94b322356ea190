"""Unpaid invoices: what is mailed, what falls past due, is suspended and ends, and what payment undoes."""

from decimal import Decimal

import pytest
from django.core import mail
from django.utils import timezone

from igny8_core.auth.models import Account, Subscription, User
from igny8_core.auth.services.accounts import reinstate_account, suspend_account
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.business.billing.models import DunningStep, Invoice, Payment
from igny8_core.business.billing.services.dunning.pauses import exempt_account, extend_deadline
from igny8_core.business.billing.services.dunning.steps import take_due_steps
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.invoices.lifecycle import create_subscription_invoice
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Delivery, Event
from tests import make
from tests.billing.dunning import DUE, day, due_renewal, dun, settled_mails, steps_of, told

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("undrawn_pdfs")]


def standing(invoice: Invoice) -> tuple[str, str, str, str]:
    """Invoice, subscription and account as they are now, and why the account is suspended."""
    invoice.refresh_from_db()
    account = Account.objects.get(pk=invoice.account_id)
    subscription = Subscription.objects.get(pk=invoice.subscription_id)
    return invoice.status, subscription.status, account.status, account.suspended_reason


def pay(invoice: Invoice, olga: User) -> None:
    PaymentService.approve_manual_payment(make.submitted_payment(invoice), olga)


def test_a_renewal_that_nobody_pays_is_told_suspended_and_ended(olga: User) -> None:
    invoice = due_renewal()
    with day(-8):
        dun()
    mail.outbox.clear()

    dun(*range(-8, 0))
    assert standing(invoice) == ("pending", "active", "active", "")
    dun(0)
    assert standing(invoice) == ("pending", "active", "active", "")
    with day(1, 0):
        dun()
    dun(1)
    assert standing(invoice) == ("pending", "past_due", "past_due", "")
    dun(*range(2, 8), 13, 14)
    assert standing(invoice) == ("pending", "past_due", "suspended", "non_payment")
    dun(*range(15, 30, 5), 30, 31)
    assert standing(invoice) == ("void", "canceled", "canceled", "")

    number = invoice.invoice_number
    assert told() == [
        *["Your plan Starter renews on 1 February 2027"] * 3,
        *[f"Invoice {number} is overdue"] * 3,
        "Your account is suspended",
        "Your subscription has ended",
    ]
    assert {tuple(sent.to) for sent in mail.outbox} == {("billing@example.com",)}
    assert steps_of(invoice) == {
        **dict.fromkeys((-7, -3, 0), "reminder"),
        **dict.fromkeys((1, 3, 7), "overdue"),
        14: "suspension",
        30: "cancellation",
    }
    assert broken_invariants() == []


def test_the_mails_say_what_is_due_what_follows_and_how_to_pay(olga: User) -> None:
    make.payment_method(bank_name="ABC Bank", account_number="1234567890")
    invoice = due_renewal()
    mail.outbox.clear()
    dun(-3, 1, 14)

    reminder, overdue, suspended = mail.outbox[-3:]
    for sent in (reminder, overdue, suspended):
        html = str(sent.alternatives[0][0])  # type: ignore[attr-defined]
        for said in (invoice.invoice_number, "89.00 USD", "1 February 2027", "/pay/", "1234567890"):
            assert said in sent.body
            assert said in html
        assert sent.subject.upper() in sent.body
    assert "your account is suspended on 15 February 2027" in " ".join(str(overdue.body).split())
    assert "your plan ends" in str(overdue.body)
    assert "If it is still missing on 3 March 2027" in " ".join(str(suspended.body).split())


def test_a_customer_whose_card_is_charged_is_not_asked_to_pay() -> None:
    invoice = due_renewal()
    mail.outbox.clear()
    card = {"type": "stripe", "display_name": "Visa 4242", "gateway_method_id": "pm_1", "is_verified": True}
    invoice.account.payment_methods.update(is_default=False)
    invoice.account.payment_methods.create(is_default=True, **card)
    dun(-3)

    [sent] = mail.outbox
    assert "We will charge 89.00 USD for the next period to your Visa 4242." in " ".join(str(sent.body).split())
    assert "Pay here" not in sent.body


@pytest.mark.parametrize("until", [1, 14])
def test_payment_undoes_at_once_what_was_done(until: int, olga: User) -> None:
    invoice = due_renewal()
    dun(*(number for number in (-7, 0, 1, 3, 7, 14) if number <= until))
    with day(until, 12):
        pay(invoice, olga)
    assert standing(invoice) == ("paid", "active", "active", "")

    before = len(mail.outbox)
    dun(until + 1, until + 15, 60)
    assert told(before) == [f"Payment received for invoice {invoice.invoice_number}"]
    assert broken_invariants() == []


def test_a_suspension_by_an_operator_is_lifted_by_operators_only(olga: User) -> None:
    invoice = due_renewal()
    dun(1, 3, 7)
    with day(8):
        suspend_account(invoice.account, "Spam", olga)
    dun(14)
    assert standing(invoice) == ("pending", "past_due", "suspended", "operator")
    with day(15):
        pay(invoice, olga)
    assert standing(invoice) == ("paid", "active", "suspended", "operator")
    with day(15):
        reinstate_account(invoice.account, "Cleared up", olga)
    assert standing(invoice) == ("paid", "active", "active", "")
    assert not Event.objects.filter(type="account.suspended", data__suspended_reason="non_payment").exists()


def test_an_account_that_paid_one_of_two_late_invoices_stays_behind(olga: User) -> None:
    older = due_renewal()
    with day(-8):
        newer = create_subscription_invoice(older.subscription)  # type: ignore[arg-type]
    Invoice.objects.filter(pk=newer.pk).update(due_date=DUE)
    dun(1, 3, 7, 14)
    with day(15, 9):
        pay(older, olga)
    assert standing(older) == ("paid", "active", "active", "")

    dun(15)
    assert standing(newer) == ("pending", "past_due", "suspended", "non_payment")


def test_nothing_is_sent_while_a_confirmation_waits_and_a_rejection_gives_time(olga: User) -> None:
    invoice = due_renewal()
    dun(-7, -3, 0, 1)
    before = len(mail.outbox)
    with day(2):
        payment = make.submitted_payment(invoice)
    dun(2, 3, 7, 14, 30, 39)
    assert told(before) == []
    assert standing(invoice)[2] == "past_due"

    with day(40):
        PaymentService.reject_manual_payment(payment, "Not found", olga)
    # Day 40 and three days of grace; the clock stood at 1 and goes on there.
    before = len(mail.outbox)
    dun(*range(40, 45))
    assert told(before) == [f"Payment not confirmed for invoice {invoice.invoice_number}"]
    dun(45)
    assert steps_of(invoice)[3] == "overdue"
    dun(49, 52, 56, 72)
    assert standing(invoice) == ("void", "canceled", "canceled", "")


def test_a_mail_that_is_late_is_not_sent_after_a_confirmation() -> None:
    invoice = due_renewal()
    mail.outbox.clear()
    with day(1):
        take_due_steps()
        make.submitted_payment(invoice)
        deliver_due()

    assert [subject for subject in told() if "overdue" in subject] == []


def test_a_lost_mail_does_not_use_up_its_stage_and_suspends_nobody() -> None:
    invoice = due_renewal()
    for number in (1, 3, 7):
        with day(number):
            take_due_steps()
            Delivery.objects.filter(event__type="invoice.overdue").update(status="dead", next_attempt_at=None)
    mail.outbox.clear()

    dun(14)
    assert standing(invoice)[2] == "past_due"
    assert told() == [f"Invoice {invoice.invoice_number} is overdue"]
    assert DunningStep.objects.get(invoice=invoice, stage=7).tries == 2
    dun(15, 17)
    assert standing(invoice)[2] == "past_due"
    dun(18)
    assert standing(invoice)[2] == "suspended"


def test_an_order_that_nobody_pays_is_withdrawn_and_its_account_closed() -> None:
    with day(-7):
        order = make.subscription()
    invoice = order.invoices.get()
    settled_mails()

    dun(-7, *range(-4, 9), 14, 30, 31)

    assert standing(invoice) == ("void", "canceled", "canceled", "")
    assert steps_of(invoice) == {
        -3: "reminder",
        0: "reminder",
        1: "overdue",
        3: "overdue",
        7: "overdue",
        30: "cancellation",
    }
    assert told()[-1] == "Your order was withdrawn"
    assert not any("suspended" in subject for subject in told())


def test_a_trial_goes_on_when_its_order_is_withdrawn() -> None:
    with day(-7):
        owner = make.owner({"status": "trial"})
        invoice = make.subscription(owner.account).invoices.get()
    dun(0, 1, 7, 30)

    assert standing(invoice) == ("void", "canceled", "trial", "")


def test_an_order_without_an_invoice_does_not_wait_for_ever() -> None:
    with day(-7):
        invoice = make.subscription().invoices.get()

        InvoiceService.mark_void(invoice, "Wrong", make.operator())
    dun(29)
    assert standing(invoice)[1] == "pending_payment"
    dun(31)
    assert standing(invoice) == ("void", "canceled", "canceled", "")


def test_credits_that_were_ordered_are_reminded_of_and_end_nothing() -> None:
    with day(-7):
        invoice = make.invoice(make.owner({"billing_email": "billing@example.com"}).account)
    settled_mails()
    dun(*range(-4, 9), 14, 30, 60)

    number = invoice.invoice_number
    assert told() == [*[f"Invoice {number} is due on 1 February 2027"] * 2, *[f"Invoice {number} is overdue"] * 3]
    assert Account.objects.get(pk=invoice.account_id).status == "active"


def test_an_order_of_a_larger_plan_is_no_debt() -> None:
    invoice = due_renewal()
    with day(-20):
        pay(invoice, make.operator())
        larger = SubscriptionService.upgrade_subscription(
            Subscription.objects.get(), make.plan("growth", price=Decimal(139), included_credits=2000)
        )
    assert larger
    settled_mails()
    before = len(mail.outbox)
    dun(-13, -10, 0, 1, 7)

    assert [subject for subject in told(before) if "due" in subject] == []
    assert DunningStep.objects.count() == 0


def test_an_exemption_holds_the_clock_for_all_invoices_of_an_account(olga: User) -> None:
    invoice = due_renewal()
    dun(1)
    with day(2):
        exempt_account(invoice.account, DUE.replace(day=21), "Asked for a month", olga)
    before = len(mail.outbox)
    dun(2, 3, 7, 14, 18)
    assert told(before) == []
    dun(21)  # the clock has stood at 1 since
    assert told(before) == []
    dun(22)
    assert steps_of(invoice)[3] == "overdue"
    [event] = Event.objects.filter(type="account.dunning_exempted")
    assert (event.actor, event.data["until"]) == (olga, "2027-02-21")


def test_a_later_deadline_holds_the_clock_of_one_invoice(olga: User) -> None:
    invoice, other = due_renewal(), due_renewal()
    with day(-1):
        extend_deadline(invoice, DUE.replace(day=10), "Salaries come on the 9th", olga)
    dun(1, 3)

    assert standing(invoice)[2] == "active"
    assert steps_of(invoice) == {}
    assert standing(other)[2] == "past_due"
    dun(10)
    assert standing(invoice)[2] == "past_due"


def test_payments_that_a_gateway_decides_hold_the_clock_too() -> None:
    invoice = due_renewal()
    with day(0):
        due = {"account": invoice.account, "invoice": invoice, "amount": invoice.total, "currency": "USD"}
        due["next_check_at"] = timezone.now()
        Payment.objects.create(payment_method="stripe", status="processing", **due)
    before = len(mail.outbox)
    dun(0, 1, 3, 7, 14)

    assert told(before) == []
    assert standing(invoice)[2] == "active"
