from igny8_core.web.frame.addresses import addresses
from igny8_core.web.security.views import security

urlpatterns = [*addresses("security", security, "security")]
