"""Tokens of links: for one purpose, as of one moment, by keys that count; and what was sent before still works."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.signing import TimestampSigner
from django.db import connection
from django.db.models import Model
from django.test import Client
from rest_framework.test import APIClient

from igny8_core.auth.models import Role, TeamInvitation, User
from igny8_core.auth.services.invitations import _hash, invitation_token, invite, resend_invitation
from igny8_core.auth.services.mailed_tokens import Purpose, link_token
from igny8_core.business.billing.models import Invoice, PaymentProof
from igny8_core.business.billing.services.invoices import pay_links
from igny8_core.business.billing.services.proofs import links
from igny8_core.common.logs import JsonFormatter
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, opened, signed
from tests import make
from tests.auth.team import accept

SALT = "a purpose"
NOON = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
OLD_KEY, NEW_KEY = "only-for-debug-" * 5, "another key of the server's, as long as the first one was"
RESET, VERIFY = "/api/v1/auth/password/reset/confirm/", "/api/v1/auth/email/verify/"
NEW = "a wholly different phrase"


def test_what_was_signed_is_opened_for_its_purpose_only() -> None:
    token = signed("4711.x", salt=SALT)

    assert opened(token, salt=SALT) == "4711.x"
    with pytest.raises(BadSignature):
        opened(token, salt="another purpose")


def test_the_same_moment_gives_the_same_token() -> None:
    assert signed("1", salt=SALT, moment=NOON) == signed("1", salt=SALT, moment=NOON)
    assert signed("1", salt=SALT, moment=NOON) != signed("1", salt=SALT, moment=NOON + timedelta(seconds=1))


@pytest.mark.parametrize(("seconds", "is_good"), [(-5, True), (0, True), (3599, True), (3600, False), (9999, False)])
def test_a_token_ends_with_its_lifetime(seconds: int, is_good: bool) -> None:
    token = signed("1", salt=SALT, moment=NOON)

    with time_machine.travel(NOON.replace(microsecond=0) + timedelta(seconds=seconds), tick=False):
        if is_good:
            assert opened(token, salt=SALT, lifetime=HOUR) == "1"
        else:
            with pytest.raises(SignatureExpired):
                opened(token, salt=SALT, lifetime=HOUR)


@pytest.mark.parametrize("token", ["", ":", "::", "a:b:c", "1", "\ud800", "é:é:é", "\0", "1:0:" + "A" * 43, ":" * 5000])
def test_what_we_never_signed_is_none(token: str) -> None:
    with pytest.raises(BadSignature):
        opened(token, salt=SALT)


def test_a_key_on_its_way_out_still_opens_and_one_that_is_gone_does_not(settings: Any) -> None:
    settings.SECRET_KEY = OLD_KEY
    token = signed("1", salt=SALT)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY]
    assert opened(token, salt=SALT) == "1"
    assert signed("1", salt=SALT, moment=NOON) == signed("1", salt=SALT, moment=NOON, key=NEW_KEY)
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadSignature):
        opened(token, salt=SALT)


def test_the_moment_is_no_older_than_django_says() -> None:
    """Links of payment pages and proofs were Django's own until now, and are read by it."""
    assert TimestampSigner(salt=SALT).unsign(signed("1", salt=SALT), max_age=60) == "1"
    assert opened(TimestampSigner(salt=SALT).sign("1"), salt=SALT, lifetime=HOUR) == "1"


@pytest.mark.django_db
def test_no_token_gets_through_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    secrets = [signed("4711", salt=SALT), link_token(make.user(), Purpose.RESET, NOON), signed("1.2", salt=SALT)]

    with caplog.at_level(logging.INFO):
        for secret in secrets:
            Client().get(f"/pay/{secret}/nowhere")
    lines = [JsonFormatter().format(record) for record in caplog.records]

    assert len(lines) >= len(secrets)
    assert [json.loads(line)["level"] for line in lines]
    assert [secret for secret in secrets for line in lines if secret.rpartition(":")[2] in line] == []


# --- Links that were sent before ----------------------------------------------------------------------------------

# Made by the release before, on the first of January 2026 at noon, for the rows with these keys.
KEY = 4711
OLD_RESET = (
    "eyJ1c2VyIjo0NzExLCJhdCI6MTc2NzI2ODgwMCwic3RhdGUiOiJlMDhiMWUzMTY5OWI1M2JmNzlmMDdjYTFmZjkxODdmZjlkODI0OWIxNTJlMDExN"
    "zA4Y2JlZGEyODkwNDk1OGIyIn0.vfgoLDDEoWc2NvQxXpUXUhe3YImxKvM90bvcZMyiTWc"
)
OLD_VERIFICATION = (
    "eyJ1c2VyIjo0NzExLCJhdCI6MTc2NzI2ODgwMCwic3RhdGUiOiJmMzI1NWFiNDVhMmY4ZmE5ZWIyMDE5MjE5OTllYmFiNTZiZGJlOGY3MGUwNWI1O"
    "DFjOWUxZmE5MzA3NDgyMzlkIn0.ZB9xJuAqMJFHpNMqNpPJroFCjOXxGVePKMSo63WCszk"
)
OLD_INVITATION = "BjgbxVYZrEqGR_oZu3E-UnUMvYzkf9Pds2w2b6NgAKk"
OLD_PAY_LINK = "4711:1vbHLU:ve6QbfDj3O_OCtqK3ux0M6-pj-HW8NbvLRMHWrYh06w"
OLD_PROOF_LINK = "4711.4712:1vbHLU:PgLWK5e39kpqnNffZ3YLclnna6Tglt7JvjoPOrCzndc"


