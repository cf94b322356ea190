from igny8_core.web.activity.views import activity
from igny8_core.web.frame.addresses import addresses

urlpatterns = [*addresses("account/activity", activity, "account_activity")]
