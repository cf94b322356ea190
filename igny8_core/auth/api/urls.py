from django.urls import path

from igny8_core.auth.api import email_tokens, industries, plans, second_factor, sessions, sites
from igny8_core.common.api.routers import ApiRouter

auth_router = ApiRouter()
auth_router.register("me", sessions.ProfileViewSet)
auth_router.register("second-factor", second_factor.SecondFactorViewSet)
auth_router.register("plans", plans.PlanViewSet)
auth_router.register("industries", industries.IndustryViewSet)

auth_urls = [
    path("login/", sessions.LoginView.as_view()),
    path("refresh/", sessions.RefreshView.as_view()),
    path("logout/", sessions.LogoutView.as_view()),
    path("confirm/", second_factor.ConfirmView.as_view()),
    path("password/change/", sessions.PasswordChangeView.as_view()),
    path("password/reset/", email_tokens.PasswordResetView.as_view()),
    path("password/reset/confirm/", email_tokens.PasswordResetConfirmView.as_view()),
    path("email/verify/", email_tokens.EmailVerifyView.as_view()),
    path("email/verify/resend/", email_tokens.EmailVerifyResendView.as_view()),
    *auth_router.urls,
]

site_router = ApiRouter()
site_router.register("sites", sites.SiteViewSet)
site_router.register("sites/<int64:site_id>/access", sites.SiteAccessViewSet)
