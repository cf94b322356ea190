from igny8_core.web.frame.addresses import addresses
from igny8_core.web.languages.views import choose_language

urlpatterns = addresses("language", choose_language, "choose_language")
