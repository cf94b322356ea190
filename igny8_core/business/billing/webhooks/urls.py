from django.urls import path

from igny8_core.business.billing.gateways import GATEWAYS
from igny8_core.business.billing.webhooks.views import webhook_view

urlpatterns = [path(f"{payment_method}/", webhook_view(payment_method).as_view()) for payment_method in GATEWAYS]
