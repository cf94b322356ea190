"""What the API answers about the rows of a database, and what they add up to: printed as JSON, one answer a line.

Run as a program by fill_6259b03.py, with the code of that commit, and by test_upgrade_from_6259b03.py, with the code of
today; DATABASE_URL names the database. With --migrate it is brought to the newest schema first.
"""

import gc
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import django

# As manage.py does: migrations make garbage seldom, and to look for it often takes a fifth of their time.
gc.set_threshold(50_000, 20, 50)
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from rest_framework.test import APIClient  # noqa: E402
from stopped_clock import stopped_at  # noqa: E402

from igny8_core.auth.models import User  # noqa: E402
from igny8_core.auth.services.sessions import open_session  # noqa: E402
from igny8_core.business.billing.invariants import broken_invariants  # noqa: E402
from igny8_core.business.billing.services.renewals import invoicing  # noqa: E402

# A minute after the end of the story, before the gateways are asked about its last attempts.
MOMENT = datetime(2026, 7, 1, 11, 54, tzinfo=UTC)
API = "/api/v1"
OPERATOR = "olga@example.com"
OWNERS_PAGES = [
    "/account/settings/",
    "/account/limits/",
    "/billing/subscriptions/",
    "/billing/invoices/",
    "/billing/payments/",
    "/billing/credit-notes/",
    "/billing/credits/balance/",
    "/billing/credits/transactions/",
    "/billing/payment-methods/mine/",
]
# Asked about one account, the fullest: what is billed changes nothing of them.
FULLEST = "dairy"
FULLEST_PAGES = [
    "/auth/me/",
    "/auth/plans/",
    "/account/usage/analytics/",
    "/account/activity/",
    "/account/team/",
    "/account/team/invitations/",
    "/sites/",
    "/billing/credits/packages/",
    "/billing/payment-methods/",
]
OPERATORS_PAGES = [
    "/admin/accounts/",
    "/admin/invoices/",
    "/admin/payments/",
    "/admin/payment-methods/",
    "/admin/credit-costs/",
    "/admin/dashboard/stats/",
]
WITH_DETAILS = {
    "/billing/invoices/": "/billing/invoices/{id}/",
    "/admin/accounts/": "/admin/accounts/{id}/",
    "/admin/invoices/": "/admin/invoices/{id}/",
    "/admin/payments/": "/admin/payments/{id}/",
}
# What a change of plan would cost: an answer by POST that changes nothing.
QUOTED_PLANS = ["starter", "growth-annual"]
TOTALS = {
    "invoices": """
        SELECT account_id, status, currency, count(*), sum(total)
        FROM igny8_invoices GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
    "payments": """
        SELECT account_id, payment_method, status, currency, count(*), sum(amount), sum(refunded_amount)
        FROM igny8_payments GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4""",
    "refunds": """
        SELECT account_id, status, currency, count(*), sum(amount)
        FROM igny8_refunds GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
    "credit notes": """
        SELECT account_id, currency, count(*), sum(amount), sum(credits_taken_back), sum(credits_not_recovered)
        FROM igny8_credit_notes GROUP BY 1, 2 ORDER BY 1, 2""",
    "balances": "SELECT id, status, credits FROM igny8_accounts ORDER BY id",
    "ledger": """
        SELECT account_id, transaction_type, count(*), sum(amount)
        FROM igny8_credit_transactions GROUP BY 1, 2 ORDER BY 1, 2""",
    # "lots", because the answers of 6259b03 are stored under this name.
    "lots": """
        SELECT account_id, kind, count(*), sum(amount), sum(remaining)
        FROM igny8_credit_grants GROUP BY 1, 2 ORDER BY 1, 2""",
    "subscriptions": """
        SELECT account_id, status, count(*) FROM igny8_subscriptions GROUP BY 1, 2 ORDER BY 1, 2""",
    "events": "SELECT type, count(*) FROM igny8_events WHERE id <= {last_event} GROUP BY 1 ORDER BY 1",
}


def totals(last_event: int) -> dict[str, list[list[str]]]:
    """What each account's rows add up to; events up to one, because later ones can be of the migration itself."""
    found = {}
    with connection.cursor() as cursor:
        for name, sql in TOTALS.items():
            cursor.execute(sql.format(last_event=last_event))
            found[name] = [[str(value) for value in row] for row in cursor.fetchall()]
    return found


def answers() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every answer with who asked what, as "owner of account 3: /billing/invoices/"."""
    operator = _logged_in(User.objects.get(email=OPERATOR))
    for page in OPERATORS_PAGES:
        yield from _answers_of("operator", operator, page)
    owners = User.objects.filter(owned_accounts__isnull=False, is_active=True).order_by("account_id")
    for owner in owners.select_related("account"):
        yield from _answers_of_owner(owner)


def _answers_of_owner(owner: User) -> Iterator[tuple[str, dict[str, Any]]]:
    client, who = _logged_in(owner), f"owner of account {owner.account_id}"
    is_fullest = FULLEST in owner.account.name.lower()
    for page in [*OWNERS_PAGES, *(FULLEST_PAGES if is_fullest else [])]:
        yield from _answers_of(who, client, page)
    if owner.account.subscriptions.filter(status="active").exists():
        for plan in QUOTED_PLANS:
            answer = client.post(f"{API}/billing/subscriptions/preview/", {"plan_slug": plan}, format="json")
            yield f"{who}: price of {plan}", _written(answer)


def _logged_in(user: User) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user).access}")
    return client


def _answers_of(who: str, client: APIClient, page: str) -> Iterator[tuple[str, dict[str, Any]]]:
    number, rows = 1, []
    while number:
        address = page if number == 1 else f"{page}?page={number}"
        answer = _written(client.get(f"{API}{address}"))
        yield f"{who}: {address}", answer
        rows += answer.get("data") or []
        number = number + 1 if answer.get("next") else 0
    for row in rows if page in WITH_DETAILS else []:
        address = WITH_DETAILS[page].format(id=row["id"])
        yield f"{who}: {address}", _written(client.get(f"{API}{address}"))


def _written(answer: Any) -> dict[str, Any]:
    """Status and body, without the number of the request, which is another one each time."""
    body = answer.json()
    # A few lists came first, and have no envelope.
    said: dict[str, Any] = body if isinstance(body, dict) else {"data": body}
    said.pop("request_id", None)
    return {"status": answer.status_code} | said


def broken_after_the_first_run() -> list[str]:
    """The invariants that do not hold once the tasks have run that come within minutes; the run itself is undone.

    Releases before this one renewed nothing, so that the first run finds periods that ended long ago.
    """
    with transaction.atomic(), patch.object(invoicing, "require_no_transaction"):
        invoicing.invoice_due_renewals()
        broken = [result.name for result in broken_invariants()]
        transaction.set_rollback(True)
    return broken


def write(last_event: int) -> None:
    """Print all of it, a line each."""
    found: dict[str, Any] = {f"totals: {name}": rows for name, rows in totals(last_event).items()}
    found["broken invariants"] = broken_after_the_first_run()
    found |= dict(answers())
    lines = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in found.items())
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM igny8_events")
        (last_event,) = cursor.fetchone()
    if "--migrate" in sys.argv:
        call_command("migrate", verbosity=0)
    settings.ALLOWED_HOSTS = ["testserver"]
    with stopped_at(MOMENT):
        write(last_event)


if __name__ == "__main__":
    main()
