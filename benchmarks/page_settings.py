"""The site's settings as production has them, but for what needs HTTPS, which this machine's loopback does not have."""

from igny8_core.settings import *  # noqa: F403
from igny8_core.settings import STORAGES as _STORAGES

DEBUG = False
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = False
STORAGES = {**_STORAGES, "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}
