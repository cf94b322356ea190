"""The site's settings with the constant view beside its addresses, and without debugging."""

from igny8_core.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.request_urls"
DEBUG = False
