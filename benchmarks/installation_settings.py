"""The site's settings without debugging; stand-ins and the mail server of this machine are for development only."""

from igny8_core.settings import *  # noqa: F403
from igny8_core.settings import STORAGES as _STORAGES

DEBUG = False
# No page is looked at, so no files of pages are collected.
STORAGES = {**_STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
