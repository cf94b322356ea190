from django.urls import path

from igny8_core.business.billing.webhooks.paypal_webhooks import PayPalWebhookView
from igny8_core.business.billing.webhooks.stripe_webhooks import StripeWebhookView

urlpatterns = [
    path("stripe/", StripeWebhookView.as_view()),
    path("paypal/", PayPalWebhookView.as_view()),
]
