"""Pages for people, one folder per group."""

from django.urls import include, path

from igny8_core.web.payment_page import complete, pay_by_card, pay_elsewhere, payment_page

urlpatterns = [
    path("", include("igny8_core.web.landing.urls")),
    path("", include("igny8_core.web.login.urls")),
    path("", include("igny8_core.web.home.urls")),
    path("", include("igny8_core.web.invitations.urls")),
    path("", include("igny8_core.web.own_account.urls")),
    path("", include("igny8_core.web.signup.urls")),
    path("", include("igny8_core.web.terms.urls")),
    path("", include("igny8_core.web.banner.urls")),
    path("", include("igny8_core.web.sites.urls")),
    path("pay/<str:token>/", payment_page, name="payment_page"),
    path("pay/<str:token>/card/", pay_by_card, name="pay_by_card"),
    path("pay/<str:token>/complete/", complete, name="complete_payment"),
    path("pay/<str:token>/<str:payment_method>/", pay_elsewhere, name="pay_elsewhere"),
]
