"""Billing's event types, with the sentences that explain them."""

from igny8_core.events.registry import register


def declare() -> None:
    """Declare billing's event types. Called once, when the app is ready."""
    _of_accounts()
    _of_invoices_and_payments()
    _of_credits()
    _of_ways_to_pay()
    _of_configuration()


def _of_accounts() -> None:
    register(
        "igny8_auth.account",
        {
            "account.activated": "The account can be used: it was paid for, or its trial began.",
            "account.awaiting_payment": "The account waits for its first payment.",
            "account.past_due": "A renewal was not paid.",
            "account.canceled": "The account's subscription has ended, or its trial and the time to read after it.",
            "account.dunning_exempted": "An operator let the clock of dunning stand still for the account.",
            "account.trial_ending": "The trial ends soon.",
            "account.trial_ended": "The trial is over; the account can be read and not used.",
            "account.trial_extended": "An operator set another end of the trial.",
        },
    )
    register(
        "igny8_auth.subscription",
        {
            "subscription.created": "A plan was ordered here, or was bought at Stripe.",
            "subscription.activated": "The order was paid, or a late renewal was paid.",
            "subscription.upgrade_ordered": "A larger plan was ordered; it starts when it is paid.",
            "subscription.downgrade_scheduled": "A smaller plan begins with the next period.",
            "subscription.downgrade_refused": "A smaller plan could not start: the account uses more than it allows.",
            "subscription.plan_changed": "Another plan is in force.",
            "subscription.cancel_scheduled": "The subscription will end with its period.",
            "subscription.end_decided": "An operator ended the subscription, with its period or at once.",
            "subscription.change_decided": "An operator ordered another plan for the customer.",
            "subscription.renewed": "A further period was paid and has begun.",
            "subscription.price_change_announced": "The customer was told of another price from a later period on.",
            "subscription.price_change_withdrawn": "Another price that the customer was told of does not come.",
            "subscription.reactivated": "A scheduled end or smaller plan was taken back.",
            "subscription.past_due": "A renewal was not paid in time.",
            "subscription.canceled": "The subscription has ended.",
            "subscription.handed_over": "Stripe bills the subscription from now on.",
        },
    )


