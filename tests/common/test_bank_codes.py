"""IBAN and BIC: what is none is told why; a bank that nobody has heard of is none of our business."""

import pytest

from igny8_core.common.bank_codes import why_not_bic, why_not_iban


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013000", "GB29NWBK60161331926819", "PK36SCBL0000001123456702", "AE070331234567890123456",
        "FR1420041010050500013M02606", "MT84MALT011000012345MTLCAST001S", "NO9386011117947", "XK051212012345678906",
        "BR1800360305000010009795493C1", "SA0380000000608010167519", "LC55HEMM000100010012001200023015",
    ],
)  # fmt: skip
def test_an_iban_of_any_country_is_taken(iban: str) -> None:
    assert why_not_iban(iban) is None


def test_a_bank_that_does_not_exist_is_no_reason_to_refuse() -> None:
    assert why_not_iban("DE36000000000000000000") is None
    assert why_not_iban("BE70000000000100") is None  # with digits of its own that do not fit
    assert why_not_bic("ZZZZDEZZ") is None


@pytest.mark.parametrize(
    ("iban", "told"),
    [
        ("ZZ1812345678901234", "country code; ZZ is none"),
        ("DE5112345678901", "Germany has 22 characters, but this one has 15"),
        ("PK0700000000000", "Pakistan has 24 characters, but this one has 15"),
        ("GB29NWBK60161331926818", "check digits are wrong"),
        ("GB29NWBK60161331926891", "check digits are wrong"),
        ("DE00000000000000000000", "check digits are wrong"),
        ("GB29123460161331926819", "Check its letters and digits"),
        ("GB", "An IBAN"), ("29", "An IBAN"), ("GB29-NWBK", "An IBAN"), ("ÄÖ12", "An IBAN"),
        ("DE٨٩" + "1" * 18, "An IBAN"),
        ("XK0512120123456789061", "XK has 20 characters"), ("A" * 5000, "An IBAN"),
    ],
)  # fmt: skip
def test_what_is_no_iban_is_told_why(iban: str, told: str) -> None:
    assert told in (why_not_iban(iban) or "")


@pytest.mark.parametrize("bic", ["DEUTDEFF", "DEUTDEFF500", "ABCDPKKA", "MUSTDEFF", "SAMPAEAD", "PCBKXKPR"])
def test_a_bic_of_any_bank_is_taken(bic: str) -> None:
    assert why_not_bic(bic) is None


@pytest.mark.parametrize(
    ("bic", "told"),
    [
        ("ABC", "8 or 11 characters"), ("ABCPKKA", "this one has 7"), ("DEUTDEFF50", "this one has 10"),
        ("DEUTZZFF", "ZZ is none"), ("deutdeff", "letters and digits"), ("DEUT DEFF", "no spaces"),
        ("DEUTDEÄF", "letters and digits"), ("DEUT12FF", "SWIFT code"),
    ],
)  # fmt: skip
def test_what_is_no_bic_is_told_why(bic: str, told: str) -> None:
    assert told in (why_not_bic(bic) or "")
