"""/metrics: business figures and queue lengths in the Prometheus text format, protected by a token (FLT-20)."""

import hmac
import math
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from igny8_core.auth.models import Account, Subscription
from igny8_core.business.billing.models import Payment, PaymentStatus, Refund, WebhookEvent, WebhookState
from igny8_core.business.billing.services.payment_methods import gateway_customers
from igny8_core.celery import app
from igny8_core.common import clock, limit_hits
from igny8_core.events import lanes
from igny8_core.events.models import Delivery, DeliveryStatus
from igny8_core.events.runs import last_runs


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics, for requests with `Authorization: Bearer <METRICS_TOKEN>`. 404 for all others."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), expected.encode()):
        return HttpResponse(status=404)
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Figures(Collector):
    """Reads all figures from the database, so that every process gives the same answer."""

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Yield the gauges, with one query each."""
        yield _by("igny8_accounts", "Accounts", "status", Account.objects.all())
        yield _by("igny8_subscriptions", "Subscriptions", "status", Subscription.objects.all())
        yield _by("igny8_webhook_events", "Webhook messages", "state", WebhookEvent.objects.all())
        yield _single(
            "igny8_credits_outstanding",
            "Credits granted and not spent",
            Account.objects.aggregate(total=Sum("credits"))["total"] or 0,
        )
        waiting = Payment.objects.filter(status=PaymentStatus.PENDING_APPROVAL)
        yield from _queue("igny8_payments_to_approve", "Payments that wait for approval", waiting, "created_at")
        review = Payment.objects.filter(needs_review=True).count()
        yield _single("igny8_payments_to_review", "Payments that wait for an operator's review", review)
        yield from _queues()
        yield from _deliveries()
        yield from _tasks()
        yield _hits()


def _queues() -> Iterator[GaugeMetricFamily]:
    to_check = Payment.objects.filter(next_check_at__lte=clock.now())
    yield from _queue(
        "igny8_payments_check_due", "Payments whose next check at the gateway is due", to_check, "next_check_at"
    )
    refunds = Refund.objects.filter(next_check_at__lte=clock.now())
    yield from _queue(
        "igny8_refunds_check_due", "Refunds whose next check at the gateway is due", refunds, "next_check_at"
    )
    messages = WebhookEvent.objects.filter(state=WebhookState.WAITING, next_attempt_at__lte=clock.now())
    yield from _queue("igny8_webhooks_due", "Webhook messages that are due", messages, "next_attempt_at")


def _deliveries() -> Iterator[GaugeMetricFamily]:
    waiting = Delivery.objects.filter(status=DeliveryStatus.WAITING)
    due = waiting.filter(next_attempt_at__lte=clock.now())
    yield from _queue("igny8_deliveries_due", "Deliveries of events that are due", due, "next_attempt_at")
    # Since the event: of a delivery that is tried again in an hour, nothing is due, and somebody waits for a mail.
    yield from _queue("igny8_deliveries_waiting", "Deliveries that were not made yet", waiting, "event__created_at")
    retried = waiting.filter(attempts__gt=1).count()
    yield _single("igny8_deliveries_retried", "Deliveries not made yet that were tried more than once", retried)
    dead = Delivery.objects.filter(status=DeliveryStatus.DEAD).count()
    yield _single("igny8_deliveries_given_up", "Deliveries of events that were given up", dead)
    erasures = Delivery.objects.filter(consumer=gateway_customers.CONSUMER)
    waiting_erasures = erasures.filter(status=DeliveryStatus.WAITING).count()
    yield _single("igny8_customers_to_erase", "Customers that are yet to be erased at a gateway", waiting_erasures)
    dead_erasures = erasures.filter(status=DeliveryStatus.DEAD).count()
    yield _single("igny8_customers_not_erased", "Customers whose erasure at a gateway was given up", dead_erasures)
    silent = _age(lanes.failing_since(lanes.MAIL))
    yield _single("igny8_mail_server_silent_seconds", "For how long the mail server has not answered", silent)


def _tasks() -> Iterator[GaugeMetricFamily]:
    """Of each task in the schedule: an age that grows without end until the task has run."""
    runs = last_runs()
    ages = GaugeMetricFamily(
        "igny8_task_last_success_seconds", "For how long no run of a task has ended well", labels=["task"]
    )
    for name in sorted({entry["task"] for entry in app.conf.beat_schedule.values()}):
        run = runs.get(name)
        ages.add_metric([name], _age(run.succeeded_at) if run and run.succeeded_at else math.inf)
    yield ages
    checked = runs.get("billing.check_invariants")
    broken = checked.count if checked and checked.count else 0
    yield _single("igny8_invariants_broken", "Invariants that did not hold when they were last checked", broken)


def _hits() -> CounterMetricFamily:
    family = CounterMetricFamily("igny8_limit_hits", "What limits have refused", labels=["limit"])
    for limit, total in limit_hits.totals().items():
        family.add_metric([limit], total)
    return family


def _by(name: str, text: str, label: str, rows: QuerySet[Any]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, f"{text} by {label}", labels=[label])
    for value, count in rows.order_by().values_list(label).annotate(count=Count("pk")):
        family.add_metric([value], count)
    return family


def _queue(name: str, text: str, rows: QuerySet[Any], column: str) -> Iterator[GaugeMetricFamily]:
    found = rows.aggregate(count=Count("pk"), oldest=Min(column))
    yield _single(name, text, found["count"])
    yield _single(f"{name}_oldest_seconds", f"{text}: age of the oldest", _age(found["oldest"]))


def _single(name: str, text: str, value: int) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def _age(moment: datetime | None) -> int:
    return int((clock.now() - moment).total_seconds()) if moment else 0
