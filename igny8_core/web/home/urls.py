from igny8_core.web.frame.addresses import addresses
from igny8_core.web.home.views import home

urlpatterns = [*addresses("home", home, "home")]
