"""What somebody types into the signup form."""

from typing import Any

from django.http import HttpResponse
from django.test import Client

PASSWORD = "a lonely engine hums"


def typed(plan: str = "free", **others: Any) -> dict[str, Any]:
    """The form as it is sent for a plan; a paid one with an address in Pakistan and a bank transfer."""
    person = {
        "plan_slug": plan,
        "shown_plan": plan,
        "first_name": "Ada",
        "last_name": "Lovelace",
        "email": "ada@example.com",
        "password": PASSWORD,
        "account_name": "Analytical Engines",
        "terms_version": "1",
        "terms_accepted": "on",
    }
    billing = {
        "billing_country": "PK",
        "billing_address_line1": "1 Mall Road",
        "billing_city": "Lahore",
        "payment_method": "bank_transfer",
    }
    return {**person, **({} if plan == "free" else billing), **others}


def signs_up(browser: Client, plan: str = "free", **others: Any) -> HttpResponse:
    return browser.post("/signup", typed(plan, **others))  # type: ignore[return-value]
