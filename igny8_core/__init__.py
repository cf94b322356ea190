"""igny8_core: signup, tenancy and billing."""

from igny8_core.celery import app as celery_app

__all__ = ["celery_app"]
