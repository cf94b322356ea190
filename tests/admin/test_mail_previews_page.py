"""The console's page of e-mail previews: every mail, in each language, for operators who see deliveries."""

import pytest
from django.core import mail
from django.test import Client

from igny8_core.admin.mail_previews.samples import HANDLERS
from tests.admin.samples import operator_with

pytestmark = pytest.mark.django_db

PAGE = "/admin/mail-previews/"


def test_the_page_lists_every_mail_and_shows_one_as_html_and_text(console: Client, defaults: None) -> None:
    html = console.get(PAGE, {"kind": "payment.rejected", "language": "de"}).content.decode()

    assert all(f"kind={kind}&amp;language=de" in html for kind in HANDLERS)
    assert "srcdoc=" in html
    assert "Zahlung" in html
    assert mail.outbox == []


def test_operators_mails_are_shown_in_english_alone(console: Client, defaults: None) -> None:
    html = console.get(PAGE, {"kind": "payment.submitted", "language": "de"}).content.decode()

    assert "Payment to review" in html
    assert "hreflang" not in html


@pytest.mark.parametrize("asked", [{"kind": "nonsense"}, {"language": "xx"}, {"kind": "\0"}, {"kind": "credits.spent"}])
def test_what_is_not_there_is_not_found(console: Client, asked: dict[str, str]) -> None:
    assert console.get(PAGE, asked).status_code in {400, 404}


def test_operators_who_see_no_deliveries_see_no_mails(client: Client) -> None:
    client.force_login(operator_with("billing.view_payment"))
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/").content.decode()
    client.force_login(operator_with("events.view_delivery"))
    assert client.get(PAGE).status_code == 200


def test_what_is_technical_stands_at_the_end_for_those_who_may_see_it(console: Client, client: Client) -> None:
    groups = [group["title"] for group in console.get("/admin/").context["sidebar_navigation"]]
    assert groups[-1] == "Technical"
    client.force_login(operator_with("billing.view_payment", "billing.view_invoice"))
    # The theme shows no heading over nothing.
    technical = client.get("/admin/").context["sidebar_navigation"][-1]["items"]
    assert [item["title"] for item in technical if item["has_permission"]] == []
