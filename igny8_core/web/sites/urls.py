from igny8_core.web.frame.addresses import addresses
from igny8_core.web.sites.views import delete_site, edit_site, new_site, sites

urlpatterns = [
    *addresses("sites", sites, "sites"),
    *addresses("sites/new", new_site, "new_site"),
    *addresses("sites/<int64:site_id>", edit_site, "edit_site"),
    *addresses("sites/<int64:site_id>/delete", delete_site, "delete_site"),
]
