"""What the pages of an account write is refused by the API to whom the pages do not show it."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from igny8_core.auth.models import Role, SiteUserAccess, User
from igny8_core.auth.services.invitations import invite
from tests import make
from tests.api.world import fingerprint, refusal
from tests.web.people import browser_of

pytestmark = pytest.mark.django_db

SCRIPTS = Path(__file__).resolve().parents[2] / "igny8_core/web/static/web/account"
# What everybody may do about themselves.
OWN = {("PATCH", "auth/me/"), ("POST", "account/sessions/end-others/"), ("DELETE", "account/sessions/#/")}
OF_MANAGERS: dict[tuple[str, str], dict[str, Any]] = {
    ("PATCH", "account/settings/"): {"language": "de"},
    ("POST", "account/team/invite/"): {"email": "friend@example.com", "role": "viewer"},
    ("PATCH", "account/team/#/role/"): {"role": "viewer", "present_role": "admin"},
    ("DELETE", "account/team/#/"): {},
    ("POST", "account/team/invitations/#/resend/"): {},
    ("DELETE", "account/team/invitations/#/"): {},
    ("POST", "sites/#/access/"): {},
    ("DELETE", "sites/#/access/#/"): {},
    ("POST", "account/transfer-ownership/"): {},
    ("POST", "account/delete/"): {"password": make.PASSWORD},
}

BY_ROLE = {"permission_denied", "team_not_managed", "owners_only"}


def test_these_are_all_writes_of_the_pages() -> None:
    names = ("settings", "own_language", "sessions", "danger", "team")
    scripts = "".join((SCRIPTS / f"{name}.js").read_text() for name in names)
    written = re.findall(r"call\(\"(\w+)\", [\"`]([^\"`]+)[\"`]", scripts)

    assert {(method, re.sub(r"\$\{[^}]*\}", "#", path)) for method, path in written} == {*OWN, *OF_MANAGERS}


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER])
def test_editors_and_viewers_are_refused_what_their_pages_do_not_show(alice: User, role: Role, settings: Any) -> None:
    settings.CONFIRMATION_AGE = timedelta(minutes=5)
    account = alice.account
    assert account
    person, admin, other = (make.user(account=account, role=each) for each in (role, Role.ADMIN, Role.VIEWER))
    site = make.site(account, name="Blog")
    for member in (person, other):
        SiteUserAccess.objects.create(site=site, user=member)
    waiting = invite(account, alice, email="nadia@example.com", role=Role.EDITOR, site_ids=[])
    ids = {"sites": [site.pk, other.pk], "invitations": [waiting.pk], "team": [admin.pk]}
    browser = browser_of(person, enforce_csrf_checks=True)
    page = browser.get("/account/team").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token
    before = fingerprint()

    for (method, path), body in OF_MANAGERS.items():
        numbers = iter(next((found for name, found in ids.items() if f"{name}/#" in path), []))
        address = re.sub("#", lambda _, rest=numbers: str(next(rest)), path)  # type: ignore[misc]
        sent = {"user": other.pk, **body} if "access" in path or "transfer" in path else body
        answer = browser.generic(
            method, f"/api/v1/{address}", json.dumps(sent), "application/json", headers={"X-CSRFToken": token[1]}
        )
        assert answer.status_code == 403, (method, address)
        assert refusal(answer)["code"] in BY_ROLE, (method, address)

    assert fingerprint() == before
