"""The sites of one's own account."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from igny8_core.auth.models import Account, Site, User
from igny8_core.auth.permissions import CanManageSites, CanWorkOnSites, require_usable
from igny8_core.auth.selectors import site_count, sites_of, terms_of
from igny8_core.auth.services import sites as site_services
from igny8_core.auth.services.sites import create_site, update_site
from igny8_core.common.errors import DomainError, NotFound
from igny8_core.web.frame.forms import status_of, with_retry
from igny8_core.web.frame.people import member
from igny8_core.web.frame.rendering import for_people, page
from igny8_core.web.signup.order import why_no_order
from igny8_core.web.sites.forms import SiteForm, saved_text


class SitesNotManaged(DomainError):
    code = "permission_denied"
    http_status = 403
    text = CanManageSites.message


@require_safe
@for_people
@member
def sites(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """GET /sites: the sites that one may see, and the way to a new one."""
    return _list(request, person, account, SiteForm())


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@member
def new_site(request: HttpRequest, person: User, account: Account) -> HttpResponse:
    """/sites/new: add a site."""
    _require(person, CanManageSites)
    if request.method != "POST":
        if _why_unusable(account) or _why_full(account):
            return HttpResponseRedirect(reverse("sites"), status=303)
        return page(request, "sites/form.html", {"form": SiteForm()})
    form = SiteForm(request.POST)
    refusal: DomainError | None = None
    if form.is_valid():
        try:
            site = create_site(account, person, **form.changes)
        except DomainError as refused:
            refusal = refused
            form.refuse(refused)
        else:
            messages.success(request, _("%(site)s is added.") % {"site": site.name})
            return HttpResponseRedirect(reverse("sites"), status=303)
    return with_retry(page(request, "sites/form.html", {"form": form}, status=status_of(form, refusal)), refusal)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@member
def edit_site(request: HttpRequest, person: User, account: Account, site_id: int) -> HttpResponse:
    """/sites/<id>: change name, industry and domain; editors may, too, on sites that they have access to."""
    _require(person, CanWorkOnSites)
    site = _visible(account, person, site_id)
    form, refusal = SiteForm.of(site), None
    if request.method == "POST":
        form = SiteForm(request.POST)
        form.keep_industry(site.industry)
        if form.is_valid():
            try:
                site = update_site(site, person, **form.changes)
                messages.success(request, saved_text(site))
                return HttpResponseRedirect(reverse("sites"), status=303)
            except NotFound:
                raise
            except DomainError as refused:
                refusal = refused
                form.refuse(refused)
    context = {"form": form, "site": site, "may_delete": person.role in CanManageSites.roles}
    return with_retry(page(request, "sites/form.html", context, status=status_of(form, refusal)), refusal)


@require_http_methods(["GET", "HEAD", "POST"])
@for_people
@member
def delete_site(request: HttpRequest, person: User, account: Account, site_id: int) -> HttpResponse:
    """/sites/<id>/delete: asks first, the button does it."""
    _require(person, CanManageSites)
    site = _visible(account, person, site_id)
    if request.method != "POST":
        return page(request, "sites/delete.html", {"site": site})
    name = site.name
    site_services.delete_site(site, person)
    messages.success(request, _("%(site)s is deleted.") % {"site": name})
    return HttpResponseRedirect(reverse("sites"), status=303)


def _list(request: HttpRequest, person: User, account: Account, form: SiteForm) -> HttpResponse:
    is_manager = person.role in CanManageSites.roles
    unusable, full = _why_unusable(account), _why_full(account)
    context = {
        "account": account,
        "sites": list(sites_of(account, person).order_by("name", "pk")),
        "form": form,
        "used": site_count(account),
        "allowed": terms_of(account).max_sites,
        "is_manager": is_manager,
        "may_edit": person.role in CanWorkOnSites.roles,
        "closed_because": (unusable or full) if is_manager else "",
        "is_full": bool(full and not unusable),
        "may_order": not why_no_order(person, account),
        "order_address": reverse("order"),
    }
    return page(request, "sites/sites.html", context)


def _why_unusable(account: Account) -> str:
    """Why nothing can be done with the account now, for people; empty where it can. Services decide it again."""
    try:
        require_usable(account)
    except DomainError as refusal:
        return refusal.text
    return ""


def _why_full(account: Account) -> str:
    """Why there is no room for another site; empty where there is. The service counts again, under its lock."""
    used, allowed = site_count(account), terms_of(account).max_sites
    if used < allowed:
        return ""
    text = ngettext(
        "Your plan %(plan)s has room for %(allowed)d site, and you have %(used)d.",
        "Your plan %(plan)s has room for %(allowed)d sites, and you have %(used)d.",
        allowed,
    )
    return text % {"plan": account.plan.name, "allowed": allowed, "used": used}


def _require(person: User, permission: type[CanManageSites | CanWorkOnSites]) -> None:
    """As the API asks. Raises SitesNotManaged."""
    if person.role not in permission.roles:
        raise SitesNotManaged()


def _visible(account: Account, person: User, site_id: int) -> Site:
    site = sites_of(account, person).filter(pk=site_id).first()
    if site is None:
        raise NotFound()
    return site
