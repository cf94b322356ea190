"""Whoever has a login is told when somebody changed it, so that a thief does not stay unnoticed (AUT-23)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from igny8_core.auth.models import User
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.auth.services.one_time_codes import require_code
from igny8_core.auth.services.second_factor import reset_second_factor
from igny8_core.auth.services.sessions import open_session
from igny8_core.auth.services.users import update_profile
from igny8_core.common import clock
from igny8_core.events.deliveries import deliver_due
from igny8_core.events.models import Event
from tests import make
from tests.auth.devices import give_second_factor

NEW = "a lonely engine hums"
pytestmark = pytest.mark.django_db


def delivered() -> list[EmailMultiAlternatives]:
    """What the worker sends of the events so far."""
    mail.outbox.clear()
    deliver_due()
    return [sent for sent in mail.outbox if isinstance(sent, EmailMultiAlternatives)]


def said_in(sent: EmailMultiAlternatives) -> tuple[str, str]:
    return " ".join(str(sent.body).split()), " ".join(str(sent.alternatives[0][0]).split())


def post(path: str, person: User | None = None, browser: str = "", **body: Any) -> int:
    client = APIClient(HTTP_USER_AGENT=browser)
    if person:
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(person).access}")
    return int(client.post(f"/api/v1/auth/{path}/", body, format="json").status_code)


def console(operator: User) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def changes(alice: User) -> None:
    assert post("password/change", alice, current_password=make.PASSWORD, new_password=NEW) == 200


def resets(alice: User) -> None:
    token = link_token(alice, Purpose.RESET, clock.now())
    assert post("password/reset/confirm", token=token, new_password=NEW) == 200


def gets_a_second_factor(alice: User) -> None:
    give_second_factor(alice)


def loses_the_second_factor(alice: User) -> None:
    give_second_factor(alice)
    delivered()
    reset_second_factor(alice, make.operator())


def uses_a_recovery_code(alice: User) -> None:
    code = give_second_factor(alice).recovery_codes[0]
    delivered()
    require_code(alice, code)


def edit(person: User, **values: Any) -> None:
    shown = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name, "is_active": "on"}
    form = {**shown, "role": person.role, **values}
    address = reverse("admin:igny8_auth_user_change", args=[person.pk])
    answer = console(make.operator()).post(address, {name: value for name, value in form.items() if value is not None})
    assert answer.status_code == 302


def is_renamed(alice: User) -> None:
    edit(alice, first_name="Alicia")


def is_robbed(alice: User) -> None:
    first = open_session(alice)
    assert post("refresh", refresh=first.refresh) == 200
    assert post("refresh", browser="a thief's", refresh=first.refresh) == 401


HAPPENS = [
    (changes, "Your password was changed"),
    (resets, "Your password was changed"),
    (gets_a_second_factor, "Second factor switched on"),
    (loses_the_second_factor, "Your second factor was taken away"),
    (uses_a_recovery_code, "A recovery code was used"),
    (is_renamed, "Your login was changed by an operator"),
    (is_robbed, "One of your logins was ended"),
]


@pytest.mark.parametrize(("happens", "title"), HAPPENS)
def test_the_person_is_told_what_happened_when_and_what_to_do(
    alice: User, settings: Any, happens: Callable[[User], None], title: str
) -> None:
    delivered()
    happens(alice)
    moment = Event.objects.filter(object_id=str(alice.pk)).latest("pk").created_at

    [sent] = delivered()

    assert sent.to == [alice.email]
    assert sent.subject == f"{title} ({settings.COMPANY_NAME})"
    text, page = said_in(sent)
    for part in (text, page):
        assert f"{moment:%H:%M} UTC" in part
        assert "If this was not you" in part
        assert f"{settings.BASE_URL}/forgotten-password" in part
        assert settings.SUPPORT_EMAIL in part
        assert NEW not in part


def test_the_address_before_is_told_when_an_operator_replaces_it(alice: User) -> None:
    delivered()
    before = alice.email

    edit(alice, email="thief@example.com")

    [sent] = delivered()
    assert sent.to == [before]
    text, page = said_in(sent)
    assert "Another e-mail address was set" in text
    assert "thief@example.com" not in text + page
    alice.refresh_from_db()
    assert (alice.email, alice.email_before, alice.email_verified_at) == ("thief@example.com", before, None)
    assert before not in str(list(Event.objects.values_list("data", flat=True)))


def test_an_operator_who_is_closed_out_is_told(alice: User) -> None:
    operator = make.operator(email="olga@example.com")
    delivered()

    edit(operator, is_active=None)

    [sent] = delivered()
    assert sent.to == ["olga@example.com"]
    assert "It was closed or opened again." in said_in(sent)[0]


def test_an_operator_who_changes_their_own_password_in_the_console_is_told() -> None:
    operator = make.operator(email="olga@example.com")
    form = {"old_password": make.PASSWORD, "new_password1": NEW, "new_password2": NEW}
    client = console(operator)

    assert client.post("/admin/password_change/", {**form, "old_password": "wrong"}).status_code == 200
    assert delivered() == []
    assert client.post("/admin/password_change/", form).status_code == 302

    [sent] = delivered()
    assert (sent.to, sent.subject.startswith("Your password was changed")) == (["olga@example.com"], True)


def test_a_form_that_was_saved_as_it_was_says_nothing(alice: User) -> None:
    delivered()

    edit(alice)

    assert Event.objects.filter(type="user.updated", object_id=str(alice.pk)).exists()
    assert delivered() == []


def test_who_changes_their_own_name_gets_no_mail(alice: User) -> None:
    delivered()
    update_profile(alice, first_name="Alicia")

    assert delivered() == []


def test_who_is_erased_is_not_told(alice: User) -> None:
    delivered()
    changes(alice)
    User.objects.filter(pk=alice.pk).update(email="deleted-1@deleted.invalid")

    assert delivered() == []
