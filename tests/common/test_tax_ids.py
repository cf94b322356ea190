"""Tax numbers: a VAT number is held against its country's rule, a number of any other kind is taken as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.tax_ids import PREFIXES, why_not_tax_id

TAKEN = [
    ("DE", "DE136695976"), ("DE", "de 136 695 976"), ("DE", "136695976"), ("DE", "DE136695976-00001"),
    ("DE", "181/815/08155"), ("DE", "2181508150"), ("DE", "HRB 12345"),
    ("FR", "FR40303265045"), ("FR", "FR 40 303 265 045"), ("FR", "40303265045"), ("FR", "303265045"),
    ("FR", "FR53000004605"), ("FR", "73282932000074"),
    ("GB", "GB980780684"), ("GB", "GB 980 7806 84"), ("GB", "980780684"), ("GB", "XI980780684"), ("GB", "GBGD001"),
    ("GB", "1955839661"), ("GB", "01234567"), ("GB", "SC123456"),
    ("PK", "1234567-8"), ("PK", "PK-123"), ("PK", "42101-1234567-1"), ("PK", "NTN 1234567"),
    ("IN", "27AAPFU0939F1ZV"), ("IN", "27 AAPFU0939F 1ZV"), ("IN", "AAPFU0939F"), ("IN", "27AACAB1234F1C5"),
    ("US", "12-3456789"), ("US", "123-45-6789"), ("US", "00-0000000"), ("US", "DE136695978"),
    ("PL", "0000123456"), ("PL", "PL8567346215"), ("GR", "EL094259216"), ("GR", "094259216"), ("ES", "ESB58378431"),
    ("NL", "NL004495445B01"), ("NL", "NL123456789B13"), ("IE", "IE6433435OA"), ("AT", "ATU13585627"),
    ("SE", "SE123456789701"), ("DK", "DK 13585628"), ("AE", "100123456700003"), ("SA", "300000000000003"),
    ("AU", "51 824 753 556"), ("", "DE136695978"), ("ID", "PT-12345"),
    ("ES", "Exempt"), ("DE", "de minimis"), ("FR", "Franchise en base, art. 293 B"), ("IT", "ITALIA"), ("DE", "–"),
]  # fmt: skip


@pytest.mark.parametrize(("country", "tax_id"), TAKEN)
def test_a_true_vat_number_and_any_number_of_another_kind_is_taken(country: str, tax_id: str) -> None:
    assert why_not_tax_id(tax_id, country) is None


@pytest.mark.parametrize("country", ["", *COUNTRY_NAMES])
def test_none_at_all_is_taken_everywhere(country: str) -> None:
    assert why_not_tax_id("", country) is None
    assert why_not_tax_id(" - ", country) is None


REFUSED = [
    ("DE", "DE136695978", "VAT number of Germany"), ("DE", "DE 136 695 967", "without DE"), ("DE", "136695978", "each"),
    ("DE", "DE13669597", "missing"), ("DE", "DE1366959766", "too many"), ("DE", "DE 1", "VAT number of Germany"),
    ("FR", "FR41303265045", "VAT number of France"), ("FR", "40303265054", "VAT number of France"),
    ("GB", "GB802311781", "VAT number of United Kingdom"), ("GB", "GB123456789", "without GB"), ("GB", "XI1", "XI"),
    ("GB", "980780648", "each"),
    ("IN", "27AAPFU0939F1ZO", "GSTIN"), ("IN", "27aapfu0939f1zo", "each"),
    ("GR", "EL094259217", "without EL"), ("GR", "GR094259217", "without GR"), ("ES", "ESB58378432", "Spain"),
    ("IE", "IE6433435E", "Ireland"), ("AT", "ATU13585626", "Austria"), ("NL", "NL123456789B90", "Netherlands"),
]  # fmt: skip


@pytest.mark.parametrize(("country", "tax_id", "told"), REFUSED)
def test_a_wrong_vat_number_is_told_why_and_what_to_do(country: str, tax_id: str, told: str) -> None:
    assert told in (why_not_tax_id(tax_id, country) or "")


@pytest.mark.parametrize("country", PREFIXES)
def test_a_wrong_number_of_every_country_is_refused_with_its_prefix_only(country: str) -> None:
    for prefix in PREFIXES[country]:
        refusal = why_not_tax_id(f"{prefix}000", country)
        assert refusal
        assert f"write it without {prefix}" in refusal
    assert why_not_tax_id("000", country) is None


@given(st.sampled_from([*PREFIXES, "IN"]), st.text(st.sampled_from("0123456789ABUXM*+ß٣²é -./"), max_size=20))
def test_whatever_is_written_gets_an_answer(country: str, text: str) -> None:
    for prefix in ("", *PREFIXES.get(country, ())):
        refusal = why_not_tax_id(prefix + text, country)
        assert refusal is None or refusal.endswith(".")
