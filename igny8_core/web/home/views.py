"""What people see first when they are signed in."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import User
from igny8_core.auth.selectors import seats_taken, sites_of, terms_of
from igny8_core.web.frame.people import signed_in
from igny8_core.web.frame.rendering import for_people, page


@require_safe
@for_people
@signed_in
def home(request: HttpRequest, person: User) -> HttpResponse:
    """GET /home: the account at a glance."""
    account = person.account
    if account is None:
        return page(request, "home/without_account.html")
    facts = {
        "account": account,
        "terms": terms_of(account),
        "sites": sites_of(account, person).order_by("name"),
        "people": seats_taken(account),
    }
    return page(request, "home/home.html", facts)
