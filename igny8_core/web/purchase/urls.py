from igny8_core.web.frame.addresses import addresses
from igny8_core.web.purchase.views import order, purchase

urlpatterns = [
    *addresses("account/credits/purchase", purchase, "account_purchase"),
    *addresses("account/credits/purchase/<int64:invoice_id>", order, "account_order"),
]
