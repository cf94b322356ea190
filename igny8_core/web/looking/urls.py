from igny8_core.web.frame.addresses import addresses
from igny8_core.web.looking.views import end_look

urlpatterns = addresses("end-look", end_look, "end_look")
