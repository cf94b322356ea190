from igny8_core.web.frame.addresses import addresses
from igny8_core.web.plan.views import plan_and_billing

urlpatterns = addresses("account/billing", plan_and_billing, "account_billing")
