"""Plan and billing: what the account has and pays, its credits, last invoices and saved ways of paying."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from igny8_core.auth.models import MANAGER_ROLES, Account, User
from igny8_core.business.billing.invoice_search import Wanted, find_invoices
from igny8_core.business.billing.services.subscriptions.ending import why_not_canceled
from igny8_core.business.billing.usage import today_of
from igny8_core.common import clock
from igny8_core.web.frame.account_pages import account_page
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people
from igny8_core.web.invoices.forms import status_names
from igny8_core.web.invoices.views import rows_of
from igny8_core.web.pay.policy import CARD_FORM_POLICY
from igny8_core.web.plan.credits import credits_of
from igny8_core.web.plan.current import choices_for, current_of
from igny8_core.web.plan.methods import addable, card_form, card_type, saved_of
from igny8_core.web.signup.order import why_no_order

INVOICES_SHOWN = 6


@require_safe
@for_people
@member
def plan_and_billing(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /account/billing: every member may look; owners and admins may change."""
    now = clock.now()
    current = current_of(account, now)
    names = status_names()
    status = request.GET.get("status", "")
    wanted = Wanted(status=status if status in names else "")
    saved = saved_of(account, today_of(account, now))
    form = card_form()
    may_pay = person.role in MANAGER_ROLES
    may_end = may_pay and current.can_end
    context = {
        "current": current,
        "choices": choices_for(current),
        "credits": credits_of(account, current.terms, now),
        "rows": rows_of(find_invoices(account, wanted, page=1, size=INVOICES_SHOWN).invoices),
        "statuses": names,
        "status": wanted.status,
        "saved": saved,
        "addable": addable(account, saved),
        "card_type": card_type(),
        "form": form,
        "may_pay": may_pay,
        "why_not_canceled": why_not_canceled(current.subscription) if may_end and current.subscription else "",
        "may_order": not why_no_order(person, account),
    }
    response = account_page(request, person, account, "account_billing", "plan/plan.html", context)
    if "stripe_js" in form:
        response._csp_replace = CARD_FORM_POLICY  # type: ignore[attr-defined]
    return response
