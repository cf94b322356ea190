"""WSGI entry point of the web server. Importing it loads and warms the site."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")

application = get_wsgi_application()

# Imported after Django's setup, because it needs the settings.
from igny8_core.common.warming import warm  # noqa: E402

warm(application)
# What is loaded now stays loaded. The garbage collector can skip it, and forked workers keep sharing its memory.
gc.collect()
gc.freeze()
