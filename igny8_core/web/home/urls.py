from igny8_core.web.frame.addresses import addresses
from igny8_core.web.home.views import home, try_meter

urlpatterns = [*addresses("home", home, "home"), *addresses("home/try", try_meter, "try_meter")]
