"""The team of an account: who is in it, who is invited, and what each may do."""

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, Role, User
from igny8_core.auth.selectors import invitations_of, members_of, seats_taken, sites_of, terms_of
from igny8_core.auth.services.team_policy import may_give
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people

# What a role may do, from most to least.
ROLES: dict[str, tuple[str | Promise, str | Promise]] = {
    Role.OWNER: (_("Owner"), _("Everything, also giving the account away and deleting it.")),
    Role.ADMIN: (_("Admin"), _("Team, sites, plan and payments.")),
    Role.EDITOR: (_("Editor"), _("Works on the sites that are open to them.")),
    Role.VIEWER: (_("Viewer"), _("Sees everything of their sites, and changes nothing.")),
}
# So many rows are drawn while the list is loaded.
ROWS = 25


@require_safe
@for_people
@member
def team(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/team."""
    given = [(role, *ROLES[role]) for role in ROLES if may_give(person, role)]
    context = {
        "roles": [(role, *texts) for role, texts in ROLES.items()],
        "given": given,
        "site_roles": " ".join(role for role in ROLES if role not in MANAGER_ROLES),
        "sites": sites_of(account, person).order_by("name", "pk"),
        "used": seats_taken(account),
        "allowed": terms_of(account).max_users,
        "rows": range(min(members_of(account).count(), ROWS)),
        "invited_rows": range(min(invitations_of(account).filter(accepted_at=None, canceled_at=None).count(), ROWS)),
    }
    return account_page(request, person, account, "account_team", "team/team.html", context)
