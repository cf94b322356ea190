from igny8_core.web.frame.addresses import addresses
from igny8_core.web.own_account.views import own_account

urlpatterns = [*addresses("own-account", own_account, "own_account")]
