from django.urls import path

from igny8_core.web.landing.views import landing

urlpatterns = [path("", landing, name="landing")]
