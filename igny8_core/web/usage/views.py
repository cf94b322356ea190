"""What the account's credits were used for, drawn by the server: four figures, three charts, and a table of each."""

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, User
from igny8_core.auth.selectors import terms_of
from igny8_core.business.billing.usage import analytics, today_of
from igny8_core.common import clock
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.forms import status_of
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people
from igny8_core.web.usage.charts import bars_of, line_of, ring_of
from igny8_core.web.usage.costs import worth_of
from igny8_core.web.usage.ranges import RangeForm, granularity_of


@require_safe
@for_people
@member
def usage(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/usage: every member of the account may look at it."""
    now = clock.now()
    form = RangeForm(request.GET, today_of(account, now))
    first, last = form.chosen
    used = analytics(account, first, last, granularity_of(first, last), now)
    terms = terms_of(account)
    context = {
        "form": form,
        "used": used,
        "line": line_of(used.series),
        "ring": ring_of(used.by_operation, _("All others")),
        "bars": bars_of(used.top_operations),
        "included": terms.credits,
        "worth": worth_of(account, terms, used.projection.projected_credits),
        "may_buy": person.role in MANAGER_ROLES,
    }
    response = account_page(request, person, account, "account_usage", "usage/usage.html", context)
    response.status_code = status_of(form)
    return response