@pytest.fixture(params=["the same key", "a key on its way out"])
def noon(request: pytest.FixtureRequest, db: None, settings: Any) -> Iterator[time_machine.Traveller]:
    """That moment, on a server with the key of then."""
    is_same = request.param == "the same key"
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = (OLD_KEY, []) if is_same else (NEW_KEY, [OLD_KEY])
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def next_key(model: type[Model], key: int = KEY) -> None:
    """Have the next row of the model be this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [model._meta.db_table, key])


@pytest.fixture
def frozen(noon: time_machine.Traveller) -> User:
    next_key(User)
    user = make.user(email="frozen@example.com")
    User.objects.filter(pk=user.pk).update(password="argon2$frozen")
    return user


def post(path: str, **body: str) -> int:
    return int(APIClient().post(path, body, format="json").status_code)


@pytest.mark.parametrize(
    ("path", "token", "lifetime"), [(RESET, OLD_RESET, HOUR), (VERIFY, OLD_VERIFICATION, HOUR * 72)]
)
def test_a_mailed_link_of_before_works_once_and_for_its_time(
    frozen: User, noon: time_machine.Traveller, path: str, token: str, lifetime: timedelta
) -> None:
    body = {"token": token, **({"new_password": NEW} if path == RESET else {})}
    changed = [{"token": f"{token[:-1]}A"}, {"token": token.replace(".", ":")}, {"token": token.rpartition(".")[0]}]

    assert [post(path, **{**body, **wrong}) for wrong in changed] == [400] * 3
    assert post(VERIFY if path == RESET else RESET, token=token, new_password=NEW) == 400
    noon.shift(lifetime)
    assert post(path, **body) == 410
    noon.shift(timedelta(seconds=-1))
    assert [post(path, **body) for _ in range(2)] == [200, 410]


@pytest.fixture
def old_invitation(noon: time_machine.Traveller) -> TeamInvitation:
    next_key(TeamInvitation)
    owner = make.owner()
    invitation = TeamInvitation(
        account=owner.account, email="greta@example.com", role=Role.VIEWER, invited_by=owner,
        expires_at=NOON + timedelta(days=7), token_hash=_hash(OLD_INVITATION),
    )  # fmt: skip
    invitation.save()
    return invitation


def test_an_invitation_of_before_is_mailed_and_accepted_with_its_token(old_invitation: TeamInvitation) -> None:
    assert invitation_token(old_invitation) == OLD_INVITATION
    assert accept(f"{OLD_INVITATION[:-1]}A").status_code == 404
    assert accept(OLD_INVITATION).status_code == 200
    assert accept(OLD_INVITATION).status_code == 410


def test_an_invitation_of_before_ends_after_its_week(
    old_invitation: TeamInvitation, noon: time_machine.Traveller
) -> None:
    noon.shift(timedelta(days=7))

    assert accept(OLD_INVITATION).status_code == 410


def test_sent_again_an_invitation_of_before_has_a_token_of_now(old_invitation: TeamInvitation) -> None:
    sent = resend_invitation(old_invitation.account, old_invitation.pk, old_invitation.invited_by)

    assert accept(OLD_INVITATION).status_code == 404
    assert accept(sent).status_code == 200


def test_a_link_to_a_payment_page_of_before_opens_its_invoice(noon: time_machine.Traveller) -> None:
    next_key(Invoice)
    invoice = make.invoice()

    assert pay_links.invoice_of_pay_link(OLD_PAY_LINK) == invoice
    noon.shift(timedelta(days=60))
    assert Client().get(f"/pay/{OLD_PAY_LINK}/").status_code == 410


def test_a_link_to_a_proof_of_before_opens_its_file(noon: time_machine.Traveller) -> None:
    next_key(PaymentProof)
    next_key(User, 4712)
    proof = make.proof(make.owner().account)

    assert links.proof_of_link(KEY, OLD_PROOF_LINK) == proof


# --- A key that is changed ----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_links_of_the_key_before_work_while_it_is_on_its_way_out(settings: Any) -> None:
    owner, settings.SECRET_KEY = make.owner(), OLD_KEY
    reset = link_token(owner, Purpose.RESET, datetime.now(UTC))
    invited = invite(owner.account, owner, email="greta@example.com", role="viewer", site_ids=[])
    token = invitation_token(invited)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW_KEY, [OLD_KEY]
    assert invitation_token(invited) == token
    assert accept(token).status_code == 200
    assert post(RESET, token=reset, new_password=NEW) == 200


@pytest.mark.django_db
def test_an_invitation_whose_key_is_gone_opens_nothing(settings: Any) -> None:
    owner, settings.SECRET_KEY = make.owner(), OLD_KEY
    invited = invite(owner.account, owner, email="greta@example.com", role="viewer", site_ids=[])
    token = invitation_token(invited)

    settings.SECRET_KEY = NEW_KEY

    assert accept(token).status_code == 404
    assert TeamInvitation.objects.get().status == "open"
