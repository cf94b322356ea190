"""The Celery application and its schedule. Every task can run twice without harm.

Tasks wait in three queues, so that money waits for neither mails nor housekeeping: settings.CELERY_TASK_ROUTES.
"""

import gc
import logging
import os
from typing import Any

from celery import Celery
from celery.apps import worker
from celery.schedules import crontab
from celery.signals import beat_init, celeryd_init, import_modules, setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "igny8_core.settings")


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery would replace Django's logging by its own, whose lines are no JSON, if nobody took this signal."""


@import_modules.connect
def _without_looking_for_garbage(**_: Any) -> None:
    """A worker begins to import the site. As in manage.py: what is imported stays, and its start is a fifth shorter."""
    gc.set_threshold(50_000, 20, 50)


@celeryd_init.connect
def _without_banner(instance: Any = None, **_: Any) -> None:
    """The worker would print a picture of itself among the lines of the log."""
    instance.quiet = True
    # What Python warns of becomes a line, too.
    logging.captureWarnings(True)
    # What the worker says when it is told to stop, which it prints past the log.
    vars(worker)["safe_say"] = lambda text, *_: logging.getLogger("celery.apps.worker").warning(text)


@worker_init.connect
@beat_init.connect
def _with_a_queue(**_: Any) -> None:
    """Without Redis the queue is in the database, and nobody may wait for its tables when work begins."""
    from igny8_core.common.queue_table import create_tables

    create_tables()


app = Celery("igny8_core", task_cls="igny8_core.jobs:Job")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    # Tasks look for due rows in the database, so they find what a killed worker or a lost broker left behind. A task
    # that waits in the queue until the next one comes is dropped (`expires`).
    "deliver-events": {"task": "events.deliver_due", "schedule": 2.0, "options": {"expires": 2}},
    "send-mails": {"task": "events.send_mails", "schedule": 2.0, "options": {"expires": 2}},
    "process-webhooks": {"task": "billing.process_webhooks", "schedule": 2.0, "options": {"expires": 2}},
    "decide-selected": {"task": "billing.decide_selected", "schedule": 2.0, "options": {"expires": 2}},
    "check-payments": {"task": "billing.check_payments", "schedule": 30.0, "options": {"expires": 30}},
    "expire-credits": {"task": "billing.expire_credits", "schedule": 300.0, "options": {"expires": 300}},
    "sum-up-usage": {"task": "billing.sum_up_usage", "schedule": 300.0, "options": {"expires": 300}},
    "end-periods": {"task": "billing.end_periods", "schedule": 60.0, "options": {"expires": 60}},
    "invoice-renewals": {"task": "billing.invoice_renewals", "schedule": 300.0, "options": {"expires": 300}},
    "charge-renewals": {"task": "billing.charge_renewals", "schedule": 60.0, "options": {"expires": 60}},
    "warn-of-cards": {"task": "billing.warn_of_cards", "schedule": 3600.0, "options": {"expires": 3600}},
    "dun-invoices": {"task": "billing.dun_invoices", "schedule": 900.0, "options": {"expires": 900}},
    "remind-operators": {"task": "billing.remind_operators", "schedule": 900.0, "options": {"expires": 900}},
    "end-trials": {"task": "billing.end_trials", "schedule": 900.0, "options": {"expires": 900}},
    "check-invariants": {"task": "billing.check_invariants", "schedule": 900.0, "options": {"expires": 900}},
    "delete-unused-proofs": {"task": "billing.delete_unused_proofs", "schedule": 3600.0, "options": {"expires": 3600}},
    "release-left-customers": {"task": "billing.release_left_customers", "schedule": crontab(hour="4", minute="5")},
    "reconcile-gateways": {"task": "billing.reconcile_gateways", "schedule": crontab(hour="3", minute="40")},
    "delete-old-webhooks": {"task": "billing.delete_old_webhooks", "schedule": crontab(hour="4", minute="15")},
    "forget-old-rows": {"task": "auth.forget_old_rows", "schedule": 3600.0, "options": {"expires": 3600}},
}
