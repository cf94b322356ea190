from igny8_core.web.account_settings.views import account_settings
from igny8_core.web.frame.addresses import addresses

urlpatterns = [*addresses("account/settings", account_settings, "account_settings")]
