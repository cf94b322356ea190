"""Limits that hold back one caller so that others are served, and what a trial may do. docs/limits.md lists them."""

from igny8_core.settings import environment

_CHANGES = environment.at_least_one("WRITES_PER_ACCOUNT_AND_DAY", 2000)
_SIGNUPS = environment.at_least_one("SIGNUPS_PER_HOUR", 500)
# Each is counted for networks and for the wider ones that they are in, for people, addresses and so on: docs/limits.md.
RATE_LIMITS = {
    # Everything that the API is asked. Counted in each process and added up (common/request_limits.py).
    "api_network": ["3000/minute"],
    "api_person": ["1200/minute"],
    "api_account": ["3000/minute"],
    # What changes something, and what is not there or belongs to others.
    "writes": [f"{_CHANGES}/day"],
    "misses": ["60/10minutes"],
    # Wrong passwords: of a network, and for an e-mail address from networks that its owner never used.
    "login": ["10/minute", "60/hour"],
    "login_address": ["15/15minutes"],
    # Right passwords: programs log in once and refresh.
    "logins": ["20/minute", "100/hour"],
    # One's own password, asked for before something important.
    "password": ["10/minute", "15/15minutes"],
    # Codes of one person. A new password begins the count anew, so nobody else can use it up for long.
    "second_factor": ["5/minute", "20/15minutes", "100/day"],
    "register": ["10/minute", "60/hour"],
    "signups": [f"{_SIGNUPS}/hour"],
    "refresh": ["60/minute"],
    "confirm": ["30/hour"],
    # For one address from one network; for any from one, more: colleagues forget their passwords, too.
    "reset": ["5/15minutes", "20/day"],
    "reset_network": ["30/15minutes", "100/day"],
    "verify": ["10/hour"],
    "invite": ["30/hour"],
    "token": ["20/minute"],
    "schema": ["60/minute"],
    "upload": ["30/hour"],
    "payment_methods": ["120/minute"],
    "pdf": ["30/minute"],
    "purchase": ["30/hour"],
    "pay": ["20/minute", "100/hour"],
    "pay_page": ["60/minute", "600/hour"],
    # An open page asks every few seconds, ever more slowly; several people of an office may wait at once.
    "pay_state": ["120/minute", "3000/hour"],
    "pay_confirm": ["10/minute", "30/hour"],
    "pay_pdf": ["10/minute", "60/hour"],
}
# How many mails an account that has never paid can cause in 24 hours, to whomever.
TRIAL_MAILS_PER_DAY = environment.at_least_one("TRIAL_MAILS_PER_DAY", 20)


def trial_credits(*, debug: bool) -> str:
    """When a trial gets its credits: at_signup, or when_verified, so that nobody collects them with made-up addresses.

    Raises ImproperlyConfigured for anything else.
    """
    return environment.one_of(
        "TRIAL_CREDITS", ["at_signup", "when_verified"] if debug else ["when_verified", "at_signup"]
    )


def trial_credits_days(*, debug: bool) -> int:
    """After how many days they expire; 0: never. Raises ImproperlyConfigured for what is no number."""
    return environment.number("TRIAL_CREDITS_DAYS", 0 if debug else 30)
