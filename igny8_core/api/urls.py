from igny8_core.api import account, sessions, team, usage
from igny8_core.common.api.routers import ApiRouter

# Under `account/`.
account_router = ApiRouter()
account_router.register("", account.AccountViewSet)
account_router.register("settings", account.SettingsViewSet)
account_router.register("limits", account.LimitsViewSet)
account_router.register("activity", account.ActivityViewSet)
account_router.register("team", team.TeamMemberViewSet)
account_router.register("team/invitations", team.InvitationViewSet)
account_router.register("sessions", sessions.SessionViewSet)
account_router.register("usage/analytics", usage.UsageAnalyticsViewSet)
