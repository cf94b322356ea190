"""The site's settings with the addresses of the benchmark, and without debugging."""

from igny8_core.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.payment_method_urls"
DEBUG = False
