"""Owners that step down, invitations that are accepted and links that are used at the same moment (ROL-06, ROL-12)."""

from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest

from igny8_core.auth.errors import (
    InvitationGone,
    InvitationNotOpen,
    LastOwner,
    LimitReached,
    OwnerProtected,
)
from igny8_core.auth.models import Account, Role, SiteUserAccess, TeamInvitation, User
from igny8_core.auth.selectors import active_owners_of, members_of
from igny8_core.auth.services import invitations as invitation_module
from igny8_core.auth.services import memberships
from igny8_core.auth.services.invitations import NewPerson, accept_invitation, cancel_invitation, invitation_token
from igny8_core.auth.services.memberships import (
    change_role,
    follow_edit,
    remove_member,
    require_owner_stays,
    transfer_ownership,
)
from igny8_core.business.account_deletion import service as account_deletion
from igny8_core.business.account_deletion.service import delete_account
from igny8_core.business.billing.errors import InvoiceNotPayable
from igny8_core.business.billing.models import Invoice
from igny8_core.events.models import Event
from tests import make
from tests.concurrency.interleave import before_commit, run_before
from tests.concurrency.race import all_at_once, kinds
from tests.concurrency.sql_trace import ACCOUNT_LOCK, first_write, sent_by
from tests.concurrency.unlocked import without_row_locks

THREADS = 32
PERSON = NewPerson(make.PASSWORD, "Greta", "Guest")


def two_owners() -> tuple[Account, User, User]:
    owner = make.owner()
    assert owner.account
    return owner.account, owner, make.user(account=owner.account, role=Role.OWNER)


def leave(user: User) -> object:
    assert user.account
    return remove_member(user.account, user.pk, user)


def demote(member: User, by: User) -> object:
    assert member.account
    return change_role(member.account, member.pk, Role.ADMIN, by)


def invite(owner: User, email: str = "greta@example.com") -> TeamInvitation:
    assert owner.account
    return invitation_module.invite(owner.account, owner, email=email, role=Role.EDITOR, site_ids=[])


def join(invitation: TeamInvitation) -> User:
    return accept_invitation(invitation_token(invitation), None, PERSON)


def allow(account: Account, users: int) -> None:
    Account.objects.filter(pk=account.pk).update(plan=make.plan(f"plan-{users}", max_users=users))


# --- Owners -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
def test_of_two_owners_who_leave_32_times_at_once_one_stays() -> None:
    account, anna, otto = two_owners()

    outcomes = all_at_once([lambda: leave(anna), lambda: leave(otto)] * (THREADS // 2))

    assert kinds(outcomes) == {"LastOwner": 16, "NoneType": 1, "TeamNotManaged": 15}
    [left] = active_owners_of(account)
    account.refresh_from_db()
    assert account.owner == left
    Event.objects.get(type="member.removed")


@pytest.mark.usefixtures("books_balance")
def test_of_two_owners_who_demote_each_other_32_times_at_once_one_stays() -> None:
    account, anna, otto = two_owners()

    outcomes = all_at_once([lambda: demote(anna, otto), lambda: demote(otto, anna)] * (THREADS // 2))

    assert kinds(outcomes) == {"OwnerProtected": 16, "User": 16}
    assert active_owners_of(account).count() == 1
    Event.objects.get(type="member.role_changed")


@pytest.mark.usefixtures("books_balance")
def test_an_owner_waits_for_the_one_who_is_stepping_down_and_stays() -> None:
    _, anna, otto = two_owners()

    with run_before(memberships, "_save_membership", lambda: leave(otto)) as rival:
        leave(anna)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), LastOwner)


@pytest.mark.usefixtures("books_balance")
def test_who_was_just_demoted_demotes_nobody() -> None:
    _, anna, otto = two_owners()

    with run_before(memberships, "_save_membership", lambda: demote(anna, otto)) as rival:
        demote(otto, anna)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), OwnerProtected)


@pytest.mark.usefixtures("books_balance")
def test_an_owner_waits_for_an_operator_who_is_deactivating_the_other() -> None:
    _, anna, otto = two_owners()

    def deactivate() -> None:
        require_owner_stays(anna, role=Role.OWNER, is_active=False)
        User.objects.filter(pk=anna.pk).update(is_active=False)
        follow_edit(User.objects.get(pk=anna.pk), otto)

    rival = before_commit(deactivate, lambda: leave(otto))

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), LastOwner)


@pytest.mark.django_db(transaction=True)
def test_canary_without_the_account_lock_no_owner_is_left() -> None:
    account, anna, otto = two_owners()

    with (
        without_row_locks(),
        run_before(memberships, "_save_membership", lambda: demote(anna, otto)) as rival,
    ):
        demote(otto, anna)

    assert not rival.had_to_wait
    assert isinstance(rival.outcome(), User)
    assert not active_owners_of(account).exists()


# --- Invitations --------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
def test_an_invitation_accepted_32_times_at_once_makes_one_member() -> None:
    owner = make.owner()
    invitation = invite(owner)

    outcomes = all_at_once([lambda: join(invitation)] * THREADS)

    assert kinds(outcomes)["User"] == 1
    assert set(kinds(outcomes)) <= {"User", "InvitationGone", "AlreadyMember"}
    assert members_of(invitation.account).count() == 2
    Event.objects.get(type="invitation.accepted")


@pytest.mark.usefixtures("books_balance")
def test_a_person_invited_by_two_accounts_joins_one() -> None:
    greta = make.user(email="greta@example.com")
    invitations = [invite(make.owner()) for _ in range(2)]
    tokens = [invitation_token(invitation) for invitation in invitations]

    outcomes = all_at_once([lambda t=token: accept_invitation(t, greta, None) for token in tokens] * 8)

    assert kinds(outcomes)["User"] == 1
    assert TeamInvitation.objects.filter(accepted_at__isnull=False).count() == 1


