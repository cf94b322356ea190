"""The settings of an account: its name, where it is billed, its limits, its owner's last word; and who is signed in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import Account, User
from igny8_core.auth.selectors import sessions_of, settings_version
from igny8_core.business.billing.limits import limits_of
from igny8_core.common.api.fields import time_zones
from igny8_core.common.written import countries_to_choose, country_text
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people


@require_safe
@for_people
@member
def account_settings(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/settings."""
    context = {
        "version": settings_version(account),
        "countries": countries_to_choose(),
        "country": country_text(account.billing_country),
        "time_zones": sorted(time_zones()),
        "limits": limits_of(account),
        # With it, the API asks who it is where that is needed; without it, the forms bring the password along.
        "asks_password": not settings.CONFIRMATION_AGE,
        "account_language": dict(settings.LANGUAGES).get(account.language, ""),
        "rows": range(min(sessions_of(person).count(), 10)),
    }
    return account_page(request, person, account, "account_settings", "account_settings/settings.html", context)
