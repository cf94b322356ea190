"""The event types of accounts, people, sites and plans."""

from collections.abc import Mapping
from typing import Any

from igny8_core.events.registry import register, tell_security_log

# Columns of a login that say what it may do.
RIGHTS = {"is_staff", "is_superuser", "is_active", "role", "groups", "user_permissions"}


def _name_of_update(data: Mapping[str, Any]) -> str:
    return "privilege_permissions_changed" if RIGHTS & set(data.get("changed", ())) else "user_updated"


def declare() -> None:
    """Declare the types; called once, when the app is ready."""
    register(
        "igny8_auth.account",
        {
            "account.created": "Somebody signed up.",
            "account.updated": "Settings or billing details were changed. The event names the fields, not the values.",
            "account.billing_email_given": "Another address for invoices was given, which waits to be confirmed.",
            "account.billing_email_confirmed": "The address for invoices was confirmed with a mailed link.",
            "account.suspended": "An operator suspended the account, or it did not pay in time.",
            "account.reinstated": "An operator lifted a suspension.",
            "account.ownership_transferred": "The owner made somebody else the owner.",
            "account.owner_changed": "An operator made another member the owner.",
            "account.deleted": "The owner deleted the account.",
        },
    )
    register(
        "igny8_auth.user",
        {
            "user.created": "An operator added a person.",
            "user.updated": "A person's details were changed. The event names the fields, not the values.",
            "user.password_changed": "A person changed their password.",
            "user.password_reset_requested": "Somebody asked for a link to choose a new password.",
            "user.password_reset": "A person chose a new password with an e-mailed link.",
            "user.verification_requested": "A person asked for a link that confirms their e-mail address.",
            "user.email_verified": "A person confirmed their e-mail address.",
            "second_factor.enabled": "A person put a second factor on their login, or changed its device.",
            "second_factor.disabled": "A person took the second factor off their login.",
            "second_factor.reset": "An operator, or a command on the server, took a person's second factor away.",
            "recovery_codes.renewed": "A person got new recovery codes; the old ones stopped working.",
            "recovery_code.used": "A recovery code was used in place of the device. `left`: how many there still are.",
            "user.address_lost": "Whose address it is joined a team; a login that had not confirmed it lost it.",
            "user.login_attacked": "Many wrong passwords were tried for a login; the person is told.",
            "session.token_reused": "An old token was used again, so its session was ended.",
            "member.role_changed": "A member got another role.",
            "member.removed": "A member was removed, or left.",
        },
    )
    register(
        "igny8_auth.teaminvitation",
        {
            "invitation.created": "Somebody was invited to the team.",
            "invitation.resent": "An invitation was sent again.",
            "invitation.canceled": "An invitation was canceled.",
            "invitation.accepted": "An invited person joined the team.",
        },
    )
    register(
        "igny8_auth.customerlogin",
        {
            "customer_login.began": "An operator began to look at the pages as the customer sees them.",
            "customer_login.ended": "The operator's look at the customer's pages was ended before its time.",
        },
    )
    register(
        "igny8_auth.operatorinvitation",
        {
            "operator_invitation.created": "Somebody was invited to work in the console.",
            "operator_invitation.resent": "An invitation to the console was sent again; the old link stopped working.",
            "operator_invitation.canceled": "An invitation to the console was taken back.",
            "operator_invitation.accepted": "An invited person became an operator.",
        },
    )
    register(
        "igny8_auth.site",
        {
            "site.created": "A site was added.",
            "site.updated": "A site was changed.",
            "site.deleted": "A site was deleted.",
            "site.access_granted": "A member may now work on the site.",
            "site.access_revoked": "A member may no longer work on the site.",
        },
    )
    register("common.limithit", {"signups.stopped": "There were so many signups that no more were taken that hour."})
    for model, noun, text in [
        ("igny8_auth.plan", "plan", "A plan"),
        ("igny8_auth.industry", "industry", "An industry"),
        ("auth.group", "group", "An operator group"),
    ]:
        register(model, {f"{noun}.{done}": f"{text} was {done}." for done in ("created", "updated", "deleted")})
    tell_security_log(
        {
            "account.created": "user_created",
            "account.deleted": "user_deleted",
            "account.ownership_transferred": "privilege_permissions_changed",
            "account.owner_changed": "privilege_permissions_changed",
            "user.created": "user_created",
            "user.updated": _name_of_update,
            "user.password_changed": "authn_password_change",
            "user.password_reset": "authn_password_change",
            "member.role_changed": "privilege_permissions_changed",
            "member.removed": "user_deleted",
            "invitation.accepted": "user_created",
            "operator_invitation.created": "privilege_permissions_changed",
            "operator_invitation.accepted": "user_created",
            "site.access_granted": "privilege_permissions_changed",
            "site.access_revoked": "privilege_permissions_changed",
            **{f"group.{done}": "privilege_permissions_changed" for done in ("created", "updated", "deleted")},
        }
    )
