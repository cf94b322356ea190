"""E-mails about people and accounts. The outbox (igny8_core/events) calls `handle` for each event, at least once.

Tokens are made here, when the mail is written: no event and no other table ever holds one (ROL-05).
"""

from collections.abc import Callable
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _

from igny8_core.auth.models import Account, AccountStatus, InvitationState, OperatorInvitation, TeamInvitation, User
from igny8_core.auth.services.invitations import invitation_token
from igny8_core.auth.services.mailed_tokens import (
    BILLING_ADDRESS_LIFETIME,
    Purpose,
    billing_address_token,
    has_run_out,
    link_token,
)
from igny8_core.auth.services.operators import operator_invitation_token
from igny8_core.common import clock
from igny8_core.common.mail import Mail, message_id_of_event, send
from igny8_core.common.marks import gettext_noop
from igny8_core.common.names import in_mail
from igny8_core.common.rate_limits import rates_of
from igny8_core.common.written import in_sentence
from igny8_core.events.models import Event

FEW_CODES = 3


def handle(event: Event) -> None:
    """Send the mail about an event, unless it is out of date.

    Errors of the mail server are raised, so that the mail is tried again. Raises RuntimeError inside a transaction.
    """
    send(lambda: HANDLERS[event.type](event), message_id_of_event(event.pk), _language(event))


def _language(event: Event) -> str:
    """That of who reads the mail: the person it is about, else of the account; operators read English."""
    if event.type in OF_PEOPLE:
        person = User.objects.select_related("account").filter(pk=event.object_id).first()
        return person.spoken_language if person else ""
    account = event.account
    if account is None:
        return ""
    is_owners = event.type == "account.created" and account.owner is not None
    return (account.owner.language if is_owners and account.owner else "") or account.language


def _account_created(event: Event) -> Mail | None:
    """The welcome, which asks to confirm the address in the same mail, unless that was done before."""
    account = event.account
    owner = account.owner if account else None
    if account is None or owner is None or not owner.is_active:
        return None
    context: dict[str, object] = {
        "is_trial": event.data.get("status") == AccountStatus.TRIAL,
        "plan": account.plan.name,
        "trial_ends_at": account.trial_ends_at,
    }
    if owner.email_verified_at:
        return Mail(
            "subscription_created",
            _("Welcome to %(company_name)s") % {"company_name": settings.COMPANY_NAME},
            [owner.email],
            context,
        )
    subject = _("Welcome to %(company_name)s: confirm your e-mail address") % {"company_name": settings.COMPANY_NAME}
    asked = _link_mail("subscription_created", subject, owner, Purpose.VERIFICATION, event)
    if asked is None:
        return None
    trial = _trial_account(account)
    return replace(asked, context=asked.context | context, kind="verification", trial_account=trial)


def _verification_requested(event: Event) -> Mail | None:
    return _verification_mail(event, User.objects.filter(pk=event.object_id).first())


def _verification_mail(event: Event, user: User | None) -> Mail | None:
    if user is None or user.email_verified_at or not user.is_active:
        return None
    subject = _("Confirm your e-mail address for %(company_name)s") % {"company_name": settings.COMPANY_NAME}
    mail = _link_mail("verify_email", subject, user, Purpose.VERIFICATION, event)
    return mail and replace(mail, kind="verification", trial_account=_trial_account(user.account))


def _password_reset_requested(event: Event) -> Mail | None:
    # No user if nobody has the address. An operator has closed a login that has no password.
    user = User.objects.filter(pk=event.object_id, is_active=True).first()
    if user is None or not user.has_usable_password():
        return None
    subject = _("Choose a new password for %(company_name)s") % {"company_name": settings.COMPANY_NAME}
    mail = _link_mail("password_reset", subject, user, Purpose.RESET, event)
    return mail and replace(mail, kind="password_reset")


def _billing_email_given(event: Event) -> Mail | None:
    account = event.account
    if account is None or not account.billing_email or account.is_billing_email_confirmed:
        return None
    if clock.now() >= event.created_at + BILLING_ADDRESS_LIFETIME:
        return None
    # No name in it: whoever chooses the address also chose the name, and could write to a stranger's inbox.
    context = {"link": _link("verify-email", billing_address_token(account, event.created_at))}
    subject = _("Confirm the address for invoices of %(company_name)s") % {"company_name": settings.COMPANY_NAME}
    mail = Mail("billing_address", subject, [account.billing_email], context, kind="billing_address")
    return replace(mail, trial_account=_trial_account(account))


