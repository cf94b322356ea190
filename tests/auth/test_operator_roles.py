"""The roles of a new installation are made once; what operators change of them is not undone."""

from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from igny8_core.auth.operator_roles import ROLES, permissions_of
from igny8_core.business.billing.models import MadeDefault


def seed() -> None:
    call_command("seed_defaults", verbosity=0)


def permissions(name: str) -> set[str]:
    rows = Group.objects.get(name=name).permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_each_role_has_its_permissions(defaults: None) -> None:
    assert {role.name: permissions(role.name) for role in ROLES} == {role.name: permissions_of(role) for role in ROLES}
    assert not any(
        name.partition(".")[2].startswith(("add_", "change_", "delete_")) for name in permissions("Read only")
    )


def test_what_operators_change_is_not_undone(defaults: None) -> None:
    support = Group.objects.get(name="Support")
    support.permissions.remove(Permission.objects.get(codename="suspend_account"))
    Group.objects.get(name="Payments").delete()

    seed()

    assert "igny8_auth.suspend_account" not in permissions("Support")
    assert not Group.objects.filter(name="Payments").exists()


def test_what_a_newer_release_adds_is_given_once(defaults: None) -> None:
    MadeDefault.objects.filter(kind="auth.permission", key="Finance: billing.refund_payment").delete()
    refund = Permission.objects.get(codename="refund_payment")
    Group.objects.get(name="Finance").permissions.remove(refund)

    seed()

    assert "billing.refund_payment" in permissions("Finance")


def test_a_group_of_the_operators_own_gets_nothing(db: None) -> None:
    Group.objects.create(name="Support")

    seed()
    seed()

    assert permissions("Support") == set()
