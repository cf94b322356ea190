from django.urls import path

from igny8_core.api import account_views, team_views, usage_views

urlpatterns = [
    path("settings/", account_views.SettingsView.as_view()),
    path("limits/", account_views.LimitsView.as_view()),
    path("activity/", account_views.ActivityView.as_view()),
    path("transfer-ownership/", account_views.TransferOwnershipView.as_view()),
    path("delete/", account_views.DeleteAccountView.as_view()),
    path("team/", team_views.TeamListView.as_view()),
    path("team/invite/", team_views.InviteView.as_view()),
    path("team/invitations/", team_views.InvitationListView.as_view()),
    path("team/invitations/accept/", team_views.AcceptInvitationView.as_view()),
    path("team/invitations/<int64:invitation_id>/", team_views.InvitationDetailView.as_view()),
    path("team/invitations/<int64:invitation_id>/resend/", team_views.InvitationResendView.as_view()),
    path("team/<int64:user_id>/", team_views.TeamMemberView.as_view()),
    path("team/<int64:user_id>/role/", team_views.TeamRoleView.as_view()),
    path("usage/analytics/", usage_views.UsageAnalyticsView.as_view()),
]
