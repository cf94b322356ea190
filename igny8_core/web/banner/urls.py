from igny8_core.web.banner.views import standing
from igny8_core.web.frame.addresses import addresses

urlpatterns = [*addresses("standing", standing, "standing")]
