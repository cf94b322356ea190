from igny8_core.web.frame.addresses import addresses
from igny8_core.web.team.views import team

urlpatterns = [*addresses("account/team", team, "account_team")]
