#!/usr/bin/env python3
"""A small client of the igny8 API, and a demo that walks from signup to an approved payment.

    python3 api_integration_example.py                                  http://localhost:8011/api/v1/
    python3 api_integration_example.py https://app.example.com

It needs nothing but Python 3.11: copy the class into your own project and cut it down to what you use.
"""

import argparse
import json
import os
import secrets
import sys
from http.client import HTTPException
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

DEFAULT_BASE_URL = "http://localhost:8011/api/v1/"
Data = dict[str, Any]


class ApiError(Exception):
    """A refusal of the API, or no answer from it.

    `status` is the HTTP status (0: no answer), `code` the machine-readable reason, `message` a sentence for people,
    `errors` the sentences for each input field, `request_id` what to quote to support.
    """

    def __init__(
        self, status: int, code: str, message: str, errors: dict[str, list[str]] | None = None, request_id: str = ""
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors or {}
        self.request_id = request_id
        super().__init__(f"{message} ({code}, HTTP {status})" if status else message)


class Client:
    """One login at the API. Money is text, as the API writes it ("89.00"); every method raises ApiError."""

    def __init__(self, base_url: str = DEFAULT_BASE_URL, timeout: float = 30) -> None:
        """`base_url` with or without /api/v1/; `timeout` in seconds for each request."""
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ApiError(0, "bad_base_url", f"{base_url!r} is not an address. Expected {DEFAULT_BASE_URL}")
        path = parts.path.rstrip("/") or "/api/v1"
        self.base_url = f"{parts.scheme}://{parts.netloc}{path}/"
        self.timeout = timeout
        self.token = ""
        self.refresh_token = ""
        self._opener = build_opener(_NoRedirects)

    # --- Before signing up -------------------------------------------------------------------------------------------

    def plans(self) -> list[Data]:
        """Plans that can be ordered."""
        return self._rows("auth/plans/")

    def industries(self) -> list[Data]:
        """Industries that a site can be in."""
        return self._rows("auth/industries/")

    def payment_methods(self, country: str = "") -> list[Data]:
        """Payment methods offered in a country (two letters, ISO 3166-1), in display order; empty: everywhere."""
        # The one address whose answer is a bare array.
        methods: list[Data] = self._call("GET", "billing/payment-methods/", query={"country": country})
        return methods

    # --- Login -------------------------------------------------------------------------------------------------------

    def register(self, *, email: str, password: str, first_name: str, last_name: str, **order: str) -> Data:
        """Sign up and stay logged in.

        `order` for a paid plan: plan_slug, payment_method, billing_email, billing_address_line1, billing_city,
        billing_country, tax_id, … Answers user, account, subscription, invoice and payment_instructions.
        """
        person = {"email": email, "password": password, "password_confirm": password}
        names = {"first_name": first_name, "last_name": last_name}
        return self._keep_tokens(self._post("auth/register/", {**person, **names, **order}))

    def log_in(self, email: str, password: str) -> Data:
        """Log in; answers user and account."""
        return self._keep_tokens(self._post("auth/login/", {"email": email, "password": password}))

    def refresh(self) -> None:
        """Exchange the refresh token for new tokens, before or after the access token runs out (15 minutes)."""
        self._keep_tokens(self._post("auth/refresh/", {"refresh": self.refresh_token}))

    def log_out(self) -> None:
        """End this login; its tokens stop working at once."""
        self._post("auth/logout/", {"refresh": self.refresh_token})
        self.token = self.refresh_token = ""

    def me(self) -> Data:
        """Who is logged in, with their account: its status, plan and credits."""
        return self._get("auth/me/")

    def change_password(self, current_password: str, new_password: str) -> None:
        """Set a new password; all other logins end."""
        passwords = {"current_password": current_password, "new_password": new_password}
        self._keep_tokens(self._post("auth/password/change/", passwords))

    # --- Sites -------------------------------------------------------------------------------------------------------

    def sites(self, **filters: str) -> list[Data]:
        """The account's sites that one may see. Filters: status, search."""
        return self._rows("sites/", filters)

    def site(self, site_id: int) -> Data:
        """One site."""
        return self._get(f"sites/{site_id}/")

    def create_site(self, name: str, industry: int | None, domain: str = "") -> Data:
        """Add a site; `industry` is an id from `industries()` and the API insists on it."""
        site: Data = {"name": name, "domain": domain}
        return self._post("sites/", site if industry is None else {**site, "industry": industry})

    def delete_site(self, site_id: int) -> None:
        """Delete a site."""
        self._call("DELETE", f"sites/{site_id}/")

    # --- Account and team --------------------------------------------------------------------------------------------

    def settings(self, **changes: str) -> Data:
        """The account's settings, after changing some: name, timezone, billing_email, billing_country, …"""
        return dict(self._call("PATCH", "account/settings/", body=changes)["data"])

    def limits(self) -> Data:
        """How many sites, users and credits are used and allowed."""
        return self._get("account/limits/")

    def team(self) -> list[Data]:
        """The account's members."""
        return self._rows("account/team/")

    def invite(self, email: str, role: str, sites: list[int] | None = None) -> Data:
        """Invite somebody by mail to join the account as admin, editor or viewer."""
        return self._post("account/team/invite/", {"email": email, "role": role, "sites": sites or []})

    def usage(self, **period: str) -> Data:
        """What credits were used for. Parameters: from, to (YYYY-MM-DD), granularity (day, week, month)."""
        return self._get("account/usage/analytics/", period)

    # --- Plan --------------------------------------------------------------------------------------------------------

    def subscription(self) -> Data | None:
        """The account's subscription, or None."""
        subscription: Data | None = self._call("GET", "billing/subscriptions/")["data"]
        return subscription

    def preview_plan(self, plan_slug: str) -> Data:
        """What ordering or changing to a plan would cost now, line by line; changes nothing."""
        return self._post("billing/subscriptions/preview/", {"plan_slug": plan_slug})

    def change_plan(self, action: str, **body: Any) -> Data:
        """`action`: create, upgrade, downgrade (with plan_slug), cancel (at_period_end) or reactivate."""
        return self._post(f"billing/subscriptions/{action}/", body, repeatable=True)

    # --- Billing -----------------------------------------------------------------------------------------------------

    def invoices(self, **filters: str) -> list[Data]:
        """The account's invoices, newest first. Filters: status, date_from, date_to, search."""
        return self._rows("billing/invoices/", filters)

    def invoice(self, invoice_id: int) -> Data:
        """One invoice."""
        return self._get(f"billing/invoices/{invoice_id}/")

    def invoice_pdf(self, invoice_id: int) -> bytes:
        """The invoice as a PDF."""
        pdf: bytes = self._call("GET", f"billing/invoices/{invoice_id}/pdf/", accept="application/pdf")
        return pdf

    def payments(self, **filters: str) -> list[Data]:
        """The account's payments, newest first. Filters: status, payment_method, search."""
        return self._rows("billing/payments/", filters)

    def confirm_payment(
        self, invoice_id: int, *, payment_method: str, amount: str, manual_reference: str, manual_notes: str = ""
    ) -> Data:
        """Tell the operators that an invoice was paid by bank or wallet; `amount` is exactly what is due."""
        transfer = {"payment_method": payment_method, "amount": amount, "manual_reference": manual_reference}
        confirmation = {"invoice_id": invoice_id, "manual_notes": manual_notes, **transfer}
        return self._post("billing/admin/payments/confirm/", confirmation, repeatable=True)

    def credit_balance(self) -> Data:
        """Credits that can be spent now, and the grants they come from."""
        return self._get("billing/credits/balance/")

    def credit_packages(self) -> list[Data]:
        """Credits for sale."""
        return self._rows("billing/credits/packages/")

    def purchase_credits(self, package: str, payment_method: str) -> Data:
        """Order a package (its slug); answers the invoice and how to pay it."""
        order = {"package": package, "payment_method": payment_method}
        return self._post("billing/credits/purchase/", order, repeatable=True)

    def use_credits(self, operation_type: str, quantity: int, site: int | None = None, key: str = "") -> Data:
        """Spend credits on an operation; the same `key` again spends nothing more and answers the same."""
        use: Data = {"operation_type": operation_type, "quantity": quantity}
        return self._post("billing/credits/usage/", use if site is None else {**use, "site": site}, True, key)

    def credit_transactions(self, **filters: str) -> list[Data]:
        """The credit ledger, newest first. Filter: transaction_type."""
        return self._rows("billing/credits/transactions/", filters)

    # --- For platform operators --------------------------------------------------------------------------------------

    def approve_payment(self, payment_id: int, admin_notes: str = "", override_duplicate: bool = False) -> Data:
        """Accept a payment; `override_duplicate` with a note where another payment has the same reference."""
        decision: Data = {"admin_notes": admin_notes, "override_duplicate": override_duplicate}
        return self._post(f"billing/admin/payments/{payment_id}/approve/", decision)

    def reject_payment(self, payment_id: int, reason: str = "", reason_code: str = "", internal_note: str = "") -> Data:
        """Refuse a payment; the customer reads the code's sentence and the reason, and can confirm again."""
        why = {"reason": reason, "reason_code": reason_code, "internal_note": internal_note}
        given = {name: text for name, text in why.items() if text}
        return self._post(f"billing/admin/payments/{payment_id}/reject/", given)

    # --- HTTP --------------------------------------------------------------------------------------------------------

    def _keep_tokens(self, data: Data) -> Data:
        self.token, self.refresh_token = data["token"], data["refresh"]
        return data

    def _get(self, path: str, query: dict[str, str] | None = None) -> Data:
        return dict(self._call("GET", path, query=query)["data"])

    def _post(self, path: str, body: Data, repeatable: bool = False, key: str = "") -> Data:
        # With a key a request can be sent again when no answer came: what moves money is done once all the same.
        key = key or (secrets.token_hex(16) if repeatable else "")
        return dict(self._call("POST", path, body=body, key=key)["data"] or {})

    def _rows(self, path: str, filters: dict[str, str] | None = None) -> list[Data]:
        """All rows of a list, page after page."""
        rows: list[Data] = []
        page = 1
        while True:
            answer = self._call("GET", path, query={**(filters or {}), "page": str(page), "page_size": "100"})
            rows += answer["data"]
            if not answer["next"]:
                return rows
            page += 1

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: Data | None = None,
        key: str = "",
        accept: str = "application/json",
    ) -> Any:
        wanted = {name: value for name, value in (query or {}).items() if value}
        address = self.base_url + quote(path) + (f"?{urlencode(wanted)}" if wanted else "")
        request = Request(address, method=method, headers={"Accept": accept})
        if key:
            request.add_header("Idempotency-Key", key)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return _json(response, response.status) if accept == "application/json" else response.read()
        except HTTPError as refusal:
            with refusal:
                raise _error_of(refusal) from None
        except (URLError, HTTPException, OSError) as problem:
            reason = getattr(problem, "reason", None) or problem
            text = f"There is no answer from {self.base_url} ({reason}). Is the server running, and at this address?"
            raise ApiError(0, "not_reachable", text) from problem


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, and the token at a host that was not asked for."""

    def redirect_request(self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> None:
        return None


def _error_of(refusal: HTTPError) -> ApiError:
    if 300 <= refusal.code < 400:
        text = f"The server sends us on to {refusal.headers.get('Location')}. Use that as the base URL."
        return ApiError(refusal.code, "redirected", text)
    answer = _json(refusal, refusal.code)
    if not isinstance(answer, dict) or "code" not in answer:
        return ApiError(refusal.code, "not_the_api", f"The answer is not one of the API's: {str(answer)[:200]}")
    return ApiError(refusal.code, answer["code"], answer["message"], answer["errors"], answer["request_id"])


def _json(response: Any, status: int) -> Any:
    text = response.read()
    try:
        return json.loads(text)
    except ValueError:
        message = f"The answer is not JSON, so it is not from the API: {text[:200]!r}"
        raise ApiError(status, "not_the_api", message) from None


def main(arguments: list[str] | None = None) -> int:
    """Sign up, order, confirm, approve and look at the result, printing each step; returns the exit code."""
    parser = argparse.ArgumentParser(description="Walk through the API from signup to an approved payment.")
    default = os.environ.get("IGNY8_BASE_URL") or DEFAULT_BASE_URL
    parser.add_argument("base_url", nargs="?", default=default, help=f"or IGNY8_BASE_URL; now {default}")
    parser.add_argument("--operator-email", default=os.environ.get("IGNY8_OPERATOR_EMAIL") or "admin@example.com")
    parser.add_argument("--operator-password", default=os.environ.get("IGNY8_OPERATOR_PASSWORD") or "adminpass")
    options = parser.parse_args(arguments)
    try:
        _walk_through(options.base_url, options.operator_email, options.operator_password)
    except ApiError as error:
        print(f"\n{error}", file=sys.stderr)
        for field, sentences in error.errors.items():
            print(f"  {field}: {' '.join(sentences)}", file=sys.stderr)
        return 1
    return 0


def _walk_through(base_url: str, operator_email: str, operator_password: str) -> None:
    customer = Client(base_url)
    for method in customer.payment_methods("PK"):
        print(f"One can pay by {method['display_name']}" + ("" if method["is_available"] else " (not set up here)"))
    signup = customer.register(
        email=f"demo-{secrets.token_hex(4)}@example.com",
        password=secrets.token_urlsafe(16),
        first_name="Demo",
        last_name="Customer",
        plan_slug="starter",
        payment_method="bank_transfer",
        billing_country="PK",
        billing_city="Karachi",
        billing_address_line1="123 Main Street",
    )
    invoice = signup["invoice"]
    print(f"Signed up as {signup['user']['email']}; the account is {signup['account']['status']}")
    print(f"Invoice {invoice['invoice_number']}: {invoice['total']} {invoice['currency']} due {invoice['due_date']}")
    print(f"To pay:\n{signup['payment_instructions']['instructions']}")

    confirmation = customer.confirm_payment(
        invoice["id"],
        payment_method="bank_transfer",
        amount=invoice["total"],
        manual_reference=f"BT-{secrets.token_hex(6).upper()}",
    )
    print(f"Confirmed with {confirmation['manual_reference']}: payment {confirmation['status']}")

    operator = Client(base_url)
    operator.log_in(operator_email, operator_password)
    approval = operator.approve_payment(confirmation["payment_id"], "Seen on the bank statement")
    print(f"Approved by {approval['approved_by']}: account {approval['account_status']}")
    _use(customer)
    for entry in customer.credit_transactions():
        print(f"{entry['amount']:+} credits, balance {entry['balance_after']}: {entry['description']}")
    customer.log_out()
    print("Logged out.")


def _use(customer: Client) -> None:
    account = customer.settings(timezone="Asia/Karachi")
    print(f"{account['name']} counts its days in {account['timezone']}")
    site = customer.create_site("Demo shop", customer.industries()[0]["id"], "shop.example.com")
    invitation = customer.invite(f"colleague-{secrets.token_hex(4)}@example.com", "editor", [site["id"]])
    print(f"Invited {invitation['email']} as {invitation['role']}")
    use = customer.use_credits("content_generation", 2, site["id"])
    used = customer.usage(granularity="day")
    spent, total = use["credits_spent"], used["totals"]["credits"]
    print(f"Used {spent} credits, {total} in the last 30 days; {use['balance']} are left")
    change = customer.preview_plan("growth")
    for line in change["line_items"]:
        print(f"  {line['description']}: {line['amount']} {change['currency']}")
    upgrade = customer.change_plan("upgrade", plan_slug="growth")
    print(f"Growth costs {upgrade['invoice']['total']} {upgrade['invoice']['currency']} for the rest of the period")
    package = next(package for package in customer.credit_packages() if package["is_featured"])
    order = customer.purchase_credits(package["slug"], "bank_transfer")
    pdf = customer.invoice_pdf(order["invoice"]["id"])
    number = order["invoice"]["invoice_number"]
    print(f"Ordered {package['credits']} credits with invoice {number} (a PDF of {len(pdf):,} bytes)")


if __name__ == "__main__":
    sys.exit(main())