def _signups_stopped(event: Event) -> Mail:
    operators = User.objects.filter(is_staff=True, is_active=True).order_by("email").values_list("email", flat=True)
    ceiling = rates_of("signups")[0].limit
    context = {"ceiling": ceiling, "link": f"{settings.BASE_URL}/admin/common/limithit/"}
    subject = "So many signups that no more are taken this hour"
    return Mail("signups_stopped", subject, list(operators) or [settings.DEFAULT_FROM_EMAIL], context)


def _trial_account(account: Account | None) -> int | None:
    return account.pk if account is not None and account.has_never_paid else None


def _link_mail(template: str, subject: str, user: User, purpose: Purpose, event: Event) -> Mail | None:
    if has_run_out(purpose, event.created_at.timestamp()):
        return None
    token = link_token(user, purpose, event.created_at)
    page = {Purpose.RESET: "new-password", Purpose.VERIFICATION: "verify-email"}[purpose]
    return Mail(template, subject, [user.email], {"link": _link(page, token)})


def _invitation(event: Event) -> Mail | None:
    found = TeamInvitation.objects.select_related("account", "invited_by").filter(pk=event.object_id).first()
    if found is None or found.status != InvitationState.OPEN:
        return None
    token = invitation_token(found)
    context = {
        "account": in_mail(found.account.name),
        "inviter": in_mail(found.invited_by.full_name),
        "role": in_sentence(found.get_role_display()),
        "expires_at": found.expires_at,
        "link": _link("invitations", token),
    }
    # No names in the subject: the owner of an account chooses its name, and could write to a stranger's inbox (OUT-09).
    subject = _("You are invited to a team on %(company_name)s") % {"company_name": settings.COMPANY_NAME}
    mail = Mail("invitation", subject, [found.email], context, kind="invitation")
    return replace(mail, trial_account=_trial_account(found.account))


def _operator_invitation(event: Event) -> Mail | None:
    rows = OperatorInvitation.objects.select_related("group", "invited_by")
    found = rows.filter(pk=event.object_id).first()
    if found is None or found.status != InvitationState.OPEN or found.group is None:
        return None
    link = f"{settings.BASE_URL}/admin/operator-invitation/{operator_invitation_token(found)}/"
    facts = {"inviter": found.invited_by.full_name, "role": found.group.name, "expires_at": found.expires_at}
    subject = f"You are invited to the operators' console of {settings.COMPANY_NAME}"
    return Mail("operator_invitation", subject, [found.email], {**facts, "link": link}, kind="invitation")


def _member_removed(event: Event) -> Mail | None:
    member = User.objects.filter(pk=event.object_id).first()
    if member is None or event.data.get("left") or event.account is None:
        return None
    context = {"account": in_mail(event.account.name), "link": _link("own-account")}
    return Mail("member_removed", _("You are no longer a member of a team"), [member.email], context)


def _ownership_transferred(event: Event) -> Mail | None:
    people = User.objects.in_bulk([event.data["from"], event.data["to"]])
    before, now = people.get(event.data["from"]), people.get(event.data["to"])
    if before is None or now is None or event.account is None:
        return None
    context = {
        "account": in_mail(event.account.name),
        "previous_owner": in_mail(before.full_name),
        "owner": in_mail(now.full_name),
        "link": _link("home"),
    }
    return Mail("ownership_transferred", _("Your account has a new owner"), [now.email, before.email], context)


def _password_changed(event: Event) -> Mail | None:
    return _safety_mail(event, _("Your password was changed"), _("All your other logins have ended."))


def _password_reset(event: Event) -> Mail | None:
    said = _("A new password was chosen with a link that we sent to this address. You were logged out everywhere.")
    return _safety_mail(event, _("Your password was changed"), said)


def _login_attacked(event: Event) -> Mail | None:
    said = _(
        "Somebody typed many wrong passwords for your login. Where you logged in before, you can go on as usual. "
        "Elsewhere you may have to wait for some minutes; choosing a new password ends the wait at once."
    )
    return _safety_mail(event, _("Somebody tries to log in as you"), said)


def _token_reused(event: Event) -> Mail | None:
    said = _(
        "A program used a key of your login that had been used before. Somebody may have copied it, so we ended the "
        "login on that device. Log in there again."
    )
    return _safety_mail(event, _("One of your logins was ended"), said)


