"""What operators invoice by hand, accounts that are suspended or deleted, and what is open on the last day."""

from datetime import date

from igny8_core.auth.services.account_service import AccountService
from igny8_core.business.billing.services.payment_checks import PaymentCheckService
from igny8_core.business.closure.service import close_account
from story_6259b03.stage import PASSWORD, Stage

from igny8_core.business.billing.services.credit_service import CreditService
from igny8_core.business.billing.services.invoice_service import InvoiceService
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.business.billing.services.subscription_service import SubscriptionService


def invoices_by_hand(stage: Stage) -> None:
    """With several lines, in the account's currency, with a date; paid, refunded, void and open."""
    stage.at("05-11 09:00")
    workshop = [
        {"description": "Workshop, per hour", "quantity": 3, "amount": "120.00"},
        {"description": "Travel", "quantity": 1, "amount": "45.55"},
        {"description": "Seats of the workshop", "quantity": 12, "amount": "9.90"},
    ]
    _bill(stage, "bank", workshop, notes="As agreed on 4 May.\nThank you.")
    stage.paid_by_bank("bank", "Workshop")
    stage.refunded("bank", "45.55", reason="No travel", reference="Back 4")
    _bill(stage, "doubled", workshop)
    InvoiceService.mark_void(stage.invoice("doubled"), "Another company's", stage.operator)
    _bill(stage, "wallet", [{"description": "پاکستان میں تربیت", "quantity": 2, "amount": "7500.50"}], send=False)
    stage.paid_by_bank("wallet", "JC-77", "local_wallet")
    _bill(stage, "yen", [{"description": "研修", "quantity": 1, "amount": "33000"}], due_date=date(2026, 12, 1))
    stage.paid_by_card("yen")
    stage.refunded("yen", "3000", reason="値引き")
    _bill(stage, "hoarding", [{"description": "Data import", "quantity": 1, "amount": "500.00"}])


def _bill(stage: Stage, word: str, lines: list[dict[str, object]], **more: object) -> None:
    InvoiceService.create_invoice(stage.account(word), lines, created_by=stage.operator, **more)  # type: ignore[arg-type]


def deleted_accounts(stage: Stage) -> None:
    """Erased: a trial, one that paid once, one with an order that nobody paid."""
    stage.at("05-20 09:00")
    stage.sign_up("Erased Eagles")
    stage.sign_up("Forgotten Foxes", "growth", "bank_transfer")
    stage.paid_by_bank("forgotten", "First and last")
    CreditService.spend(
        stage.account("forgotten"), 100, operation_type="content_rewrite", user=stage.owner("forgotten")
    )
    stage.sign_up("Quitting Quails", "starter", "bank_transfer")
    stage.at("05-21 09:00")
    for word in ("erased", "forgotten", "quitting"):
        close_account(stage.account(word), stage.owner(word), PASSWORD)


def last_days(stage: Stage) -> None:
    """Orders, confirmations and attempts that nobody has decided when the story ends."""
    stage.at("06-30 09:00")
    stage.sign_up("Confirmed Carpenters", "starter", "bank_transfer", "AE")
    stage.confirm("confirmed", "WAIT 1")
    # The reference of somebody else, to be decided.
    stage.sign_up("Copied Coopers", "growth", "bank_transfer")
    stage.confirm("copied", "Workshop")
    stage.sign_up("Newest Nets", "growth", "bank_transfer", "IN")
    stage.sign_up("Suspended Saws", "growth", "bank_transfer")
    stage.paid_by_bank("suspended", "S-1")
    AccountService.suspend(stage.account("suspended"), "Under inquiry", stage.operator)
    stage.sign_up("Canceled Crates", "growth", "bank_transfer")
    stage.confirm("canceled", "C-1")
    PaymentService.reject_manual_payment(stage.payment("canceled"), "Nothing came", stage.operator)
    SubscriptionService.cancel_subscription(stage.subscription("canceled"), canceled_by=stage.owner("canceled"))


def last_hour(stage: Stage) -> None:
    """What gateways have still to say."""
    stage.at("07-01 11:50")
    for name, plan, method in (
        ("Open Optics", "growth", "stripe"),
        ("Unapproved Urchins", "growth", "paypal"),
        ("Unknown Umbrellas", "growth", "stripe"),
        ("Processing Presses", "growth", "stripe"),
        ("Mismatched Mugs", "growth", "stripe"),
        ("Pending Pots", "growth", "stripe"),
    ):
        stage.sign_up(name, plan, method)
    stage.opened_by_card("open")
    stage.opened_at_paypal("unapproved")
    # The SDK tries three times, and nobody hears of the charge.
    stage.stripe.lose_next_answers(3, method="POST", path="/v1/payment_intents")
    stage.paid_by_card("unknown")
    stage.stripe.leave_processing()
    stage.paid_by_card("processing")
    _with_other_amount(stage)
    stage.paid_by_card("pending", "pm_card_pendingRefund")
    stage.refund_under_way("pending")


def _with_other_amount(stage: Stage) -> None:
    """Somebody changed the amount at Stripe: an operator has to look."""
    payment = stage.opened_by_card("mismatched")
    with stage.stripe._changing():
        intent = stage.stripe._objects[payment.stripe_payment_intent_id]
        intent["amount"] = 100
    stage.stripe.pay_in_browser(intent["client_secret"])
    PaymentCheckService.check_now(payment, stage.operator)
