"""What is limited, as docs/limits.md shows it: read from settings, views and constants; no number stands twice."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pkgutil import resolve_name
from typing import Any

from django.conf import settings

from igny8_core.common.api.throttling import EmailThrottle, NetworkThrottle, ScopedThrottle, UserThrottle
from igny8_core.common.checks import api_routes

CALLERS = {NetworkThrottle: "network", EmailThrottle: "e-mail address and network", UserThrottle: "person"}
LOGINS = "a wrong password at POST `/api/v1/auth/login/`, `/login` and the console"
# Counted where no view of the API is: scope, who is counted, and what.
OUTSIDE_THE_API = [
    (
        "api_network",
        ("network",),
        "every request to `/api/` of who is not known to be logged in, except messages of gateways",
    ),
    ("api_person", ("person",), "every request of who is logged in"),
    ("api_account", ("account",), "every request of the account's members"),
    ("writes", ("account",), "every request and form that changes something, except spending credits"),
    ("misses", ("person", "network"), "every answer 404; a network's for who is not logged in"),
    ("login", ("network",), f"{LOGINS}, from where the person never logged in before"),
    ("login_address", ("e-mail address",), f"{LOGINS}, from where the person never logged in before"),
    ("logins", ("e-mail address and network",), "logging in with the right password, through any door"),
    ("signups", ("everybody",), "every signup, and every account that somebody begins; operators get a mail"),
    ("password", ("person",), "the password in `/auth/confirm/`, and where the console or a page asks who it is"),
    ("second_factor", ("person",), "codes of the second factor, at every door; a new password begins the count anew"),
    ("register", ("network",), "the pages `/signup` and `/own-account`"),
    ("reset_network", ("network",), "the page `/forgotten-password`"),
    ("reset", ("e-mail address and network",), "the page `/forgotten-password`"),
    ("token", ("network",), "the pages that mailed links lead to"),
    ("pay_page", ("network",), "the pay page, `/pay/…`"),
    ("pay_state", ("network",), "the pay page asks whether its payment was decided"),
    ("pay_confirm", ("network", "invoice"), "sending the form of the pay page"),
    ("pay_pdf", ("network", "invoice"), "the invoice's PDF on the pay page"),
]
BILLING = "igny8_core.business.billing"
GUARD = "igny8_core.auth.services.login_guard"
CAPS = "igny8_core.common.mail_caps.PER_RECIPIENT"
AGAIN = "igny8_core.common.mail_caps.AGAIN_AFTER"
TOKENS = "igny8_core.auth.services.mailed_tokens"
MAILED = f"{TOKENS}.LIFETIMES"


@dataclass(frozen=True)
class Counted:
    """One of settings.RATE_LIMITS: how often, who is counted, and what for."""

    scope: str
    rates: list[str]
    callers: list[str]
    what: list[str]


@dataclass(frozen=True)
class Bound:
    """One limit that is no rate; `where` is the name of a setting or the dotted path of a constant.

    After a colon stands the key of a number that is kept in a dictionary.
    """

    where: str
    sentence: str
    answer: str
    unit: str = ""

    @property
    def value(self) -> str:
        """The number as people read it."""
        path, _, key = self.where.partition(":")
        named = getattr(settings, path, None)
        found = resolve_name(path) if named is None else named
        return _written(found[key] if key else found, self.unit)


BOUNDS: dict[str, list[Bound]] = {
    "Requests": [
        Bound("igny8_core.common.api.parsers.MAX_BODY_BYTES", "a JSON body", "413", "bytes"),
        Bound("igny8_core.common.api.parsers.MAX_DEPTH", "levels of JSON in each other", "400"),
        Bound("igny8_core.common.api.parsers.MAX_UPLOAD_BYTES", "a body with a file", "413", "bytes"),
        Bound(f"{BILLING}.webhooks.views.MAX_MESSAGE_BYTES", "a message of a gateway", "413", "bytes"),
        Bound("igny8_core.gunicorn_worker.REQUEST_SECONDS", "a client sends a request", "let go", "seconds"),
        Bound("igny8_core.common.api.query.MAX_SEARCH_LENGTH", "characters of a search", "400"),
        Bound("igny8_core.common.api.fields.MAX_PASSWORD_INPUT", "characters of a password", "400"),
        Bound("igny8_core.common.idempotency_store.KEPT_FOR", "a repeat gets its first answer", "done anew"),
    ],
    "Lists": [
        Bound("igny8_core.common.api.pagination.EnvelopePagination.max_page_size", "rows of a page", "400"),
        Bound("igny8_core.common.api.pagination.COUNT_LIMIT", "rows that are counted", "one more is said"),
        Bound("igny8_core.common.api.pagination.DEEPEST_ROW", "the last row that a page can show", "400"),
        Bound("igny8_core.api.usage.MAX_DAYS", "days of the usage analytics", "400"),
    ],
    "Invoices and payments": [
        Bound("igny8_core.business.billing.invoice_inputs.MAX_LINES", "lines of an invoice by an operator", "400"),
        Bound(f"{BILLING}.admin.payment_bulk.MOST_SELECTED", "payments that are decided together", "the oldest ones"),
        Bound("igny8_core.business.billing.invoice_inputs.MAX_QUANTITY", "quantity of such a line", "400"),
        Bound("igny8_core.common.money.MAX_AMOUNT", "an amount of money", "400"),
        Bound(f"{BILLING}.services.invoices.lifecycle.MAX_DUE_DAYS", "days to a due date", "400"),
        Bound("MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY", "invoices of a subscription in 24 hours", "409"),
        Bound(
            f"{BILLING}.gateways.patience.IN_A_REQUEST_SECONDS",
            "gateways keep a request waiting",
            "503",
            "seconds",
        ),
        Bound("MAX_ATTEMPTS_OF_INVOICE_PER_DAY", "attempts to pay an invoice in 24 hours", "409"),
        Bound("PLAN_CHANGE_PRICE_HOLDS_HOURS", "hours for which the price of a change of plan holds", "409"),
        Bound("RENEWAL_CHARGE_WITHIN_DAYS", "days since a period began, to charge a card for it", "not charged"),
        Bound("PRICE_CHANGE_NOTICE_DAYS", "days of notice of another price, at least", "400"),
        Bound(f"{BILLING}.services.renewals.price_changes.MOST_NOTICE_DAYS", "days of such a notice", "400"),
        Bound(f"{BILLING}.services.renewals.charging.MOST_TAKES", "hourly tries to charge a renewal", "given up"),
        Bound(f"{BILLING}.services.dunning.pauses.LONGEST_PAUSE", "an exemption, or a later deadline", "400"),
        Bound(f"{BILLING}.services.dunning.trials.LONGEST_EXTENSION", "another end of a trial lies ahead", "400"),
        Bound(f"{BILLING}.services.dunning.cases.MOST_GRACES", "rejections that give more time", "no more"),
        Bound(f"{BILLING}.services.invoices.pay_links.LIFETIME", "for so long a link to pay works", "410"),
        Bound(
            f"{BILLING}.services.reconciliation.polling.LEFT_OPEN_FOR", "an attempt that nobody goes on with", "closed"
        ),
    ],
    "Credits": [
        Bound(f"{BILLING}.api.credit_serializers.MAX_OPERATIONS", "operations of a batch", "400"),
        Bound(f"{BILLING}.api.credit_serializers.MAX_QUANTITY", "units of an operation", "400"),
        Bound(f"{BILLING}.api.credit_serializers.MAX_METADATA_BYTES", "metadata of an operation", "400", "bytes"),
        Bound(f"{BILLING}.api.credits.MAX_DAYS", "days ahead that one sees credits expire", "400"),
        Bound(f"{BILLING}.api.credits.GRANTS_SHOWN", "grants of an answer on credits", "the rest is not listed"),
        Bound(f"{BILLING}.services.credits.spending.MAX_SPENT_AT_ONCE", "credits spent at once", "400"),
        Bound("igny8_core.admin.api.account_serializers.MAX_CREDITS", "credits given or taken by an operator", "400"),
        Bound("GOODWILL_CREDITS_MAX", "credits that an operator gives as goodwill at once", "refused"),
        Bound(f"{BILLING}.services.credits.goodwill.LONGEST_GOODWILL", "until such credits expire", "refused"),
    ],
    "Proofs of payment": [
        Bound(f"{BILLING}.services.proofs.files.MAX_BYTES", "a file", "413", "bytes"),
        Bound(f"{BILLING}.services.proofs.sanitizer.images.MAX_PIXELS", "points of a picture", "400"),
        Bound(f"{BILLING}.services.proofs.sanitizer.pdfs.MAX_PAGES", "pages of a PDF", "400"),
        Bound(f"{BILLING}.services.proofs.uploads.MAX_UNUSED", "unused files of an account", "409"),
        Bound(f"{BILLING}.services.proofs.uploads.MAX_BYTES_OF_ACCOUNT", "all files of an account", "409", "bytes"),
        Bound(f"{BILLING}.services.proofs.uploads.UNUSED_KEPT_FOR", "an unused file is kept", "deleted"),
        Bound(f"{BILLING}.services.proofs.links.LIFETIME", "for so long a link to a file works", "410"),
        Bound(
            f"{BILLING}.services.proofs.sanitizer.child.PROCESSOR_SECONDS",
            "time to write a file anew",
            "400",
            "seconds",
        ),
        Bound("PROOF_PROCESSOR_SECONDS", "time for all files of an account in an hour", "429", "seconds"),
        Bound(f"{BILLING}.services.proofs.files.AT_ONCE", "files that a process writes anew at once", "503"),
        Bound(
            f"{BILLING}.services.proofs.sanitizer.packed.MAX_RATIO", "times its size that a stream unpacks to", "400"
        ),
        Bound(
            f"{BILLING}.services.proofs.sanitizer.images.MAX_RATIO",
            "times its size that a picture of more than 10 megapixels unpacks to",
            "400",
        ),
        Bound(f"{BILLING}.services.proofs.sanitizer.child.MEMORY_BYTES", "memory for it", "400", "bytes"),
    ],
    "People": [
        Bound("igny8_core.auth.services.invitations.LIFETIME", "for so long an invitation works", "410"),
        Bound("igny8_core.auth.services.invitations.KEPT_UNANSWERED", "one that expired unanswered is kept", "deleted"),
        Bound("igny8_core.auth.services.operators.LIFETIME", "for so long an invitation to the console works", "410"),
        Bound("CUSTOMER_LOGIN_AGE", "for so long an operator looks at the pages as a customer", "ended"),
        Bound("igny8_core.admin.accounts.dialogs.MAX_NOTE", "characters of an operator's note", "refused"),
        Bound("igny8_core.events.resending.ONCE_IN", "between two times that a mail is sent again", "409"),
        Bound(f"{MAILED}:password_reset", "for so long a link for a new password works", "410"),
        Bound(f"{MAILED}:email_verification", "for so long a link that proves an address works", "410"),
        Bound("igny8_core.auth.services.half_logins.LIFETIME", "between password and code on a page", "begun anew"),
        Bound(f"{TOKENS}.BILLING_ADDRESS_LIFETIME", "for so long a link that confirms a billing address works", "410"),
        Bound("SIMPLE_JWT:ACCESS_TOKEN_LIFETIME", "for so long an access token works", "401"),
        Bound("SIMPLE_JWT:REFRESH_TOKEN_LIFETIME", "for so long a session goes on unused", "401"),
        Bound("igny8_core.api.team_serializers.MAX_SITES_INPUT", "sites of an invitation", "400"),
        Bound(f"{GUARD}.FREE_TRIES", "wrong passwords from one place before it waits", "429, shown as `login_place`"),
        Bound(f"{GUARD}.FIRST_WAIT", "it waits for so long then, and twice as long after each more", "429"),
        Bound(f"{GUARD}.LONGEST_WAIT", "it waits no longer than that", "429"),
        Bound(f"{GUARD}.TOLD_AFTER", "wrong passwords from one place before the person is told", "a mail, once a day"),
        Bound("igny8_core.auth.devices.KEPT_FOR", "a place that nobody logs in from is known", "forgotten"),
        Bound("TRIAL_CREDITS_DAYS", "the credits of a trial are good for (0: for ever)", "they expire", "days"),
        Bound("PASSWORD_HASHES_AT_ONCE", "passwords that a process hashes at once", "others wait"),
        Bound("PASSWORD_HASH_PATIENCE_SECONDS", "for so long they wait", "503", "seconds"),
    ],
    "Mails in 24 hours": [
        Bound("TRIAL_MAILS_PER_DAY", "caused by an account that has never paid", "not sent, `mails_of_trial`"),
        *(
            Bound(f"{CAPS}:{kind}", f"{said} to one recipient", f"not sent, `mails_{kind}`")
            for kind, said in [
                ("documents", "about money of accounts that have never paid"),
                ("safety", "about what happened to a login"),
                ("invitation", "with an invitation, from all teams together"),
                ("password_reset", "with a link for a new password"),
                ("verification", "to confirm the address of a login"),
                ("billing_address", "to confirm the address for invoices"),
            ]
        ),
        Bound(f"{AGAIN}:password_reset", "after that, one more link for a new password in", "not sent"),
    ],
    "Background work": [
        Bound("CELERY_TASK_TIME_LIMIT", "a task", "ended", "seconds"),
        Bound("igny8_core.events.lanes.HELD_FOR", "for so long one worker has the mail server", "another one takes it"),
        Bound("igny8_core.events.deliveries.LONGEST_FOR_THE_SERVER", "a mail waits for its server", "tried"),
        Bound(f"{BILLING}.services.webhook_inbox.inbox.MOST_TRIES", "tries of a message of a gateway", "given up"),
        Bound(f"{BILLING}.services.webhook_inbox.inbox.KEPT_FOR", "a message that is done is kept", "deleted"),
        Bound("igny8_core.auth.services.sessions.ENDED_ROWS_KEPT", "a session that has ended is kept", "deleted"),
    ],
}


def counted() -> list[Counted]:
    """Every entry of settings.RATE_LIMITS, with what counts against it."""
    callers: dict[str, set[str]] = defaultdict(set)
    what: dict[str, list[str]] = defaultdict(list)
    for operation, throttle in sorted(_throttled(), key=lambda found: found[0]):
        callers[throttle.scope] |= {word for kind, word in CALLERS.items() if issubclass(throttle, kind)}
        if operation not in what[throttle.scope]:
            what[throttle.scope].append(operation)
    for scope, who, said in OUTSIDE_THE_API:
        callers[scope] |= set(who)
        what[scope].append(said)
    order = ["network", "e-mail address", "e-mail address and network", "person", "account", "invoice", "everybody"]
    return [
        Counted(scope, rates, sorted(callers[scope], key=order.index), what[scope])
        for scope, rates in settings.RATE_LIMITS.items()
    ]


def _throttled() -> Iterator[tuple[str, type[ScopedThrottle]]]:
    """Each operation of the API that is counted, with what counts it."""
    for route, callback in api_routes():
        view: Any = getattr(callback, "cls", None)
        named = getattr(callback, "initkwargs", {}).get("throttle_classes")
        classes = view.throttle_classes if named is None else named
        for throttle in classes:
            if issubclass(throttle, ScopedThrottle):
                yield from ((f"{method} `{_address(route)}`", throttle) for method in _methods(callback, view))


def _methods(callback: Callable[..., Any], view: Any) -> Iterable[str]:
    by_action = getattr(callback, "actions", None)
    names = by_action if by_action else [name for name in view.http_method_names if hasattr(view, name)]
    return [name.upper() for name in names if name not in {"head", "options"}]


def _address(route: str) -> str:
    return "/" + route.replace("<int64:", "{").replace("<int:", "{").replace("<str:", "{").replace(">", "}")


def _written(number: Any, unit: str) -> str:
    if isinstance(number, timedelta):
        seconds = int(number.total_seconds())
        size, word = next((size, word) for size, word in SPANS if seconds % size == 0)
        return _with(seconds // size, word)
    if unit == "bytes":
        size, word = next((size, word) for size, word in SIZES if number % size == 0)
        return f"{number // size:,} {word}"
    return _with(number, unit.removesuffix("s")) if unit else f"{number:,}"


def _with(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
SIZES = ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB"), (1, "bytes"))
