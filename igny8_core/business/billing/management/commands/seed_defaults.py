from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.base import BaseCommand
from django.db import models, transaction
from django.db.models import Value
from django.db.models.functions import Concat

from igny8_core.auth.models import Industry, Plan
from igny8_core.auth.operator_roles import ROLES, OperatorRole, permissions_of
from igny8_core.business.billing import default_data
from igny8_core.business.billing.models import CreditCostConfig, CreditPackage, MadeDefault, PaymentMethodConfig

DEFAULTS: list[tuple[type[models.Model], tuple[str, ...], default_data.Rows]] = [
    (Plan, ("slug",), default_data.PLANS),
    (Industry, ("slug",), default_data.INDUSTRIES),
    (CreditPackage, ("slug",), default_data.CREDIT_PACKAGES),
    (CreditCostConfig, ("operation_type",), default_data.CREDIT_COSTS),
    (PaymentMethodConfig, ("country_code", "payment_method"), default_data.PAYMENT_METHODS),
]


class Command(BaseCommand):
    help = (
        "Create the default plans, industries, credit packages, credit costs and payment methods, and the roles of "
        "operators, each once. What operators have changed, renamed or deleted since then stays that way: a permission "
        "that was taken from a role is not given again. Running it again is harmless."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for model, key, rows in DEFAULTS:
            created = sum(_make_once(model, key, row) for row in rows)
            if options["verbosity"]:
                name = model._meta.verbose_name_plural
                self.stdout.write(f"{name}: {created} created, {len(rows) - created} made before")
        for role in ROLES:
            given = _make_role(role)
            if options["verbosity"] and given:
                self.stdout.write(f"role {role.name}: {given} permissions given")


@transaction.atomic
def _make_once(model: type[models.Model], key: tuple[str, ...], row: dict[str, Any]) -> bool:
    """Create a row, unless it was created before or somebody else created one with the same name."""
    identity = {name: row[name] for name in key}
    if not _is_first(model._meta.label_lower, " ".join(identity.values())):
        return False
    rest = {name: value for name, value in row.items() if name not in key}
    _, created = model._default_manager.get_or_create(**identity, defaults=rest)
    return created


@transaction.atomic
def _make_role(role: OperatorRole) -> int:
    """Make a role's group once, and give it each of its permissions once. Returns how many were given.

    A later release can add permissions to a role. A group of this name that was there before is the operators' own, and
    gets nothing.
    """
    if _is_first("auth.group", role.name):
        _, is_ours = Group.objects.get_or_create(name=role.name)
        if not is_ours:
            _is_first("auth.group of theirs", role.name)
    group = Group.objects.filter(name=role.name).first()
    if group is None or MadeDefault.objects.filter(kind="auth.group of theirs", key=role.name).exists():
        return 0
    begins = f"{role.name}: "
    notes = MadeDefault.objects.filter(kind="auth.permission", key__startswith=begins).values_list("key", flat=True)
    new = permissions_of(role) - {key.removeprefix(begins) for key in notes}
    MadeDefault.objects.bulk_create([MadeDefault(kind="auth.permission", key=f"{begins}{name}") for name in new])
    named = Permission.objects.annotate(name_of=Concat("content_type__app_label", Value("."), "codename"))
    group.permissions.add(*named.filter(name_of__in=new))
    return len(new)


def _is_first(kind: str, key: str) -> bool:
    """Note that something was made; False if that had been noted before."""
    return MadeDefault.objects.get_or_create(kind=kind, key=key)[1]
