"""Who did what in an account, and when."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import Account, User
from igny8_core.auth.selectors import events_of
from igny8_core.web.activity.words import DETAILS, DONE, VALUES
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people

# So many are on a page, and so many rows are drawn while they are loaded.
PAGE_SIZE = 20


@require_safe
@for_people
@member
def activity(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/activity; the filters are in its query."""
    context = {
        "done": DONE,
        "details": DETAILS,
        "values": VALUES,
        "page_size": PAGE_SIZE,
        "rows": range(min(events_of(account)[:PAGE_SIZE].count(), PAGE_SIZE)),
    }
    return account_page(request, person, account, "account_activity", "activity/activity.html", context)
