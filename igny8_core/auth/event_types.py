"""The event types of accounts, people, sites and plans."""

from igny8_core.events.registry import register


def declare() -> None:
    """Declare the types; called once, when the app is ready."""
    register(
        "igny8_auth.account",
        {
            "account.created": "Somebody signed up.",
            "account.updated": "Settings or billing details were changed. The event names the fields, not the values.",
            "account.billing_email_given": "Another address for invoices was given, which waits to be confirmed.",
            "account.billing_email_confirmed": "The address for invoices was confirmed with a mailed link.",
            "account.suspended": "An operator suspended the account.",
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
