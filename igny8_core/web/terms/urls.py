from igny8_core.web.frame.addresses import addresses
from igny8_core.web.terms.views import privacy, terms

urlpatterns = [*addresses("terms", terms, "terms"), *addresses("privacy", privacy, "privacy")]
