"""The console's own doors: logging in, searching, and what edits by hand leave behind."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from igny8_core.auth.models import Plan, User
from igny8_core.events import deliveries
from igny8_core.events.models import Delivery, Event
from tests import make

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
NO_PAGES = [f"/admin/search/?s=a&page={number}" for number in ("x", "0", "-1", "9" * 20, "9" * 5000)]


@pytest.fixture
def throttled(settings: Any, throttling: None) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "login": ["3/15minutes"]}


def test_login_is_refused_after_too_many_tries_even_with_the_right_password(throttled: None, olga: User) -> None:
    client = Client()
    for _ in range(3):
        assert b"Please enter the correct" in client.post(LOGIN, {"username": olga.email, "password": "x"}).content

    answer = client.post(LOGIN, {"username": olga.email, "password": make.PASSWORD})

    assert b"Too many attempts to log in. Try again in" in answer.content
    assert "_auth_user_id" not in client.session


def test_a_login_leads_to_the_dashboard(olga: User) -> None:
    answer = Client().post(LOGIN, {"username": olga.email, "password": make.PASSWORD})

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_tries_at_the_api_count_for_the_console_too(throttled: None, olga: User) -> None:
    client = Client()
    for _ in range(3):
        body = {"email": olga.email, "password": "wrong password"}
        client.post("/api/v1/auth/login/", body, content_type="application/json")

    assert b"Too many attempts" in client.post(LOGIN, {"username": olga.email, "password": make.PASSWORD}).content


def test_an_edit_by_hand_leaves_an_event_with_its_operator(olga: User, defaults: None) -> None:
    client = Client()
    client.force_login(olga)
    plan = Plan.objects.get(slug="growth")
    page = client.get(f"/admin/igny8_auth/plan/{plan.pk}/change/")
    form = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}

    client.post(
        f"/admin/igny8_auth/plan/{plan.pk}/change/", {**form, "features": "[]", "max_sites": 4, "is_public": "on"}
    )

    plan.refresh_from_db()
    assert plan.max_sites == 4
    event = Event.objects.get(type="plan.updated")
    assert (event.actor, event.object_id) == (olga, str(plan.pk))
    assert event.data == {"name": str(plan), "changed": {"features": [], "max_sites": 4}}


def test_a_deletion_by_hand_leaves_an_event(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    industry = make.industry(slug="mining", name="Mining")

    client.post(f"/admin/igny8_auth/industry/{industry.pk}/delete/", {"post": "yes"})

    assert Event.objects.get(type="industry.deleted").data["name"] == "Mining"


def test_a_delivery_that_was_given_up_can_be_tried_again_and_others_are_refused(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    make.submitted_payment()
    dead, waiting = Delivery.objects.order_by("pk")[:2]
    Delivery.objects.filter(pk=dead.pk).update(status="dead", next_attempt_at=None, attempts=8)

    answer = client.post(
        "/admin/events/delivery/", {"action": "retry", "_selected_action": [dead.pk, waiting.pk]}, follow=True
    )

    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("waiting", 0)
    assert dead.next_attempt_at is not None
    said = [str(message) for message in answer.context["messages"]]
    assert said[0].startswith(f"Delivery {waiting.pk}: The delivery is waiting and cannot become waiting")
    assert said[1].startswith("Deliveries put back into the queue: 1.")


def test_a_delivery_that_nobody_needs_is_dropped_with_a_reason_that_is_kept(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    make.submitted_payment()
    dead, waiting = Delivery.objects.order_by("pk")[:2]
    Delivery.objects.filter(pk=dead.pk).update(status="dead", next_attempt_at=None, attempts=8)
    page = f"/admin/events/delivery/{dead.pk}/change/"
    dialog = {"_form_submitted": "True"}

    assert f"/admin/events/delivery/{dead.pk}/drop/" in client.get(page).content.decode()
    client.post(f"/admin/events/delivery/{dead.pk}/drop/", {**dialog, "reason": "  "})
    dead.refresh_from_db()
    assert dead.status == "dead"
    for delivery in (dead, waiting):
        client.post(f"/admin/events/delivery/{delivery.pk}/drop/", {**dialog, "reason": "Told by telephone"})

    dead.refresh_from_db()
    waiting.refresh_from_db()
    assert (dead.status, dead.drop_reason, waiting.status) == ("dropped", "Told by telephone", "waiting")
    event = Event.objects.get(type="delivery.dropped")
    assert (event.actor, event.object_id, event.data["reason"]) == (olga, str(dead.pk), "Told by telephone")
    assert "Told by telephone" in client.get(page).content.decode()
    assert f"/admin/events/delivery/{dead.pk}/drop/" not in client.get(page).content.decode()
    # It is dropped for good.
    client.post(f"/admin/events/delivery/{dead.pk}/retry_this/", dialog)
    dead.refresh_from_db()
    assert dead.status == "dropped"


def test_several_deliveries_are_dropped_with_one_reason_and_what_changed_meanwhile_is_said(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    for _ in range(2):
        make.submitted_payment()
    first, second, retried, waiting = Delivery.objects.order_by("pk")[:4]
    given_up = Delivery.objects.filter(pk__in=[first.pk, second.pk, retried.pk])
    given_up.update(status="dead", next_attempt_at=None, attempts=8, last_error="No route")
    selected = [first.pk, second.pk, retried.pk, waiting.pk]

    asked = client.post("/admin/events/delivery/?mails=yes", {"action": "drop_selected", "_selected_action": selected})
    deliveries.retry(Delivery.objects.get(pk=retried.pk))
    sent = {"deliveries": asked.context["selected"], "filters": asked.context["filters"]}
    empty = client.post("/admin/events/delivery/drop/", {**sent, "reason": " "})
    unread = client.post("/admin/events/delivery/drop/", {**sent, "deliveries": "1,x", "reason": "Told"})
    answer = client.post("/admin/events/delivery/drop/", {**sent, "reason": "Told by telephone"}, follow=True)

    assert (asked.context["count"], asked.context["rows"][0]) == (3, waiting)
    assert "No route" in asked.content.decode()
    assert "Write down why nobody needs it any more" in empty.content.decode()
    assert (empty.status_code, unread.status_code) == (400, 400)
    assert "Select them again." in unread.content.decode()
    assert answer.redirect_chain == [("/admin/events/delivery/?mails=yes", 303)]
    said = [str(message) for message in answer.context["messages"]]
    assert said[0] == "Deliveries dropped: 2."
    assert [text.partition(" and cannot")[0] for text in said[1:]] == [
        f"Delivery {row.pk}: The delivery is waiting" for row in (retried, waiting)
    ]
    kept = Delivery.objects.filter(status="dropped").order_by("pk").values_list("pk", "drop_reason")
    assert [*kept] == [(first.pk, "Told by telephone"), (second.pk, "Told by telephone")]
    events = Event.objects.filter(type="delivery.dropped").order_by("pk")
    assert [(event.object_id, event.actor) for event in events] == [(str(first.pk), olga), (str(second.pk), olga)]


def test_a_delivery_that_was_given_up_is_retried_on_its_page(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    make.submitted_payment()
    dead = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=dead.pk).update(status="dead", next_attempt_at=None, attempts=8)

    client.post(f"/admin/events/delivery/{dead.pk}/retry_this/", {"_form_submitted": "True"})

    dead.refresh_from_db()
    assert (dead.status, dead.attempts) == ("waiting", 0)


def test_events_and_what_they_are_about_lead_to_each_other(olga: User) -> None:
    client = Client()
    client.force_login(olga)
    payment = make.submitted_payment()
    event = Event.objects.get(type="payment.submitted", object_id=str(payment.pk))
    of_event, of_payment = f"/admin/events/event/{event.pk}/change/", f"/admin/billing/payment/{payment.pk}/"

    shown = client.get(of_event).content.decode()
    assert f'href="{of_payment}change/"' in shown
    assert f'href="{of_payment}history/"' in shown
    assert f'href="{of_event}"' in client.get(f"{of_payment}history/").content.decode()
    # Whoever may not open events reads the history without links to them.
    viewer = make.user(email="vera@example.com", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_payment"))
    client.force_login(viewer)
    assert f'href="{of_event}"' not in client.get(f"{of_payment}history/").content.decode()


def test_an_operator_who_may_only_look_cannot_retry_or_drop_deliveries(db: None) -> None:
    viewer = make.user(email="vera@example.com", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client = Client()
    client.force_login(viewer)
    make.submitted_payment()
    dead = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=dead.pk).update(status="dead", next_attempt_at=None)

    answer = client.post("/admin/events/delivery/", {"action": "retry", "_selected_action": [dead.pk]})
    dropped = client.post("/admin/events/delivery/drop/", {"deliveries": dead.pk, "reason": "Told"})

    dead.refresh_from_db()
    assert (answer.status_code, dropped.status_code, dead.status) == (403, 403, "dead")


@pytest.mark.parametrize("address", ["/admin/billing/payment/?q=%00", "/admin/?%00=1", *NO_PAGES])
def test_an_address_that_cannot_be_read_is_refused_with_a_sentence(address: str, olga: User) -> None:
    client = Client()
    client.force_login(olga)

    answer = client.get(address)

    assert answer.status_code == 400
    assert answer["Content-Type"] == "text/plain"
