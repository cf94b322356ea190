"""Pages for people, one folder per group."""

from django.urls import include, path

urlpatterns = [
    path("", include("igny8_core.web.landing.urls")),
    path("", include("igny8_core.web.languages.urls")),
    path("", include("igny8_core.web.login.urls")),
    path("", include("igny8_core.web.home.urls")),
    path("", include("igny8_core.web.looking.urls")),
    path("", include("igny8_core.web.invitations.urls")),
    path("", include("igny8_core.web.own_account.urls")),
    path("", include("igny8_core.web.security.urls")),
    path("", include("igny8_core.web.signup.urls")),
    path("", include("igny8_core.web.terms.urls")),
    path("", include("igny8_core.web.banner.urls")),
    path("", include("igny8_core.web.sites.urls")),
    path("", include("igny8_core.web.account_settings.urls")),
    path("", include("igny8_core.web.plan.urls")),
    path("", include("igny8_core.web.invoices.urls")),
    path("", include("igny8_core.web.purchase.urls")),
    path("", include("igny8_core.web.usage.urls")),
    path("", include("igny8_core.web.team.urls")),
    path("", include("igny8_core.web.activity.urls")),
    path("pay/", include("igny8_core.web.pay.urls")),
]
