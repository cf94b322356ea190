"""WSGI entry point of the web server; whoever imports it gets a site that is warm."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")

application = get_wsgi_application()

# Below Django's setup, because it needs the settings.
from igny8_core.common.warming import warm  # noqa: E402

warm(application)
