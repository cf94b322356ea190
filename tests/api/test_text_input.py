"""Names are readable in any script, and references are compared as people mean them (threats.md INP-03, PAY-05)."""

import random

import pytest

from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.services.payments.offline import reference_key
from igny8_core.common.errors import InvalidInput
from tests import make
from tests.api.world import World, body, fingerprint, refusal, send

pytestmark = pytest.mark.django_db

CONFIRM = "api/v1/billing/admin/payments/confirm/"

REFUSED_CHARACTERS = [
    *map(chr, [*range(1, 32), *range(127, 160)]),  # controls
    *"\u200b\u200c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2066\u2067\u2068\u2069\ufeff\u00ad\u061c",
    *"\u2028\u2029\ue000\uf8ff\ufdd0\ufffe\uffff\U000e0001\U000e0041\U000f0000\u034f\u115f\u1160\u17b4\u180e\u3164\uffa0\u2800",
]  # fmt: skip
TAKEN_TEXTS = [
    "Zoë", "O'Neil-Smith", "李小龍", "محمد علی", "Ürüm & Söhne GmbH", "Иван", "नमस्ते", "ไทย", "한국어", "👩‍👩‍👧 Family",
    "🇵🇰 Shop", "A<b>c</b>",
    "=SUM(A1)", "{{ 7*7 }}", "%s %d", "Robert'); DROP TABLE sites;--", "../../etc", "null", "<script>alert(1)</script>",
]  # fmt: skip
# Where one line of text is taken: the operation and its field.
LINES = [
    ("PATCH", "api/v1/auth/me/", "first_name", 150),
    ("PATCH", "api/v1/account/settings/", "name", 200),
    ("PATCH", "api/v1/sites/<int64:site_id>/", "name", 200),
    ("POST", CONFIRM, "manual_reference", 100),
    ("POST", "api/v1/billing/payment-methods/add/", "display_name", 100),
]


@pytest.mark.parametrize(("method", "route", "field", "length"), LINES)
def test_names_and_references_have_no_invisible_characters(
    world: World, method: str, route: str, field: str, length: int
) -> None:
    right = body(world, method, route) or {}
    before = fingerprint()

    for character in REFUSED_CHARACTERS if field == "first_name" else REFUSED_CHARACTERS[::7]:
        response = send(world, method, route, "owner", {**right, field: f"Ann{character}e 1"})
        assert response.status_code == 400, ascii(character)
        assert list(refusal(response)["errors"]) == [field]
    for text in ("x" * (length + 1), "x" * 10_000, "e" + "\u0301" * 6, "\u0301" * 200, " ", "\u3000"):
        assert send(world, method, route, "owner", {**right, field: text}).status_code == 400, ascii(text[:20])
    assert fingerprint() == before


def test_names_in_any_script_come_back_as_they_were_sent(world: World) -> None:
    for text in [*TAKEN_TEXTS, "x" * 200, "é" * 200]:
        response = send(world, "PATCH", "api/v1/sites/<int64:site_id>/", "owner", {"name": text})
        assert response.status_code == 200, ascii(text)
        assert response.json()["data"]["name"] == text
    decomposed = send(world, "PATCH", "api/v1/sites/<int64:site_id>/", "owner", {"name": " e\u0301 "})
    assert decomposed.json()["data"]["name"] == "\u00e9"


# --- References: PAY-05 -----------------------------------------------------------------------------------------

REFERENCE = "BT20251208X12345"
SEPARATORS = [
    " ",
    "-",
    "_",
    ".",
    "/",
    "\u2010",
    "\u2013",
    "\u2014",
    "\u2212",
    "\u00a0",
    "\u3000",
    ":",
    "#",
    "--",
    " - ",
]


def look_alikes(count: int) -> list[str]:
    """Ways in which people and keyboards write REFERENCE."""
    source = random.Random(20251208)
    full_width = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)}
    styled = {str(digit): chr(0x1D7CE + digit) for digit in range(10)}
    variants = []
    for _ in range(count):
        text = ""
        for character in REFERENCE:
            written = source.choice(
                [character, character.lower(), full_width[character], styled.get(character, character)]
            )
            text += written + (source.choice(SEPARATORS) if source.random() < 0.3 else "")
        variants.append(text)
    return variants


def test_five_hundred_ways_to_write_a_reference_fold_to_one_key() -> None:
    variants = look_alikes(500)

    assert len(set(variants)) == 500
    assert {reference_key(variant) for variant in variants} == {reference_key(REFERENCE)}


def test_different_references_stay_different() -> None:
    references = [f"BT-{number}" for number in range(1000)] + [f"TX-{number}" for number in range(1000)]
    close = ["BT20251208X12346", "BT20251208X1234", "TB20251208X12345", "BT2O251208X12345", "BT20251208Y12345", "ب٢٠"]

    assert len({reference_key(reference) for reference in references + close + [REFERENCE]}) == 2007


@pytest.mark.parametrize("reference", ["-", "---", " . ", "_", "#", "!?"])
def test_a_reference_without_a_letter_or_digit_is_refused(world: World, reference: str) -> None:
    with pytest.raises(InvalidInput):
        reference_key(reference)
    data = {**(body(world, "POST", CONFIRM) or {}), "manual_reference": reference}

    response = send(world, "POST", CONFIRM, "owner", data)

    assert response.status_code == 400
    assert list(refusal(response)["errors"]) == ["manual_reference"]


def test_a_look_alike_is_taken_flagged_for_operators_and_not_told_to_the_customer(world: World) -> None:
    first = make.submitted_payment(make.invoice(world.b.account), reference="BT-2025 1208")
    data = {**(body(world, "POST", CONFIRM) or {}), "manual_reference": "ｂｔ20251208"}

    response = send(world, "POST", CONFIRM, "owner", data)

    assert response.status_code == 201
    assert "duplicate" not in response.content.decode()
    payment = Payment.objects.get(pk=response.json()["data"]["payment_id"])
    assert payment.metadata == {"duplicate_of": first.pk}
    assert "duplicate" not in send(world, "GET", "api/v1/billing/payments/", "owner").content.decode()