def _of_invoices_and_payments() -> None:
    register(
        "billing.invoice",
        {
            "invoice.created": "An invoice was made.",
            "invoice.updated": "An operator changed an invoice's notes. The event names the columns, not the values.",
            "invoice.paid": "An invoice was paid.",
            "invoice.voided": "An invoice was voided.",
            "invoice.sent": "An operator sent the invoice to the customer once more.",
            "invoice.credited": "A credit note took the invoice back; no money moved.",
            "invoice.corrected": "Another invoice with the right buyer took this one's place.",
            "invoice.reminded": "A reminder before or on the due date was due.",
            "invoice.overdue": "A notice was due, because the invoice was not paid in time.",
            "invoice.deadline_extended": "An operator gave the customer more time to pay.",
            "invoice.pay_links_withdrawn": "An operator made the links to an invoice open nothing any more.",
        },
    )
    register(
        "billing.payment",
        {
            "payment.submitted": "A customer confirmed that they paid by bank or wallet.",
            "payment.left_undecided": "Confirmations wait for operators for days, who were reminded of them.",
            "payment.approved": "An operator found the money and approved the payment.",
            "payment.rejected": "An operator rejected the payment; the customer reads its `reason`.",
            "payment.started": "A payment through a gateway was begun.",
            "payment.processing": "The gateway is processing the payment; the money is not there yet.",
            "payment.succeeded": "The gateway has the money.",
            "payment.failed": "The payment failed, and nothing was kept.",
            "payment.canceled": "The payment was closed before anything was charged.",
            "payment.unknown": "The gateway did not answer; it is asked again.",
            "payment.action_required": "The bank wants a confirmation by the customer, who was not present.",
            "payment.needs_review": "The gateway's data does not match, or is missing; an operator has to look.",
            "payment.review_cleared": "An operator had the payment checked again.",
            "payment.return_ordered": "The return of money that bought nothing was ordered.",
            "payment.returned": "Money that bought nothing has gone back.",
            "payment.refunded": "Money was refunded, with a credit note.",
            "payment.disputed": "The payer disputes the payment at their bank or at PayPal.",
            "payment.dispute_won": "A dispute was decided for us.",
            "payment.dispute_lost": "A dispute was decided for the payer; what it took goes back.",
            "payment.dispute_closed": "A dispute ended without a decision, and cost nothing.",
        },
    )
    register(
        "billing.renewal",
        {
            "renewal.paid": "A further period was paid before it begins.",
            "renewal.begun": "The period of a renewal has begun.",
            "renewal.withdrawn": "The unpaid invoice for a further period was withdrawn.",
            "renewal.charge_failed": "The saved card could not be charged for a renewal; it may be tried again.",
            "renewal.retried": "An operator had a renewal tried again.",
        },
    )
    register(
        "billing.refund",
        {
            "refund.started": "A refund through a gateway was begun.",
            "refund.processing": "The gateway is processing the refund.",
            "refund.unknown": "The gateway did not answer; it is asked again.",
            "refund.succeeded": "The money has gone back.",
            "refund.failed": "The money did not go back.",
        },
    )
    register(
        "billing.paymentproof",
        {
            "payment_proof.uploaded": "A picture or PDF that shows a payment was uploaded.",
            "payment_proof.deleted": "A proof that no payment used was deleted.",
        },
    )
    register(
        "igny8_auth.account igny8_auth.subscription billing.payment",
        {"gateway.difference": "A gateway's records differ from ours."},
    )
    register(
        "billing.webhookevent",
        {
            "webhook.dead": "A webhook message could not be processed and was given up.",
            "webhook.needs_review": "A webhook message matches nothing here; an operator has to decide.",
            "webhook.set_aside": "An operator settled a webhook message elsewhere and closed it.",
            "webhook.replayed": "An operator had a webhook message processed again.",
        },
    )


def _of_credits() -> None:
    register(
        "billing.credittransaction",
        {
            "credits.granted": "Credits were added, with a trial, a plan or a purchase.",
            "credits.spent": "Credits were used for an operation.",
            "credits.adjusted": "An operator added or removed credits.",
            "credits.expired": "Unused credits expired.",
            "credits.taken_back": "Unused credits of a refunded payment were taken back.",
        },
    )
    register("igny8_auth.account", {"credits.low": "A spend brought the balance below the warning threshold."})


def _of_ways_to_pay() -> None:
    register(
        "igny8_auth.account",
        {
            "payment_method.setup_started": "Somebody began to save a card.",
            "gateway_customer.released": "The account's customer at Stripe is to be erased there.",
        },
    )
    register(
        "billing.accountpaymentmethod",
        {
            "payment_method.added": "A way to pay was saved.",
            "payment_method.expiring": "The card that pays the renewals expires soon.",
            "payment_method.disabled": "Stripe no longer has a saved card.",
            "payment_method.made_default": "A saved way to pay became the default.",
            "payment_method.removed": "A saved way to pay was removed.",
        },
    )


def _of_configuration() -> None:
    register(
        "billing.planpricechange",
        {
            "plan_price_change.created": "An operator ordered another price for the renewals of a plan.",
            "plan_price_change.withdrawn": "An operator withdrew another price before it was invoiced.",
        },
    )
    for model, noun, text in [
        ("billing.paymentmethodconfig", "payment_method_config", "A country's payment method"),
        ("billing.creditcostconfig", "credit_cost", "An operation's cost"),
        ("billing.creditpackage", "credit_package", "A credit package"),
        ("billing.businessday", "business_day", "An operator's word on a business day"),
    ]:
        register(model, {f"{noun}.{done}": f"{text} was {done}." for done in ("created", "updated", "deleted")})
    register("events.taskrun", {"books.broken": "A check found rows that break rules of the books. `broken`: which."})
