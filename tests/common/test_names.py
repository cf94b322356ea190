"""What is no name, and how a name stands in a mail (OUT-09)."""

import pytest

from igny8_core.common.names import in_mail, why_no_name

POSING = [
    "https://evil.example", "Click http://evil.example/x", "ftp://evil.example", "www.evil.example",
    "WWW.EVIL.EXAMPLE", "evil.example/login", "pay@evil.example", "URGENT: call +1 800 555 0100",
    "Tel. 0800-555-0100", "+49 (0) 30 / 123 456", "call 1.800.555.0100", "٠٨٠٠٥٥٥٠١٠٠", "evil.example?x=1",
]  # fmt: skip
REAL = [
    "Greta", "O'Neil-Smith", "Dr. Müller", "J. R. R.", "José María de la Cruz", "Nguyễn", "محمد", "नेहा", "李小龍",
    "ACME GMBH", "1234567 Ontario Inc.", "Studio 54", "7-Eleven", "A/B Testing Ltd.", "24/7 Support",
    "Smith & Sons (UK)", "C# Ltd.", "Zoë 🌻",
]  # fmt: skip


@pytest.mark.parametrize("name", [*POSING, "evil.example", "Greta.Guest"])
def test_what_leads_somewhere_is_no_name_of_a_person(name: str) -> None:
    assert why_no_name(name)


@pytest.mark.parametrize("name", REAL)
def test_names_are_names(name: str) -> None:
    assert why_no_name(name) is None


def test_a_company_may_be_called_like_its_site() -> None:
    assert why_no_name("Booking.com B.V.", may_be_host=True) is None
    assert [name for name in POSING if why_no_name(name, may_be_host=True) is None] == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("URGENT: call +1 800 555 0100", "Urgent: call …"),
        ("YOUR ACCOUNT IS LOCKED", "YOUR Account IS Locked"),
        ("Booking.com", "Booking .com"),
        ("https://evil.example/x", "https: //evil .example/x"),
        ("Line one\r\nBcc: a\u2028b", "Line one Bcc: a b"),
        ("x" * 200, "x" * 79 + "…"),
        ("Acme GmbH", "Acme GmbH"),
    ],
)
def test_in_a_mail_a_name_is_a_quiet_line_that_leads_nowhere(name: str, shown: str) -> None:
    assert in_mail(name) == shown
