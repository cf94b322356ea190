"""What people change about their own login: name, password, verified address."""

import secrets

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from igny8_core.auth.devices import Place
from igny8_core.auth.errors import EmailAlreadyVerified, LinkExpired
from igny8_core.auth.models import MANAGER_ROLES, Account, User
from igny8_core.auth.selectors import user_id_by_email
from igny8_core.auth.services.login_guard import forget_places, lift, note_place
from igny8_core.auth.services.mailed_tokens import Purpose, account_of_link, user_of_link
from igny8_core.auth.services.sessions import TokenPair, end_sessions, open_session
from igny8_core.common import clock
from igny8_core.common.db import service_transaction, set_changed
from igny8_core.common.errors import InvalidInput
from igny8_core.common.marks import gettext_noop
from igny8_core.common.security_log import security_event
from igny8_core.common.text import normalized_password
from igny8_core.events import services as events

# The subject of a reset that was requested for an unknown address.
NOBODY = 0
NOT_CURRENT = gettext_noop("This is not your current password. Try again.")


@service_transaction
def update_profile(user: User, **names: str) -> User:
    """Change first name, last name or language. What is as it was is not written again."""
    changed = set_changed(user, names)
    if not changed:
        return user
    user.save(update_fields=changed)
    # Names of fields, not values, because events are kept when a person is erased.
    events.record(events.about("user.updated", user, user, {"changed": changed}))
    return user


def change_password(user: User, current_password: str, new_password: str) -> TokenPair:
    """Set a new password. All sessions end; the answer has the tokens of a new one.

    Raises InvalidInput, naming the field, if the current password is wrong or the new one too weak.
    """
    user = User.objects.select_related("account__plan").get(pk=user.pk)
    if not user.check_password(current_password):
        security_event("authn_password_change_fail", "failure", user=user.pk, account=user.account_id)
        raise InvalidInput(errors={"current_password": [NOT_CURRENT]})
    return _set_password(user, hashed(new_password, user, field="new_password"))


@service_transaction
def request_password_reset(email: str) -> None:
    """E-mail a link to choose a new password, if a user has this address.

    For an unknown address the same statements run and the same event is stored, about nobody and without the address.
    So neither the answer nor its time reveals who is a customer (AUT-11, AUT-12).
    """
    user = User(pk=user_id_by_email(email) or NOBODY)
    events.record(events.NewEvent("user.password_reset_requested", user, None))


def reset_password(token: str, new_password: str, place: Place | None = None) -> None:
    """Set a new password with an e-mailed token, once. All sessions end. The address counts as verified.

    Wrong passwords of before are forgotten, and `place` is from where the person logs in from now on.

    Raises InvalidLink, LinkExpired, InvalidInput for a weak password (the token can then be used again).
    """
    user = user_of_link(token, Purpose.RESET)
    _reset_password(user, hashed(new_password, user, field="new_password"))
    lift(user.email)
    if place is not None:
        note_place(user, place)


@service_transaction
def request_email_verification(user: User) -> None:
    """E-mail a link that verifies the address; to who manages an account also one to its billing address.

    Raises EmailAlreadyVerified if there is nothing left to confirm.
    """
    account = user.account if user.role in MANAGER_ROLES else None
    waits = account is not None and account.billing_email != "" and not account.is_billing_email_confirmed
    if user.email_verified_at and not waits:
        raise EmailAlreadyVerified()
    if not user.email_verified_at:
        events.record(events.about("user.verification_requested", user, user))
    if account is not None and waits:
        events.record(events.about("account.billing_email_given", account, user))


@service_transaction
def verify_email(token: str) -> None:
    """Mark an address as verified, with the token that was e-mailed to it. Raises InvalidLink, LinkExpired.

    It is that of a login, or that to which an account's invoices go.
    """
    account = account_of_link(token)
    if account is not None:
        _confirm_billing_email(account)
        return
    user = user_of_link(token, Purpose.VERIFICATION)
    unverified = User.objects.filter(pk=user.pk, email=user.email, email_verified_at=None)
    if not unverified.update(email_verified_at=clock.now()):
        raise LinkExpired()
    events.record(events.about("user.email_verified", user, user))


def address_of_link(token: str) -> str:
    """The address that a token verifies. Raises InvalidLink, LinkExpired."""
    account = account_of_link(token)
    return account.billing_email if account is not None else user_of_link(token, Purpose.VERIFICATION).email


def _confirm_billing_email(account: Account) -> None:
    waiting = Account.objects.filter(pk=account.pk, billing_email=account.billing_email)
    if not waiting.exclude(confirmed_billing_email=account.billing_email).update(
        confirmed_billing_email=account.billing_email
    ):
        raise LinkExpired()
    events.record(events.about("account.billing_email_confirmed", account))


@service_transaction
def _set_password(user: User, password_hash: str) -> TokenPair:
    # Of two changes at once, the second fails: its current password is no longer current.
    if not User.objects.filter(pk=user.pk, password=user.password).update(password=password_hash):
        raise InvalidInput(errors={"current_password": [NOT_CURRENT]})
    user.password = password_hash
    events.record(events.about("user.password_changed", user, user))
    return open_session(user)


@service_transaction
def _reset_password(user: User, password_hash: str) -> None:
    # One conditional UPDATE: if a token is sent several times at once, one request succeeds.
    changed = User.objects.filter(pk=user.pk, password=user.password, is_active=True).update(
        password=password_hash, email_verified_at=user.email_verified_at or clock.now()
    )
    if not changed:
        raise LinkExpired()
    end_sessions(user, "password_reset")
    forget_places(user)
    events.record(events.about("user.password_reset", user, user))
    if user.email_verified_at is None:
        events.record(events.about("user.email_verified", user, user))


@service_transaction
def address_replaced(user: User, before: str) -> None:
    """Note what follows when an operator gave `user` another address: it is not verified, and the old one is told."""
    user.email_verified_at, user.email_before = None, before
    user.save(update_fields=["email_verified_at", "email_before"])


@service_transaction
def password_changed_in_console(user: User) -> None:
    """Record that an operator changed their own password; the console's own page has saved it."""
    events.record(events.about("user.password_changed", user, user))


def hash_nobody_knows() -> str:
    """The hash of a password that nobody knows, for a login whose person chooses one with a mailed link."""
    return make_password(secrets.token_urlsafe(32))


def hashed(password: str, user: User, *, field: str) -> str:
    """The hash of a new password. Raises InvalidInput with everything that is wrong with it, under `field`.

    Call it before the transaction that saves the hash: hashing takes a tenth of a second or more, and a transaction
    would hold its locks meanwhile.
    """
    check_new_password(password, user, field=field)
    return make_password(normalized_password(password))


def check_new_password(password: str, user: User, *, field: str) -> None:
    """Check a new password against the rules. Raises InvalidInput with everything that is wrong, under `field`."""
    normalized = normalized_password(password)
    try:
        validate_password(normalized, user)
        # One character can stand for eighteen: they are not more to guess.
        if len(password) < len(normalized):
            validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(errors={field: list(error.messages)}) from error


def check_own_password(password: str | None, user: User) -> None:
    """Check the user's own password, before any transaction. Raises InvalidInput.

    None is for who has shown in another way that it is them.
    """
    if password is not None and not user.check_password(password):
        raise InvalidInput(errors={"password": [_("This is not your password. Try again.")]})
