"""Keeps passwords from being guessed, without locking out whose password it is (AUT-10).

Wrong passwords are counted for the e-mail address together with the place that they come from: the browser, where one
of our pages has marked it and the person logged in with it before, else the network. From the same place the wait
grows with each wrong password. Places that the person never logged in from have two limits together, by network and by
address, and these are what somebody with many networks uses up: whoever is at a known place is not held up by them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from igny8_core.auth.devices import KEPT_FOR, Place
from igny8_core.auth.errors import InvalidCredentials
from igny8_core.auth.models import KnownPlace, LoginFailure, User
from igny8_core.auth.selectors import user_id_by_email
from igny8_core.common import clock, limit_hits, rate_limits
from igny8_core.common.db import service_transaction
from igny8_core.common.errors import TooManyRequests
from igny8_core.common.security_log import security_event
from igny8_core.events import services as events

# Wrong passwords from one place before it has to wait; the first wait, which doubles with each; and the longest.
FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)
# So many wrong passwords from one place are more than a person's own mistakes: they are told, once a day.
TOLD_AFTER = 10
TOLD_EVERY = timedelta(days=1)
# The subject of what is noted about an address that nobody has.
NOBODY = 0

# Counts a try, unless the place still has to wait; of many at once each waits for the count of the one before.
TAKE_TRY = """
    INSERT INTO igny8_login_failures AS known (mark, address, failures, last_at)
    VALUES (%(mark)s, %(address)s, 1, %(now)s)
    ON CONFLICT (mark) DO UPDATE SET
        failures = CASE WHEN known.last_at <= %(forgotten)s THEN 1 ELSE known.failures + 1 END,
        last_at = %(now)s
    WHERE known.failures < %(free)s OR known.last_at + least(
        make_interval(secs => %(first)s * 2 ^ least(known.failures - %(free)s, 20)), make_interval(secs => %(longest)s)
    ) <= %(now)s
    RETURNING failures
"""


@dataclass
class _Try:
    """One try to log in: what was counted for it, to be given back where it should not count."""

    email: str
    mark: str
    # Counts only if the password is right; the others only if it is wrong.
    right: rate_limits.Counted
    failures: int = 0
    counted: list[rate_limits.Counted] = field(default_factory=list)


@contextmanager
def guarded(email: str, place: Place, *, wrong: type[Exception] = InvalidCredentials) -> Iterator[None]:
    """Around the check of a password: counts the try, and gives it back unless the block raises `wrong`.

    Raises TooManyRequests, before any password is checked. Answers and times are the same for unknown addresses.
    """
    if not settings.THROTTLING:
        yield
        return
    attempt, is_right, is_wrong = _begin(email, place), False, False
    try:
        yield
        is_right = True
        LoginFailure.objects.filter(mark=attempt.mark).delete()
    except wrong:
        is_wrong = True
        if attempt.failures == TOLD_AFTER:
            _tell(email)
        raise
    finally:
        if not is_right:
            rate_limits.give_back(attempt.right)
        if not is_wrong:
            _give_back(attempt)


def note_place(person: User, place: Place) -> None:
    """Remember from where a person has just logged in."""
    marks = [_mark(person.email, text) for text in _texts(place)]
    rows = [KnownPlace(mark=mark, user=person, seen_at=clock.now()) for mark in marks]
    KnownPlace.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["mark"], update_fields=["user", "seen_at"]
    )


@service_transaction
def forget_places(person: User) -> None:
    """Forget from where a person has logged in: somebody else may have, or they are erased."""
    KnownPlace.objects.filter(user=person).delete()


def lift(email: str) -> None:
    """Forget the wrong passwords for an address: whose it is has just chosen a new one with a mailed link."""
    LoginFailure.objects.filter(address=_mark(email)).delete()
    rate_limits.forget("login_address", f"email {email}")


def forget_old_tries() -> int:
    """Delete wrong passwords of yesterday, and places that nobody came from for long. Returns how many rows."""
    now = clock.now()
    failures, _ = LoginFailure.objects.filter(last_at__lte=now - FORGOTTEN_AFTER).delete()
    places, _ = KnownPlace.objects.filter(seen_at__lte=now - KEPT_FOR).delete()
    return failures + places


def _begin(email: str, place: Place) -> _Try:
    marks = {text: _mark(email, text) for text in _texts(place)}
    found = set(KnownPlace.objects.filter(mark__in=marks.values()).values_list("mark", flat=True))
    known = [mark for mark in reversed(marks.values()) if mark in found]
    # Checking a password takes a tenth of a second of what all share, also a right one.
    right = rate_limits.count("logins", f"email {email} {place.networks[0].name}")
    if right.wait is not None:
        raise _refusal(right.wait)
    attempt = _Try(email, known[0] if known else _mark(email, _texts(place)[0]), right)
    try:
        attempt.failures = _taken(attempt)
        if not known:
            _count_stranger(attempt, place)
    except TooManyRequests:
        rate_limits.give_back(right)
        raise
    return attempt


def _count_stranger(attempt: _Try, place: Place) -> None:
    """Count a try from a place that the address's owner never logged in from."""
    for scope, callers in (("login", place.networks), ("login_address", (f"email {attempt.email}",))):
        counted = rate_limits.count(scope, *callers)
        if counted.wait is not None:
            _give_back(attempt)
            if scope == "login_address":
                _tell(attempt.email)
            raise _refusal(counted.wait)
        attempt.counted.append(counted)


