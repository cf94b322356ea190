from django.urls import path

from igny8_core.auth.api import catalogue, mailed_links, sessions, site_access, sites

auth_urls = [
    path("login/", sessions.LoginView.as_view()),
    path("refresh/", sessions.RefreshView.as_view()),
    path("logout/", sessions.LogoutView.as_view()),
    path("me/", sessions.MeView.as_view()),
    path("password/change/", sessions.PasswordChangeView.as_view()),
    path("password/reset/", mailed_links.PasswordResetView.as_view()),
    path("password/reset/confirm/", mailed_links.PasswordResetConfirmView.as_view()),
    path("email/verify/", mailed_links.EmailVerifyView.as_view()),
    path("email/verify/resend/", mailed_links.EmailVerifyResendView.as_view()),
    path("plans/", catalogue.PlanListView.as_view()),
    path("industries/", catalogue.IndustryListView.as_view()),
]
site_urls = [
    path("", sites.SiteListView.as_view()),
    path("<int64:site_id>/", sites.SiteDetailView.as_view()),
    path("<int64:site_id>/access/", site_access.SiteAccessListView.as_view()),
    path("<int64:site_id>/access/<int64:user_id>/", site_access.SiteAccessDetailView.as_view()),
]
