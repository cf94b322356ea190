from django.urls import path

from igny8_core.auth.api import catalogue, sessions, sites

auth_urls = [
    path("login/", sessions.LoginView.as_view()),
    path("refresh/", sessions.RefreshView.as_view()),
    path("logout/", sessions.LogoutView.as_view()),
    path("me/", sessions.MeView.as_view()),
    path("password/change/", sessions.PasswordChangeView.as_view()),
    path("plans/", catalogue.PlanListView.as_view()),
    path("industries/", catalogue.IndustryListView.as_view()),
]
site_urls = [
    path("", sites.SiteListView.as_view()),
    path("<int64:site_id>/", sites.SiteDetailView.as_view()),
]