def _taken(attempt: _Try) -> int:
    """Count the try at its place. Returns the how manieth wrong one it is if it is wrong. Raises TooManyRequests."""
    now = clock.now()
    parameters: dict[str, str | int | float | datetime] = {
        "mark": attempt.mark,
        "address": _mark(attempt.email),
        "now": now,
        "forgotten": now - FORGOTTEN_AFTER,
        "free": FREE_TRIES,
        "first": FIRST_WAIT.total_seconds(),
        "longest": LONGEST_WAIT.total_seconds(),
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE_TRY, parameters)
        row = cursor.fetchone()
    if row is None:
        limit_hits.note("login_place")
        security_event("excess_rate_limit_exceeded", "denied", scope="login_place", rate="", counted="place")
        raise _refusal(_seconds_to_wait(attempt.mark))
    return int(row[0])


def _seconds_to_wait(mark: str) -> int:
    found = LoginFailure.objects.filter(mark=mark).first()
    if found is None:
        return 1
    wait = min(FIRST_WAIT * 2 ** min(found.failures - FREE_TRIES, 20), LONGEST_WAIT)
    return max(1, int((found.last_at + wait - clock.now()).total_seconds()) + 1)


def _refusal(seconds: int) -> TooManyRequests:
    return TooManyRequests(
        ngettext(
            "Too many attempts to log in. Try again in %(seconds)s second.",
            "Too many attempts to log in. Try again in %(seconds)s seconds.",
            seconds,
        )
        % {"seconds": seconds},
        retry_after=seconds,
    )


def _give_back(attempt: _Try) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE igny8_login_failures SET failures = failures - 1 WHERE mark = %s AND failures > 0", [attempt.mark]
        )
    for counted in attempt.counted:
        rate_limits.give_back(counted)


@service_transaction
def _tell(email: str) -> None:
    """Have the person told, at most once a day. For an address that nobody has, the same statements run."""
    now = clock.now()
    told = {"address": _mark(email), "failures": 0, "last_at": now}
    row, is_new = LoginFailure.objects.get_or_create(mark=_mark(email, "told"), defaults=told)
    again = LoginFailure.objects.filter(pk=row.pk, last_at__lte=now - TOLD_EVERY)
    if is_new or again.update(last_at=now):
        events.record(events.NewEvent("user.login_attacked", User(pk=user_id_by_email(email) or NOBODY), None))


def _texts(place: Place) -> list[str]:
    device = [f"device {place.device}"] if place.device else []
    return [f"network {place.networks[0].name}", *device]


def _mark(email: str, text: str = "") -> str:
    return salted_hmac("igny8_core.auth.place", f"{email}|{text}", algorithm="sha256").hexdigest()
