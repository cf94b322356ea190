"""Operators look at messages of gateways in the console, and have them processed again."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import User
from igny8_core.business.billing.models import WebhookEvent
from igny8_core.business.billing.services.payment_service import PaymentService
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with
from tests.rows import now

pytestmark = pytest.mark.django_db


def message(**fields: Any) -> WebhookEvent:
    values = {
        "provider": "stripe",
        "event_id": f"evt_{WebhookEvent.objects.count()}",
        "type": "payment_intent.succeeded",
        "body": '{"id": "evt_1", "data": {"object": {"id": "pi_1"}}, "note": "<b>ü</b>"}',
        "state": "dead",
        "attempts": 9,
        "last_error": "payment_not_found: Payment not found",
        **fields,
    }
    return WebhookEvent.objects.create(**values)


def page(event: WebhookEvent, name: str = "change") -> str:
    return reverse(f"admin:billing_webhookevent_{name}", args=[event.pk])


def lines(response: Any) -> list[str]:
    return [told.message for told in response.context["messages"]]


def test_a_message_is_shown_one_key_a_line_with_what_became_of_it(console: Client) -> None:
    html = console.get(page(message())).content.decode()

    assert "  &quot;id&quot;: &quot;evt_1&quot;,\n" in html
    assert "&lt;b&gt;ü&lt;/b&gt;" in html
    assert "payment_not_found: Payment not found" in html
    assert "Given up" in html


@pytest.mark.parametrize("body", ["no <json>", "[" * 100_000])
def test_what_is_no_json_is_shown_as_it_came(console: Client, body: str) -> None:
    response = console.get(page(message(body=body)))

    assert response.status_code == 200
    assert body[:4] in response.content.decode().replace("&lt;", "<")


def test_messages_are_found_by_what_became_of_them(console: Client) -> None:
    message(type="charge.refunded")
    message(type="customer.created", state="ignored")

    html = console.get(reverse("admin:billing_webhookevent_changelist"), {"state__exact": "ignored"}).content.decode()

    assert "customer.created" in html
    assert "Nothing to do" in html
    assert "charge.refunded" not in html


def test_a_message_is_put_back_in_the_queue_by_its_button(console: Client, olga: User) -> None:
    event = message()

    response = console.post(page(event, "process_again"), {"_form_submitted": "True"}, follow=True)

    assert lines(response) == ["Messages put back into the queue: 1. They are processed within seconds."]
    assert (now(event).state, now(event).attempts) == ("waiting", 0)
    assert now(event).next_attempt_at is not None
    replayed = Event.objects.get(type="webhook.replayed")
    assert (replayed.actor, replayed.object_id, replayed.data["event_id"]) == (olga, str(event.pk), event.event_id)


def test_many_messages_are_put_back_together(console: Client) -> None:
    chosen = [message(), message(state="processed", processed_at=timezone.now()), message(state="ignored")]
    left = message()

    response = console.post(
        reverse("admin:billing_webhookevent_changelist"),
        {"action": "process_selected", "_selected_action": [event.pk for event in chosen]},
        follow=True,
    )

    assert lines(response) == ["Messages put back into the queue: 3. They are processed within seconds."]
    assert [now(event).state for event in [*chosen, left]] == ["waiting"] * 3 + ["dead"]


def test_looking_at_a_message_changes_nothing(console: Client) -> None:
    event = message()

    console.get(page(event, "process_again"))

    assert now(event).state == "dead"


def test_who_may_only_look_cannot_have_messages_processed(client: Client) -> None:
    event = message()
    client.force_login(operator_with("billing.view_webhookevent"))

    button = client.post(page(event, "process_again"), {"_form_submitted": "True"})
    action = client.post(
        reverse("admin:billing_webhookevent_changelist"), {"action": "process_selected", "_selected_action": event.pk}
    )

    assert client.get(page(event)).status_code == 200
    assert (button.status_code, action.status_code) == (403, 403)
    assert now(event).state == "dead"


def to_review() -> WebhookEvent:
    reason = "Stripe bills sub_1 (Pro), and the account has subscription 1 here (Growth, pending payment)."
    return message(type="invoice.paid", state="needs_review", attempts=1, last_error=reason)


def test_a_message_that_fits_nothing_is_on_the_first_page(console: Client) -> None:
    address = f"{reverse('admin:billing_webhookevent_changelist')}?state__exact=needs_review"
    assert address not in console.get(reverse("admin:index")).content.decode()
    event = to_review()

    assert address in console.get(reverse("admin:index")).content.decode()
    html = console.get(page(event)).content.decode()
    assert "Stripe bills sub_1 (Pro)" in html
    assert page(event, "set_aside") in html


def test_a_message_is_set_aside_with_a_reason(console: Client, olga: User) -> None:
    event = to_review()

    console.post(page(event, "set_aside"), {"_form_submitted": "True", "reason": ""})
    assert now(event).state == "needs_review"
    response = console.post(page(event, "set_aside"), {"_form_submitted": "True", "reason": "Refunded"}, follow=True)

    assert lines(response) == ["The message was set aside."]
    assert now(event).state == "ignored"
    told = Event.objects.get(type="webhook.set_aside")
    assert (told.actor, told.data["reason"]) == (olga, "Refunded")
    assert page(event, "set_aside") not in console.get(page(event)).content.decode()


def test_what_an_invoice_was_paid_with_is_on_its_page(console: Client, olga: User) -> None:
    payment = PaymentService.approve_manual_payment(make.submitted_payment(), olga).payment

    html = console.get(reverse("admin:billing_invoice_change", args=[payment.invoice_id])).content.decode()

    assert f">Payment {payment.pk}</a>, 89.00 USD, {payment.processed_at:%Y-%m-%d}" in html
