"""Every address of the site."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from igny8_core.admin.api.urls import decision_router, operator_router
from igny8_core.admin.metrics import metrics
from igny8_core.api.urls import account_router
from igny8_core.auth.api.urls import auth_urls, site_router
from igny8_core.business.billing.api.urls import billing_router
from igny8_core.business.signup.api.registration import BeginAccountView, RegisterView
from igny8_core.common import health
from igny8_core.common.api.documentation import CodesView, DocsView, SchemaView
from igny8_core.common.api.views import NoSuchAddress
from igny8_core.web.frame.refusals import no_such_page

handler400 = "igny8_core.web.frame.refusals.bad_request"
handler403 = "igny8_core.web.frame.refusals.permission_denied"
handler404 = "igny8_core.web.frame.refusals.not_found"
handler500 = "igny8_core.web.frame.refusals.server_error"

urlpatterns = [
    path("api/v1/auth/register/", RegisterView.as_view()),
    path("api/v1/auth/account/", BeginAccountView.as_view()),
    path("api/v1/auth/", include(auth_urls)),
    path("api/v1/billing/webhooks/", include("igny8_core.business.billing.webhooks.urls")),
    path("api/v1/billing/admin/", include(decision_router.urls)),
    path("api/v1/billing/", include(billing_router.urls)),
    path("api/v1/", include(site_router.urls)),
    path("api/v1/account/", include(account_router.urls)),
    path("api/v1/admin/", include(operator_router.urls)),
    path("api/schema/", SchemaView.as_view(), name="schema"),
    path("api/docs/", DocsView.as_view(), name="docs"),
    path("api/docs/codes/", CodesView.as_view(), name="codes"),
    path("api/<path:address>", NoSuchAddress.as_view()),
    path("admin/second-factor/", include("igny8_core.admin.second_factor")),
    path("admin/mail-previews/", include("igny8_core.admin.mail_previews.page")),
    path("admin/search/", include("igny8_core.admin.search")),
    path("admin/operator-invitation/", include("igny8_core.admin.operator_invitation")),
    path("admin/", include("igny8_core.admin.addresses")),
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("healthz/", health.healthz),
    path("readyz/", health.readyz),
    path("metrics", metrics),
    # After what programs ask for: each page is one more address to compare with.
    path("", include("igny8_core.web.urls")),
    path("<path:address>", no_such_page),
]