def _second_factor_enabled(event: Event) -> Mail | None:
    said = _(
        "From now on logging in also needs a code of your device, or one of the recovery codes that you were shown."
    )
    also = _("All your other logins have ended.")
    is_change = event.data.get("replaced")
    title = _("The device of your second factor was changed") if is_change else _("Second factor switched on")
    return _safety_mail(event, title, said, also)


def _second_factor_disabled(event: Event) -> Mail | None:
    return _safety_mail(
        event, _("Second factor switched off"), _("From now on the password alone is enough to log in.")
    )


def _second_factor_reset(event: Event) -> Mail | None:
    said = _(
        "Your second factor was taken off your login by an operator, as is done when a device is lost. The password "
        "alone is enough to log in now. You were logged out everywhere. Switch it on again with your new device."
    )
    return _safety_mail(event, _("Your second factor was taken away"), said)


def _recovery_codes_renewed(event: Event) -> Mail | None:
    return _safety_mail(
        event, _("You have new recovery codes"), _("The recovery codes that you had before no longer work.")
    )


def _recovery_code_used(event: Event) -> Mail | None:
    left = int(event.data.get("left", 0))
    said = _("A recovery code was used in place of your device. Codes that are left: %(left)s.") % {"left": left}
    also = _("Make new ones before you need the last.") if left < FEW_CODES else _("Each works once.")
    return _safety_mail(event, _("A recovery code was used"), said, also)


def _login_edited(event: Event) -> Mail | None:
    """About what an operator changed of a login. What people change of their own names needs no mail."""
    changed = set(event.data.get("changed", ()))
    is_own = str(event.actor_id) == event.object_id
    # The console also records a form that was saved as it was.
    if not changed or (is_own and not changed & {"email", "password"}):
        return None
    said = [_(sentence) for column, sentence in EDITED.items() if column in changed] or [_("Its details were changed.")]
    return _safety_mail(event, _("Your login was changed by an operator"), *said, to_address_before="email" in changed)


# What is said of a changed column, without its values.
EDITED = {
    "email": gettext_noop("Another e-mail address was set for it, and this one is no longer used."),
    "password": gettext_noop("The password was set anew or taken away."),
    "is_active": gettext_noop("It was closed or opened again."),
    "role": gettext_noop("The role in the team was changed."),
    "is_staff": gettext_noop("What it may do in the operators' console was changed."),
    "is_superuser": gettext_noop("It got or lost all permissions in the operators' console."),
    "groups": gettext_noop("Its groups of operators were changed."),
    "first_name": gettext_noop("The first name was changed."),
    "last_name": gettext_noop("The last name was changed."),
}


def _safety_mail(event: Event, title: str, *said: str, to_address_before: bool = False) -> Mail | None:
    """A mail that lets a person notice what somebody else did with their login (AUT-23)."""
    user = User.objects.filter(pk=event.object_id).first()
    if user is None:
        return None
    # Who replaced the address may read mail at the new one.
    address = (user.email_before if to_address_before else "") or user.email
    context = {"title": title, "said": said, "at": event.created_at, "link": _link("forgotten-password")}
    return Mail("login_changed", f"{title} ({settings.COMPANY_NAME})", [address], context, kind="safety")


def _link(page: str, token: str = "") -> str:
    # A page of igny8_core/web; its token stands in no log line of ours, and its Referer goes to no other site.
    return f"{settings.BASE_URL}/{page}/{token}".rstrip("/")


HANDLERS: dict[str, Callable[[Event], Mail | None]] = {
    "account.created": _account_created,
    "account.billing_email_given": _billing_email_given,
    "signups.stopped": _signups_stopped,
    "user.verification_requested": _verification_requested,
    "user.password_reset_requested": _password_reset_requested,
    "invitation.created": _invitation,
    "invitation.resent": _invitation,
    "operator_invitation.created": _operator_invitation,
    "operator_invitation.resent": _operator_invitation,
    "member.removed": _member_removed,
    "account.ownership_transferred": _ownership_transferred,
    "user.password_changed": _password_changed,
    "user.password_reset": _password_reset,
    "user.updated": _login_edited,
    "user.login_attacked": _login_attacked,
    "session.token_reused": _token_reused,
    "second_factor.enabled": _second_factor_enabled,
    "second_factor.disabled": _second_factor_disabled,
    "second_factor.reset": _second_factor_reset,
    "recovery_codes.renewed": _recovery_codes_renewed,
    "recovery_code.used": _recovery_code_used,
}


# The events whose object is the person who gets the mail.
OF_PEOPLE = frozenset(
    kind for kind in HANDLERS if kind.startswith(("user.", "member.", "second_factor.", "recovery_", "session."))
)
