from igny8_core.web.frame.addresses import addresses
from igny8_core.web.usage.views import usage

urlpatterns = addresses("account/usage", usage, "account_usage")
