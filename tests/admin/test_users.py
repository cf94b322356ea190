"""People and their logins in the console (AUT-31)."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from igny8_core.auth.models import Account, Role, User
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.invariants import broken_invariants
from igny8_core.events.models import Event
from tests import make
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

STRONG = "correct horse battery staple"


def change(browser: Client, user: User, **values: object) -> tuple[int, str]:
    """Save the user's form with these values, the others as they are; returns status and page."""
    ticked = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    form = {
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role,
        **ticked,
    }
    form = {name: value for name, value in {**form, **values}.items() if value is not None}
    response = browser.post(reverse("admin:igny8_auth_user_change", args=[user.pk]), form)
    return response.status_code, response.content.decode()


def state(user: User) -> tuple[object, ...]:
    return User.objects.values_list("email", "role", "is_active", "account_id", "is_staff", "is_superuser").get(
        pk=user.pk
    )


def test_a_new_operator_chooses_the_password_with_a_mailed_link(console: Client, account_a: Account) -> None:
    form = {"email": "New.Person@Example.com", "first_name": "Nia", "last_name": "New"}
    tricks = {"account": account_a.pk, "role": Role.OWNER, "password1": STRONG, "password2": STRONG, "is_staff": "on"}

    response = console.post(reverse("admin:igny8_auth_user_add"), {**form, **tricks})

    assert response.status_code == 302, response.context["adminform"].form.errors
    person = User.objects.get(email="new.person@example.com")
    assert not person.check_password(STRONG)
    assert person.has_usable_password()
    assert (person.account, person.role, person.is_staff, person.first_name) == (None, "", False, "Nia")
    Event.objects.get(type="user.password_reset_requested", object_id=str(person.pk))


@pytest.mark.parametrize(
    ("values", "field"), [({"email": "ALICE@example.com"}, "__all__"), ({"email": "no address"}, "email")]
)
def test_bad_new_user_is_not_made(console: Client, alice: User, values: dict[str, str], field: str) -> None:
    before = User.objects.count()

    response = console.post(reverse("admin:igny8_auth_user_add"), {"email": "new@example.com", **values})

    assert response.status_code == 200
    assert field in response.context["adminform"].form.errors
    assert User.objects.count() == before


@pytest.mark.parametrize("who", ["superuser", "helper"])
@pytest.mark.parametrize("target", ["customer", "removed member", "own"])
def test_no_operator_gets_into_an_account_or_sets_a_customer_s_password(
    client: Client, bob: User, account_a: Account, who: str, target: str
) -> None:
    powers = ("igny8_auth.view_user", "igny8_auth.add_user", "igny8_auth.change_user")
    operator = make.operator() if who == "superuser" else operator_with(*powers)
    client.force_login(operator)
    person = {"customer": bob, "removed member": make.user(), "own": operator}[target]
    before = state(person), person.password

    change(client, person, account=account_a.pk, role=Role.OWNER, password=STRONG)
    if target != "own":
        password = {"usable_password": "true", "password1": STRONG, "password2": STRONG}
        client.post(reverse("admin:auth_user_password_change", args=[person.pk]), password)

    person.refresh_from_db()
    assert (person.account_id, person.password) == (before[0][3], before[1])


def test_an_operator_of_a_team_gives_nobody_of_it_a_role(client: Client, bob: User, account_a: Account) -> None:
    client.force_login(make.operator(account=account_a, role=Role.VIEWER))

    change(client, bob, role=Role.OWNER)

    bob.refresh_from_db()
    assert bob.role == Role.VIEWER


def test_a_customer_s_new_password_comes_by_a_mailed_link(console: Client, bob: User) -> None:
    refused = console.get(reverse("admin:auth_user_password_change", args=[bob.pk]), follow=True)
    mailed = console.post(
        reverse("admin:igny8_auth_user_mail_link", args=[bob.pk]), {"_form_submitted": "True"}, follow=True
    )

    assert "Customers choose their passwords themselves" in refused.content.decode()
    assert "A link is on its way to bob@example.com" in mailed.content.decode()
    Event.objects.get(type="user.password_reset_requested", object_id=str(bob.pk))


def test_a_superuser_sets_another_operator_s_password(console: Client) -> None:
    other = make.operator()

    response = console.post(
        reverse("admin:auth_user_password_change", args=[other.pk]),
        {"usable_password": "true", "password1": STRONG, "password2": STRONG},
    )

    assert response.status_code == 302
    other.refresh_from_db()
    assert other.check_password(STRONG)


def test_user_page_does_not_show_the_password_hash(console: Client, bob: User) -> None:
    page = console.get(reverse("admin:igny8_auth_user_change", args=[bob.pk])).content.decode()

    assert bob.password not in page


def test_member_can_be_renamed_deactivated_and_given_another_role(console: Client, bob: User) -> None:
    status, _ = change(console, bob, first_name="Robert", role=Role.ADMIN, is_active=None)

    bob.refresh_from_db()
    assert status == 302
    assert (bob.first_name, bob.role, bob.is_active) == ("Robert", Role.ADMIN, False)


@pytest.mark.parametrize("values", [{"is_active": None}, {"role": Role.ADMIN}, {"role": "viewer", "is_active": None}])
def test_last_active_owner_stays_owner(console: Client, alice: User, values: dict[str, str | None]) -> None:
    make.user(account=alice.account, role=Role.OWNER, is_active=False)
    before = state(alice)

    status, page = change(console, alice, **values)

    assert status == 200
    assert "is the last active owner of" in page
    assert state(alice) == before


