#!/usr/bin/env python3
"""The three documented payment scenarios, end to end against a running server.

    python3 test_payment_workflow.py                            http://localhost:8011/api/v1/
    python3 test_payment_workflow.py https://staging.example.com --operator-email … --operator-password …

Each run signs up new customers with addresses of its own, so it can be repeated on the same database. It needs nothing
but Python 3.11. The exit code is 1 when a check fails or the server does not answer.
"""

import argparse
import os
import re
import secrets
import sys
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

from api_integration_example import DEFAULT_BASE_URL, ApiError, Client

PASSWORD = "TestPass123!"
PLAN, PRICE, CURRENCY, CREDITS = "starter", "89.00", "USD", 1000
ADDRESS = {
    "billing_email": "billing@example.com",
    "billing_address_line1": "123 Main Street",
    "billing_address_line2": "Floor 2",
    "billing_city": "Karachi",
    "billing_state": "Sindh",
    "billing_postal_code": "74000",
    "billing_country": "PK",
    "tax_id": "PK-1234567-8",
}
LONGEST_EXPLANATION = 600


class Checks:
    """Counts what held and what did not, and prints both."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def equal(self, promise: str, found: object, expected: object) -> None:
        """The promise holds when both values are the same, and of the same type."""
        holds = found == expected and type(found) is type(expected)
        self.that(promise, holds, f"expected {expected!r}, found {found!r}")

    def that(self, promise: str, holds: bool, otherwise: str) -> None:
        """The promise holds; `otherwise` says what was found instead."""
        if holds:
            self.passed += 1
            print(f"  ✓ {promise}")
        else:
            self.failed += 1
            print(f"  ✗ {promise}: {otherwise[:LONGEST_EXPLANATION]}")

    def refused(self, promise: str, status: int, code: str, request: Callable[[], object]) -> None:
        """The promise holds when the request is refused with this HTTP status and code."""
        try:
            answer = request()
        except ApiError as refusal:
            found = (refusal.status, refusal.code)
            self.that(f"{promise} ({status} {code})", found == (status, code), f"refused with {found}: {refusal}")
        else:
            self.that(f"{promise} ({status} {code})", False, f"it was accepted: {answer!r}")


class Workflow:
    """The scenarios, and the operator who decides in them."""

    def __init__(self, base_url: str, operator: Client, checks: Checks) -> None:
        self.base_url = base_url
        self.operator = operator
        self.checks = checks

    def free_trial(self) -> None:
        """Register without a plan: a trial with credits and nothing to pay."""
        customer, signup = self.customer("freetrial")
        checks, account = self.checks, signup["account"]
        checks.equal("the account is on trial", account["status"], "trial")
        checks.equal("it has the free plan", account["plan"]["slug"], "free")
        checks.equal("it has 1000 credits", account["credits"], CREDITS)
        checks.equal("there is no subscription", signup["subscription"], None)
        checks.equal("there is no invoice", (signup["invoice"], customer.invoices()), (None, []))
        checks.equal("there is no payment", customer.payments(), [])
        ledger = [(entry["transaction_type"], entry["amount"]) for entry in customer.credit_transactions()]
        checks.equal("the ledger shows where the credits came from", ledger, [("trial", CREDITS)])
        checks.equal("the person owns the account", signup["user"]["role"], "owner")
        checks.equal("the person is no operator", signup["user"]["is_staff"], False)
        email = signup["user"]["email"]
        checks.refused("nobody else gets the same e-mail address", 400, "email_not_available", _again(self, email))
        checks.equal("logging in gives the same account", _log_in(self.base_url, email)["id"], account["id"])
        self.sites_within_plan(customer)

    def paid_signup(self) -> None:
        """Register on a paid plan, confirm the transfer, be approved."""
        customer, signup = self.customer("paiduser", plan_slug=PLAN, payment_method="bank_transfer", **ADDRESS)
        invoice = signup["invoice"]
        self.waits_for_payment(customer, signup)
        self.states_what_was_sold(invoice)
        stranger, _ = self.customer("stranger")
        self.refuses_wrong_confirmations(customer, stranger, invoice)
        confirmation = self.confirms(customer, invoice, _reference())
        payment_id = confirmation["payment_id"]
        self.only_operators_decide(customer, stranger, payment_id)
        self.approves(customer, signup, confirmation)
        checks = self.checks
        twice = "approving twice is refused"
        checks.refused(twice, 409, "payment_not_pending", lambda: self.operator.approve_payment(payment_id))
        after = "rejecting after approval is refused"
        checks.refused(after, 409, "payment_not_pending", lambda: self.operator.reject_payment(payment_id))
        self.has_exactly_the_credits(customer)
        paid = customer.invoice(invoice["id"])
        checks.equal("the billing snapshot is as it was", paid["billing_snapshot"], invoice["billing_snapshot"])
        again = "a paid invoice takes no further payment"
        checks.refused(again, 409, "invoice_not_payable", lambda: _confirm(customer, invoice, _reference()))
        self.sites_within_plan(customer)

    def rejection_and_retry(self) -> None:
        """The reference is not on the bank statement; the customer corrects it."""
        customer, signup = self.customer("rejected", plan_slug=PLAN, payment_method="bank_transfer", **ADDRESS)
        checks, invoice = self.checks, signup["invoice"]
        first = self.confirms(customer, invoice, _reference())
        rejection = self.operator.reject_payment(first["payment_id"], "Reference not found")
        checks.equal("the payment is failed", rejection["status"], "failed")
        checks.equal("the invoice stays pending", rejection["invoice_status"], "pending")
        payment = customer.payments()[0]
        checks.equal("the customer sees why", payment["failure_reason"], "Reference not found")
        checks.equal("the customer's invoice is still open", customer.invoice(invoice["id"])["status"], "pending")
        account = customer.me()["account"]
        checks.equal("the account still waits", (account["status"], account["credits"]), ("pending_payment", 0))
        checks.equal("no credits were granted", customer.credit_transactions(), [])
        late = "a rejected payment cannot be approved"
        approve = self.operator.approve_payment
        checks.refused(late, 409, "payment_not_pending", lambda: approve(first["payment_id"]))

        second = self.confirms(customer, invoice, _reference())
        checks.that("the retry is a payment of its own", second["payment_id"] != first["payment_id"], "the same id")
        self.approves(customer, signup, second)
        self.has_exactly_the_credits(customer)
        states = sorted(payment["status"] for payment in customer.payments())
        checks.equal("both payments are on record", states, ["failed", "succeeded"])

    # --- Parts of the scenarios --------------------------------------------------------------------------------------

    def customer(self, name: str, **order: str) -> tuple[Client, dict[str, Any]]:
        """A new customer, logged in, and the answer to the registration."""
        client = Client(self.base_url)
        email = f"{name}-{secrets.token_hex(6)}@example.com"
        signup = client.register(email=email, password=PASSWORD, first_name="Test", last_name="User", **order)
        return client, signup

    def waits_for_payment(self, customer: Client, signup: dict[str, Any]) -> None:
        checks, account, invoice = self.checks, signup["account"], signup["invoice"]
        checks.equal("the account waits for payment", account["status"], "pending_payment")
        checks.equal("it has no credits yet", (account["credits"], customer.credit_transactions()), (0, []))
        checks.equal("the subscription waits for payment", signup["subscription"]["status"], "pending_payment")
        checks.equal("it is for the plan that was ordered", signup["subscription"]["plan"], PLAN)
        checks.equal("the invoice is pending", invoice["status"], "pending")
        kept = {field: account[field] for field in ADDRESS}
        checks.equal("the account keeps the billing details", kept, ADDRESS)
        instructions = signup["payment_instructions"]
        checks.equal("it is told how to pay", instructions["payment_method"], "bank_transfer")
        checks.that("the bank account is named", bool(instructions["account_number"]), f"{instructions!r}")
        industry = customer.industries()[0]["id"]
        early = "no site before the payment"
        checks.refused(early, 402, "payment_required", lambda: customer.create_site("Early", industry))

    def states_what_was_sold(self, invoice: dict[str, Any]) -> None:
        checks = self.checks
        number = invoice["invoice_number"]
        checks.that("the invoice has a number", bool(re.fullmatch(r"INV-\d+-\d{6}-\d{4}", number)), number)
        checks.equal("it says 89.00 USD", (invoice["total"], invoice["currency"]), (PRICE, CURRENCY))
        issued = date.fromisoformat(invoice["invoice_date"])
        checks.equal("it is due in 7 days", invoice["due_date"], (issued + timedelta(days=7)).isoformat())
        snapshot = invoice["billing_snapshot"]
        expected = {name.removeprefix("billing_"): value for name, value in ADDRESS.items()}
        copied = {name: snapshot.get(name) for name in expected}
        checks.equal("it has a snapshot of the billing details", copied, expected)
        checks.that("the snapshot is dated", bool(snapshot.get("snapshot_date")), f"{snapshot!r}")

    def refuses_wrong_confirmations(self, customer: Client, stranger: Client, invoice: dict[str, Any]) -> None:
        checks = self.checks
        for amount in ("88.99", "89.01", "8900.00"):
            request = _confirming(customer, invoice, amount=amount)
            checks.refused(f"{amount} for {PRICE} is refused", 400, "amount_mismatch", request)
        for amount in ("8.9e1", "-89.00", "89.00000", "eighty-nine"):
            request = _confirming(customer, invoice, amount=amount)
            checks.refused(f"{amount!r} is no amount", 400, "invalid_input", request)
        by_card = _confirming(customer, invoice, payment_method="stripe")
        checks.refused("a card is not confirmed by hand", 400, "invalid_input", by_card)
        foreign = _confirming(stranger, invoice)
        checks.refused("another account's invoice is not there", 404, "invoice_not_found", foreign)
        absent = _confirming(stranger, {**invoice, "id": 2**62})
        checks.equal("it looks like one that does not exist", _refusal(foreign), _refusal(absent))
        open_it = "a stranger cannot open it either"
        checks.refused(open_it, 404, "invoice_not_found", lambda: stranger.invoice(invoice["id"]))
        checks.equal("none of these left a payment", (customer.payments(), stranger.payments()), ([], []))

    def confirms(self, customer: Client, invoice: dict[str, Any], reference: str) -> dict[str, Any]:
        """Confirm a transfer and check the answer."""
        checks = self.checks
        confirmation = _confirm(customer, invoice, reference)
        checks.equal("the payment waits for approval", confirmation["status"], "pending_approval")
        same = (invoice["id"], invoice["invoice_number"], PRICE, CURRENCY, reference)
        names = ("invoice_id", "invoice_number", "amount", "currency", "manual_reference")
        checks.equal("it repeats what was confirmed", tuple(confirmation[name] for name in names), same)
        second = "a second confirmation has to wait"
        checks.refused(second, 409, "confirmation_already_open", lambda: _confirm(customer, invoice, _reference()))
        return confirmation

    def only_operators_decide(self, customer: Client, stranger: Client, payment_id: int) -> None:
        checks = self.checks
        for who, client in {"the customer": customer, "another account's owner": stranger}.items():
            approve, reject = partial(client.approve_payment, payment_id), partial(client.reject_payment, payment_id)
            checks.refused(f"{who} may not approve it", 403, "permission_denied", approve)
            checks.refused(f"{who} may not reject it", 403, "permission_denied", reject)
        anonymous = Client(self.base_url)
        nobody = "nobody may approve it without a login"
        checks.refused(nobody, 401, "not_authenticated", lambda: anonymous.approve_payment(payment_id))
        account = customer.me()["account"]
        checks.equal("nothing has changed", (account["status"], account["credits"]), ("pending_payment", 0))
        checks.equal("the payment still waits", customer.payments()[0]["status"], "pending_approval")

    def approves(self, customer: Client, signup: dict[str, Any], confirmation: dict[str, Any]) -> None:
        """Approve and check everything that follows at once."""
        checks, invoice = self.checks, signup["invoice"]
        approval = self.operator.approve_payment(confirmation["payment_id"], "Verified in bank statement")
        for name in ("payment_id", "invoice_id", "invoice_number"):
            checks.equal(f"the approval names the {name}", approval[name], confirmation[name])
        checks.equal("the approval names the account", approval["account_id"], signup["account"]["id"])
        checks.equal("the account is active", approval["account_status"], "active")
        checks.equal("the subscription is active", approval["subscription_status"], "active")
        granted = (approval["credits_added"], approval["total_credits"])
        checks.equal("1000 credits were added", granted, (CREDITS, CREDITS))
        operator = self.operator.me()["user"]["email"]
        checks.equal("the operator is on record", approval["approved_by"], operator)
        checks.that("with the time", str(approval["approved_at"]).endswith("Z"), repr(approval["approved_at"]))
        payment = next(row for row in customer.payments() if row["id"] == confirmation["payment_id"])
        checks.equal("the customer sees the payment succeeded", payment["status"], "succeeded")
        paid = customer.invoice(invoice["id"])
        checks.equal("the customer sees the invoice paid", paid["status"], "paid")
        checks.that("with the time", bool(paid["paid_at"]), repr(paid["paid_at"]))
        period = (paid["billing_period_start"], paid["billing_period_end"])
        checks.that("the first period has begun", all(period) and period[0] < period[1], repr(period))

    def has_exactly_the_credits(self, customer: Client) -> None:
        checks = self.checks
        account = customer.me()["account"]
        found = (account["status"], account["credits"])
        checks.equal("the account is active with exactly 1000", found, ("active", CREDITS))
        checks.equal("1000 can be spent", customer.credit_balance()["credits"], CREDITS)
        names = ("transaction_type", "amount", "balance_after")
        entries = [tuple(entry[name] for name in names) for entry in customer.credit_transactions()]
        checks.equal("the ledger has one entry for it", entries, [("subscription", CREDITS, CREDITS)])

    def sites_within_plan(self, customer: Client) -> None:
        """Create the one site that both plans allow; its owner gets access at once."""
        checks = self.checks
        bare = "a site needs an industry"
        checks.refused(bare, 400, "invalid_input", lambda: customer.create_site("My site", None))
        industry = customer.industries()[0]
        site = customer.create_site("My site", industry["id"], "example.com")
        checks.equal("the site is in its industry", site["industry"], industry)
        checks.equal("the owner has access to it", customer.site(site["id"])["name"], "My site")
        checks.equal("the owner finds it in the list", [row["id"] for row in customer.sites()], [site["id"]])
        over = "the plan's number of sites is kept"
        checks.refused(over, 409, "limit_reached", lambda: customer.create_site("One more", industry["id"]))


def _reference() -> str:
    return f"BT-{secrets.token_hex(6).upper()}"


def _confirm(customer: Client, invoice: dict[str, Any], reference: str, **changes: str) -> dict[str, Any]:
    transfer = {"payment_method": "bank_transfer", "amount": PRICE, "manual_reference": reference, **changes}
    return customer.confirm_payment(invoice["id"], manual_notes="Transferred via ABC Bank", **transfer)


def _confirming(customer: Client, invoice: dict[str, Any], **changes: str) -> Callable[[], object]:
    return lambda: _confirm(customer, invoice, _reference(), **changes)


def _refusal(request: Callable[[], object]) -> object:
    """What a stranger can see of a refusal, but for the id of the request."""
    try:
        return request()
    except ApiError as refusal:
        return refusal.status, refusal.code, refusal.message, refusal.errors


def _again(workflow: Workflow, email: str) -> Callable[[], object]:
    client = Client(workflow.base_url)
    person = {"email": email.upper(), "password": PASSWORD, "first_name": "Test", "last_name": "User"}
    return lambda: client.register(**person)


def _log_in(base_url: str, email: str) -> dict[str, Any]:
    account: dict[str, Any] = Client(base_url).log_in(email, PASSWORD)["account"]
    return account


def main(arguments: list[str] | None = None) -> int:
    """Run the scenarios; returns the exit code."""
    options = _options(arguments)
    checks = Checks()
    try:
        operator = Client(options.base_url)
        operator.log_in(options.operator_email, options.operator_password)
    except ApiError as problem:
        print(f"The scenarios cannot begin: {problem}", file=sys.stderr)
        if problem.code == "invalid_credentials":
            print(f"Is {options.operator_email} an operator there? See --operator-email and --operator-password.")
        print("0 passed, 1 failed")
        return 1
    print(f"Server: {operator.base_url}")
    workflow = Workflow(options.base_url, operator, checks)
    titles = {"Free trial": workflow.free_trial, "Paid signup": workflow.paid_signup}
    for title, scenario in {**titles, "Rejection and retry": workflow.rejection_and_retry}.items():
        print(f"\n{title}")
        try:
            scenario()
        except ApiError as problem:
            checks.that("the scenario comes to its end", False, f"{problem} {problem.errors or ''}".strip())
        except (LookupError, StopIteration, TypeError, ValueError) as problem:
            checks.that("the answers have the documented shape", False, repr(problem))
    print(f"\n{checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run the three payment scenarios against a running server.")
    default = os.environ.get("IGNY8_BASE_URL") or DEFAULT_BASE_URL
    parser.add_argument("base_url", nargs="?", default=default, help=f"or IGNY8_BASE_URL; now {default}")
    email = os.environ.get("IGNY8_OPERATOR_EMAIL") or "admin@example.com"
    password = os.environ.get("IGNY8_OPERATOR_PASSWORD") or "adminpass"
    parser.add_argument("--operator-email", default=email, help="or IGNY8_OPERATOR_EMAIL")
    parser.add_argument("--operator-password", default=password, help="or IGNY8_OPERATOR_PASSWORD")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
