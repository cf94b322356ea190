from igny8_core.web.frame.addresses import addresses
from igny8_core.web.invitations.views import invitation

urlpatterns = [*addresses("invitations/<str:token>", invitation, "invitation")]
