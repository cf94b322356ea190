"""What people see when something fails on our side: it may be the database, so nobody is asked who they are."""

from typing import Any

import pytest

from tests import make
from tests.web.people import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def faulty(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.web.faulty_urls"


@pytest.mark.parametrize(("address", "status"), [("/faults/broken", 500), ("/faults/busy", 503)])
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_fault_asks_nobody_to_sign_in(address: str, status: int, signed_in: bool) -> None:
    browser = browser_of(make.owner() if signed_in else None, raise_request_exception=False)

    answer = browser.get(address)

    assert answer.status_code == status
    html = answer.content.decode()
    assert "To the start page" in html
    assert "Sign in" not in html
    assert "Sign up" not in html
    assert "<nav" in html.split("</header>")[1]
    assert "<nav" not in html.split("</header>")[0]


def test_other_refusals_have_the_way_that_fits_who_reads_them() -> None:
    owner = make.owner()

    assert "Sign in" in browser_of().get("/faults/nothing").content.decode()
    signed_in = browser_of(owner).get("/faults/nothing").content.decode()
    assert "Sign in" not in signed_in
    assert owner.account
    assert owner.account.name in signed_in
