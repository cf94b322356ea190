"""WSGI entry point of the web server. Importing it loads and warms the site.

It raises ImproperlyConfigured if the demo operator can log in to a site in production.
"""

import gc
import os

from django.core.wsgi import get_wsgi_application

# What is loaded from here to the end of this file stays: nothing of it is garbage.
gc.disable()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")
# People and programs wait for the answer. What may take longer is done by the worker.
os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "10")

application = get_wsgi_application()

# Imported after Django's setup, because they need the settings.
from igny8_core.auth.password_rules import refuse_demo_operator  # noqa: E402
from igny8_core.common.warming import warm  # noqa: E402

# Before the site is warmed, which leaves no connection open for the workers to inherit.
refuse_demo_operator()
warm(application)
# What is loaded now stays loaded. The garbage collector can skip it, and forked workers keep sharing its memory.
gc.collect()
gc.freeze()
gc.enable()