@pytest.mark.parametrize("values", [{"is_active": None}, {"role": Role.ADMIN}])
def test_one_of_two_owners_may_step_down(console: Client, alice: User, values: dict[str, str | None]) -> None:
    make.user(account=alice.account, role=Role.OWNER)
    before = state(alice)

    status, _ = change(console, alice, **values)

    assert status == 302
    assert state(alice) != before


def test_nobody_is_moved_to_another_account(console: Client, alice: User, bob: User, charlie: User) -> None:
    before = state(alice), state(bob)

    change(console, alice, account=charlie.account_id)
    change(console, bob, account=charlie.account_id)

    assert (state(alice), state(bob)) == before


def test_member_keeps_a_role(console: Client, bob: User) -> None:
    before = state(bob)

    status, page = change(console, bob, role="")

    assert status == 200
    assert "Choose a role for a user with an account" in page
    assert state(bob) == before


def test_operator_without_account_gets_no_role(console: Client, olga: User) -> None:
    before = state(olga)

    status, _ = change(console, olga, role=Role.OWNER)

    assert status == 200
    assert state(olga) == before


def test_operator_who_may_change_users_gives_nobody_powers(client: Client, bob: User) -> None:
    helper = operator_with("igny8_auth.view_user", "igny8_auth.change_user")
    client.force_login(helper)
    before = state(bob)

    status, _ = change(client, bob, is_staff="on", is_superuser="on", groups=[Group.objects.create(name="All").pk])

    assert status == 302
    assert state(bob) == before
    assert not bob.groups.exists()


@pytest.mark.parametrize("name", ["igny8_auth_user_change", "auth_user_password_change"])
def test_operator_who_may_change_users_does_not_change_operators(client: Client, olga: User, name: str) -> None:
    helper = operator_with("igny8_auth.view_user", "igny8_auth.change_user")
    client.force_login(helper)
    before = User.objects.filter(pk=olga.pk).values().get()

    for operator in (olga, helper):
        response = client.post(
            reverse(f"admin:{name}", args=[operator.pk]),
            {"email": "thief@example.com", "password1": STRONG, "password2": STRONG, "usable_password": "true"},
        )
        assert response.status_code == 403

    assert User.objects.filter(pk=olga.pk).values().get() == before


def test_only_superusers_change_groups(client: Client) -> None:
    group = Group.objects.create(name="Support")
    client.force_login(operator_with("auth.view_group", "auth.change_group", "auth.add_group", "auth.delete_group"))

    answers = [
        client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "X"}).status_code,
        client.post(reverse("admin:auth_group_add"), {"name": "X"}).status_code,
        client.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}).status_code,
    ]

    assert answers == [403, 403, 403]
    assert list(Group.objects.values_list("name", flat=True)) == ["Support"]


@pytest.mark.parametrize("person", ["alice", "bob"])
def test_customers_do_not_get_in(client: Client, alice: User, bob: User, person: str) -> None:
    client.force_login({"alice": alice, "bob": bob}[person])

    response = client.get(reverse("admin:igny8_auth_user_changelist"))

    assert response.status_code == 302
    assert response.headers["Location"].startswith(reverse("admin:login"))


def test_operator_logs_in_with_the_address_in_any_case(client: Client, olga: User) -> None:
    response = client.post(reverse("admin:login"), {"username": "Olga@Example.com", "password": make.PASSWORD})

    assert response.status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


# --- What hangs on a membership -----------------------------------------------------------------------------------


@pytest.mark.parametrize("values", [{"is_active": None}, {"role": Role.ADMIN}])
def test_when_the_account_s_owner_steps_down_another_owner_is_named(
    console: Client, alice: User, account_a: Account, values: dict[str, str | None]
) -> None:
    other = make.user(account=account_a, role=Role.OWNER)

    change(console, alice, **values)

    account_a.refresh_from_db()
    assert account_a.owner == other
    assert broken_invariants() == []


def test_who_is_made_an_admin_gets_every_site(console: Client, bob: User, account_a: Account) -> None:
    site = make.site(account_a)

    change(console, bob, role=Role.ADMIN)

    assert [access.site for access in bob.site_access.all()] == [site]


def test_a_new_address_is_not_verified(console: Client, bob: User) -> None:
    bob.email_verified_at = timezone.now()
    bob.save()

    change(console, bob, first_name="Robert")
    bob.refresh_from_db()
    assert bob.email_verified_at
    change(console, bob, email="robert@example.com")

    bob.refresh_from_db()
    assert (bob.email, bob.email_verified_at) == ("robert@example.com", None)


def test_nobody_brings_back_a_deleted_account_or_its_people(console: Client, alice: User, account_a: Account) -> None:
    delete_account(account_a, alice, make.PASSWORD)
    alice.refresh_from_db()
    before = state(alice), Account.objects.filter(pk=account_a.pk).values().get()

    status, _ = change(console, alice, is_active="on", email="alice@example.com")
    account = reverse("admin:igny8_auth_account_change", args=[account_a.pk])
    codes = [status, console.post(account, {"name": "Back"}).status_code]
    password = {"usable_password": "true", "password1": STRONG, "password2": STRONG}
    codes.append(console.post(reverse("admin:auth_user_password_change", args=[alice.pk]), password).status_code)

    assert codes == [403, 403, 403]
    assert (state(alice), Account.objects.filter(pk=account_a.pk).values().get()) == before
    assert "deleted by its owner" in console.get(account).content.decode().lower()