@pytest.mark.usefixtures("books_balance")
def test_an_invitation_is_accepted_or_withdrawn_and_never_both() -> None:
    owner = make.owner()
    invitation = invite(owner)
    assert owner.account

    def withdraw() -> object:
        return cancel_invitation(invitation.account, invitation.pk, owner)

    with run_before(invitation_module, "_use_up", withdraw) as rival:
        join(invitation)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), InvitationNotOpen)


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_account_lock_the_second_one_gets_in_between_and_the_row_count_decides() -> None:
    invitation = invite(make.owner())

    with (
        without_row_locks(),
        run_before(invitation_module, "_use_up", lambda: join(invitation)) as rival,
        pytest.raises(InvitationGone),
    ):
        join(invitation)

    assert not rival.had_to_wait
    assert isinstance(rival.outcome(), User)


@pytest.mark.django_db(transaction=True)
def test_canary_without_lock_and_row_count_what_was_withdrawn_lets_somebody_in() -> None:
    owner = make.owner()
    invitation = invite(owner)

    with (
        without_row_locks(),
        mock.patch.object(invitation_module, "_use_up", return_value=None),
        run_before(invitation_module, "_join", lambda: cancel_invitation(invitation.account, invitation.pk, owner)),
    ):
        join(invitation)

    assert members_of(invitation.account).count() == 2
    assert TeamInvitation.objects.get().status == "canceled"


# --- Seats --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
def test_of_32_who_accept_at_once_as_many_join_as_there_are_seats() -> None:
    owner = make.owner()
    assert owner.account
    allow(owner.account, THREADS + 1)
    invitations = [invite(owner, f"guest{number}@example.com") for number in range(THREADS)]
    allow(owner.account, 3)

    outcomes = all_at_once([lambda i=invitation: join(i) for invitation in invitations])

    assert kinds(outcomes) == {"LimitReached": THREADS - 2, "User": 2}
    assert members_of(owner.account).count() == 3


@pytest.mark.usefixtures("books_balance")
def test_of_32_who_are_invited_at_once_as_many_are_as_there_are_seats() -> None:
    owner = make.owner()
    assert owner.account
    allow(owner.account, 3)

    outcomes = all_at_once([lambda n=number: invite(owner, f"guest{n}@example.com") for number in range(THREADS)])

    assert kinds(outcomes) == {"LimitReached": THREADS - 2, "TeamInvitation": 2}


def one_seat_and_two_guests() -> tuple[Account, list[TeamInvitation]]:
    owner = make.owner()
    assert owner.account
    allow(owner.account, 3)
    guests = [invite(owner, f"guest{number}@example.com") for number in range(2)]
    allow(owner.account, 2)
    return owner.account, guests


@pytest.mark.usefixtures("books_balance")
def test_the_last_seat_waits_for_the_one_who_is_taking_it() -> None:
    account, (first, second) = one_seat_and_two_guests()

    with run_before(invitation_module, "_use_up", lambda: join(second)) as rival:
        join(first)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), LimitReached)
    assert members_of(account).count() == 2


@pytest.mark.usefixtures("books_balance")
def test_canary_without_the_account_lock_there_is_a_member_too_many() -> None:
    account, (first, second) = one_seat_and_two_guests()

    with without_row_locks(), run_before(invitation_module, "_use_up", lambda: join(second)) as rival:
        join(first)

    assert not rival.had_to_wait
    assert members_of(account).count() == 3


# --- Deleting an account ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("books_balance")
def test_a_confirmation_waits_for_the_account_that_is_being_deleted_and_is_refused() -> None:
    invoice = make.subscription().invoices.get()
    owner = invoice.account.owner
    assert owner

    with run_before(account_deletion, "_end_orders", lambda: make.submitted_payment(invoice)) as rival:
        delete_account(invoice.account, owner, make.PASSWORD)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), InvoiceNotPayable)
    assert Invoice.objects.get().status == "void"


@pytest.mark.usefixtures("books_balance")
def test_an_invitation_is_not_accepted_into_an_account_that_is_being_deleted() -> None:
    owner = make.owner()
    invitation = invite(owner)

    with run_before(account_deletion, "_end_orders", lambda: join(invitation)) as rival:
        delete_account(invitation.account, owner, make.PASSWORD)

    assert rival.had_to_wait
    assert isinstance(rival.outcome(), InvitationGone)
    assert not User.objects.filter(is_active=True).exists()


# --- The lock comes before the first write ------------------------------------------------------------------------


def _member(owner: User) -> User:
    return make.user(account=owner.account, role=Role.VIEWER)


@pytest.mark.parametrize("operation", ["leave", "demote", "transfer", "delete", "invite", "accept"])
@pytest.mark.django_db
def test_the_account_is_locked_before_the_first_write(operation: str, settings: Any) -> None:
    settings.DATABASE_PREPARED_STATEMENTS = False
    _, anna, otto = two_owners()
    invitation, site = invite(anna, "first@example.com"), make.site(anna.account)
    SiteUserAccess.objects.create(user=anna, site=site)
    heir = _member(anna)
    calls: dict[str, Callable[[], object]] = {
        "leave": lambda: leave(anna),
        "demote": lambda: demote(anna, otto),
        "transfer": lambda: transfer_ownership(anna.account, anna, heir.pk, make.PASSWORD),
        "delete": lambda: delete_account(anna.account, anna, make.PASSWORD),
        "invite": lambda: invite(anna),
        "accept": lambda: join(invitation),
    }

    statements = sent_by(calls[operation])

    assert any(ACCOUNT_LOCK.search(sql) for sql in statements[: first_write(statements)]), statements
