"""Looking an account up and looking as its owner, in a real browser and by keyboard; everybody can read the pages."""

import pytest
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from igny8_core.auth.models import AccountNote, CustomerLogin, User
from igny8_core.auth.services.operators import invite_operator, operator_invitation_token
from tests.admin.entering import come_in
from tests.admin.samples import one_of_each
from tests.admin.test_checking_in_browser import require_no_faults
from tests.web.browser import browser_page, with_chromium

pytestmark = [pytest.mark.django_db(transaction=True), with_chromium]


@pytest.mark.stress
def test_a_support_person_answers_a_customer(live_server: LiveServer, olga: User, defaults: None) -> None:
    account = one_of_each()
    group = olga.groups.model.objects.get(name="Support")
    link = f"/admin/operator-invitation/{operator_invitation_token(invite_operator('i@example.com', group, olga))}/"

    with browser_page() as page:
        page.goto(f"{live_server.url}{link}")
        require_no_faults(page, "operator-invitation")
        address = f"/admin/igny8_auth/account/{account.pk}/change/"
        come_in(page, live_server, olga, address)
        require_no_faults(page, "account")

        page.get_by_role("link", name="Add a note").focus()
        page.keyboard.press("Enter")
        page.locator("#dialog [name=text]").fill("Calls back on Monday.")
        page.get_by_role("button", name="Write the note").press("Enter")
        expect(page.get_by_text("The note stands on the account's page.")).to_be_visible()
        expect(page.get_by_label("Notes", exact=True).get_by_text("Calls back on Monday.")).to_be_visible()

        page.get_by_role("link", name="Look as the customer").press("Enter")
        page.locator("#dialog [name=reason]").fill("Ticket 7")
        page.get_by_role("button", name="Look at the pages").press("Enter")
        expect(page.get_by_text("Nothing can be changed meanwhile.")).to_be_visible()
        require_no_faults(page, "look")
        page.get_by_role("button", name="End the look").press("Enter")
        expect(page).to_have_url(f"{live_server.url}{address}")

    assert AccountNote.objects.filter(text="Calls back on Monday.", author=olga).count() == 1
    assert CustomerLogin.objects.filter(operator=olga, ended_how="button").count() == 1
