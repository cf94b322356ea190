"""Each input field takes what it documents and refuses the rest with a sentence."""

import unicodedata
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework import serializers

from igny8_core.auth.models import SuspendedReason
from igny8_core.business.billing.models import InvoiceStatus
from igny8_core.business.billing.services.subscriptions.plan_change import ChangeKind
from igny8_core.common.api.fields import (
    MAX_ID,
    CountryCodeField,
    EmailAddressField,
    EnumField,
    HttpsUrlField,
    IdField,
    MoneyField,
    MultilineTextField,
    PlainTextField,
)
from igny8_core.common.api.serializers import StrictSerializer
from igny8_core.common.countries import COUNTRY_NAMES
from igny8_core.common.text import first_refused, showable


def taken(field, value):
    return field.run_validation(value)


def refused(field, value):
    with pytest.raises(serializers.ValidationError) as caught:
        field.run_validation(value)
    return str(caught.value.detail[0])


# --- Money ------------------------------------------------------------------------------------------------------

GOOD_MONEY = ["89.00", "89", "0.01", "0.0001", "1.5", "1.25", "1.125", "007", "999999999999999.9999", "89.0"]

BAD_MONEY = [
    # not a string
    89, 89.0, 0.1, True, False, None, [], ["89"], {}, {"amount": "89"}, Decimal("89"), b"89",
    # zero and signs
    "0", "0.00", "0.0000", "-0", "-1", "+5", "--1", "-89.00", "(5)",
    # other notations of numbers
    "1E+2", "1e2", "1_000", "1,000", "1,5", "1 000", "0x10", "0b1", "0o7", "1/2", "5%", "NaN", "sNaN", "nan",
    "Infinity", "-Infinity", "inf", "1e400", "1e-400", "∞", "½",
    # other scripts' digits and look-alikes
    "٥", "५", "５", "²", "①", "1\u066b5", "1．5", "১০",
    # dots and padding
    "", " ", ".", "5.", ".5", "1.2.3", "1..2", " 5", "5 ", "5\n", "\t5", "5\0", "\u200b5", "5\u00a0",
    # size
    "1.00000", "0.00001", "1" * 16, "1" * 400, "9" * 5000, "0" * 16,
    # currency marks and code
    "$5", "5 USD", "USD5", "€5", "5USD", "'5'", "5;", "=1+1", "__import__('os')",
]  # fmt: skip


def test_the_money_corpus_has_sixty_values():
    assert len(BAD_MONEY) >= 60


@pytest.mark.parametrize("text", GOOD_MONEY)
def test_plain_digits_are_money(text):
    assert taken(MoneyField(), text) == Decimal(text)


@pytest.mark.parametrize("value", BAD_MONEY, ids=ascii)
def test_anything_else_is_not_money(value):
    refused(MoneyField(), value)


@given(st.text(max_size=20))
def test_what_money_takes_is_a_positive_decimal_of_at_most_four_places(text):
    try:
        amount = MoneyField().run_validation(text)
    except serializers.ValidationError:
        return
    assert text.isascii()
    assert amount.is_finite()
    assert amount > 0
    assert amount.as_tuple().exponent >= -4


@pytest.mark.parametrize(("currency", "text"), [("USD", "89.00"), ("JPY", "89"), ("KWD", "89.000")])
def test_money_is_written_in_the_decimals_of_its_currency(currency, text):
    class Output(serializers.Serializer):
        amount = MoneyField()
        total = MoneyField(currency_source="invoice.currency")
        missing = MoneyField()

    invoice = SimpleNamespace(currency=currency)
    row = SimpleNamespace(
        amount=Decimal("89.0000"), total=Decimal(89), missing=None, currency=currency, invoice=invoice
    )

    assert Output(row).data == {"amount": text, "total": text, "missing": None}


# --- Text of people ---------------------------------------------------------------------------------------------

GOOD_TEXT = [
    "Alice", "O'Brien-Smith", "Zoë", "José María", "محمد علی", "עברית", "中文名字", "नमस्ते", "Nguyễn Văn Ổn", "Σίσυφος",
    "กรุงเทพ", "한국어", "Иван", "😀", "👍🏽", "👨‍👩‍👧‍👦", "👩🏽‍💻", "❤️", "🇵🇰", "1️⃣", "🫨", "a & b < c > d", "=SUM(A1)",
    "../../etc", "'; DROP TABLE x;--", "{{ 7*7 }}", "100 %", "№ 5", "x" * 100,
]  # fmt: skip

REFUSED_CHARACTERS = [
    "\x00", "\x01", "\x07", "\x08", "\x0b", "\x1b", "\x7f", "\x80", "\x85", "\x9f", "\u00ad", "\u061c", "\u200b",
    "\u200c", "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202b", "\u202c", "\u202d", "\u202e",
    "\u2060", "\u2061", "\u2066", "\u2067", "\u2068", "\u2069", "\u206f", "\ufeff", "\ufff9", "\ufffe", "\uffff",
    "\ue000", "\U000f0000", "\U0010ffff", "\ud800", "\udfff", "\u3164", "\uffa0", "\u115f", "\u2800", "\u034f",
    "\U000e0041", "\U0001d173", "\ufdd0", "\u070f", "\u180e",
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD_TEXT, ids=ascii)
def test_any_script_and_emoji_are_taken_and_stored_in_nfc(text):
    assert taken(PlainTextField(max_length=100), text) == unicodedata.normalize("NFC", text)


# Words as they are written: the joiner shows in each.
JOINED_TEXT = [
    "\u0646\u0631\u0645\u200c\u0627\u0641\u0632\u0627\u0631",  # Persian: software
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: I want
    "\u0628\u0631\u0627\u062f\u0631\u200c\u0647\u0627",  # Persian: brothers, after a letter that does not join
    "\u06a9\u062a\u0627\u0628\u0650\u200c\u0645\u0646",  # Persian, with a mark on the letter before
    "\u0643\u0648\u0631\u062f\u0633\u062a\u0627\u0646\u0647\u200c\u06a9\u0627\u0646",  # Kurdish
    "\u0634\u0631\u06a9\u062a \u062f\u0627\u062f\u0647\u200c\u067e\u0631\u062f\u0627\u0632\u06cc Ltd. 7",
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf",  # Sinhala: Sri Lanka
    "\u0d9a\u0dca\u200d\u0dc2\u0dca\u200d\u0dbb",  # Sinhala, two joined
    "\u0915\u094d\u200d\u0937",  # Hindi: half form
    "\u0915\u094d\u200c\u0937",  # Hindi: with the virama shown
    "\u0926\u0930\u094d\u200d\u092f\u093e",  # Marathi: eyelash ra
    "\u0917\u0930\u094d\u200d\u092f\u094b",  # Nepali
    "\u09b0\u200d\u09cd\u09af\u09be\u09ac",  # Bengali: ra with ya-phalaa
    "\u09b0\u200c\u09cd\u09af",
    "\u09b9\u09a0\u09be\u09a4\u09cd\u200d",  # Bengali: khanda ta of older keyboards
    "\u0d2e\u0d4b\u0d39\u0d28\u0d4d\u200d\u0d32\u0d3e\u0d32\u0d4d\u200d",  # Malayalam: Mohanlal, older keyboards
    "\u0d2e\u0d4b\u0d39\u0d28\u0d4d\u200d, \u0d15\u0d4a\u0d1a\u0d4d\u0d1a\u0d3f",
    "\u0d24\u0d2e\u0d3f\u0d34\u0d4d\u200c\u0d28\u0d3e\u0d1f\u0d4d",  # Malayalam: Tamil Nadu
    "\u0c38\u0c3e\u0c2b\u0c4d\u0c1f\u0c4d\u200c\u0c35\u0c47\u0c30\u0c4d",  # Telugu: software
    "\u0cb0\u200d\u0ccd\u0c95",  # Kannada: ra before a consonant
    "\u0b95\u0bcd\u200c\u0bb7",  # Tamil
    "\u0710\u200c\u0712",  # Syriac
]
# Where a joiner shows nothing, so that two names that differ look the same.
HIDDEN_JOINERS = [
    *("\u200cAnn", "Ann\u200c", "An\u200cn", "An\u200dn", "1\u200c2", "1\u200d2", "\u200d", "\u200c\u200d"),
    *("a \u200c b", "\u0639\u0644\u06cc\u200c", "\u200c\u0639\u0644\u06cc", "\u0639\u0644\u06cc\u200c \u0631"),
    *("\u0639 \u200c\u0644", "\u0639\u200c\u200c\u0644", "\u0639\u200d\u200c\u0644", "\u0639\u200d\u0644"),
    *("\u0639\u200cA", "A\u200c\u0639", "\u0639\u200c7", "\u06f5\u200c\u0634", "\u0639\u200c\u06f5"),
    *("\u0639\u200c\u0915", "\u0639\u200c-", "\u0645\u200c.\u0646", "\u0915\u200d\u0937", "\u0915\u200c\u0937"),
    *("\u0915\u094d\u200d", "\u0915\u094d\u200d\u200d\u0937", "\u0915\u094d\u200d\u0995", "\u0915\u094d\u200dA"),
    *("\u0915\u094d\u200d7", "\u094d\u200d\u0937", "\u0915\u093e\u200d\u0937", "\u0d28\u0d4d\u200c"),
    *("\u0d2a\u0d4d\u200d", "\u4e2d\u200c\u6587", "\u05d0\u200d\u05d1", "\u0434\u200c\u0430", "\u0e01\u200c\u0e02"),
    *("\U0001f600\u200c\U0001f600", "\U0001f600\u200d", "a\u200d\U0001f600", "\u0639\u200c\u0650\u0644",),
]  # fmt: skip


@pytest.mark.parametrize("text", JOINED_TEXT, ids=ascii)
@pytest.mark.parametrize("field_class", [PlainTextField, MultilineTextField])
def test_a_joiner_that_shows_is_taken_and_kept(field_class, text):
    assert taken(field_class(max_length=100), text) == unicodedata.normalize("NFC", text)
    assert showable(text) == text


@pytest.mark.parametrize("text", HIDDEN_JOINERS, ids=ascii)
@pytest.mark.parametrize("field_class", [PlainTextField, MultilineTextField])
def test_a_joiner_that_shows_nothing_is_refused(field_class, text):
    assert "joiner" in refused(field_class(max_length=100), text)


@pytest.mark.parametrize("character", REFUSED_CHARACTERS, ids=ascii)
@pytest.mark.parametrize("field_class", [PlainTextField, MultilineTextField])
def test_control_bidi_and_invisible_characters_are_refused(field_class, character):
    refused(field_class(max_length=100), f"Ali{character}ce")


@pytest.mark.parametrize("character", ["\n", "\t", "\r", "\r\n"], ids=ascii)
def test_one_line_has_no_line_breaks_or_tabs(character):
    assert "not allowed" in refused(PlainTextField(max_length=100), f"a{character}b")


def test_many_lines_are_taken_with_plain_newlines():
    assert taken(MultilineTextField(max_length=100), "a\r\nb\rc\td\n") == "a\nb\nc\td"


def test_a_refusal_names_the_character_and_its_place():
    assert refused(PlainTextField(max_length=9), "ab\u202ecd") == (
        "The character U+202E (RIGHT-TO-LEFT OVERRIDE) at position 3 is not allowed. Remove it."
    )


def test_a_tower_of_marks_is_refused():
    refused(PlainTextField(max_length=100), "z" + "\u0335" * 20)


def test_length_is_counted_after_nfc_and_without_outer_space():
    assert taken(PlainTextField(max_length=3), "  e\u0301e\u0301e\u0301  ") == "\u00e9" * 3
    assert refused(PlainTextField(max_length=2), "e\u0301e\u0301e\u0301") == "At most 2 characters."


@pytest.mark.parametrize(
    "text", ["x" * 10_000, "\u0301\u0316" * 400_000, "\u200b" * 1_000_000], ids=["10k", "marks", "1M"]
)
def test_a_huge_text_is_refused(text):
    assert refused(PlainTextField(max_length=100), text) == "At most 100 characters."


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], ["x"], {}, {"a": 1}])
@pytest.mark.parametrize(
    "field", [PlainTextField(max_length=9), EmailAddressField(), CountryCodeField(), HttpsUrlField()]
)
def test_text_fields_take_nothing_but_text(field, value):
    refused(field, value)


@pytest.mark.parametrize("text", ["", " ", " \n "])
def test_blank_text_is_refused_unless_allowed(text):
    refused(PlainTextField(max_length=9), text)
    assert taken(PlainTextField(max_length=9, allow_blank=True), text) == ""


@given(st.text(max_size=60))
def test_stored_text_is_stable_and_clean(text):
    field = PlainTextField(max_length=60, allow_blank=True)
    try:
        stored = field.run_validation(text)
    except serializers.ValidationError:
        return
    assert field.run_validation(stored) == stored
    assert first_refused(stored) is None


# --- E-mail, country, id ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["alice@example.com", "  Alice@Example.COM ", "ALICE@EXAMPLE.COM"])
def test_an_email_address_has_one_canonical_form(text):
    assert taken(EmailAddressField(), text) == "alice@example.com"


BAD_EMAILS = [
    "", "alice", "alice@", "@example.com", "a@b", "a@localhost", "a b@example.com", "a@exa mple.com", "a@@example.com",
    "a@example..com", "a@-example.com", "älice@example.com", "alice@exämple.com", "alıce@example.com",
    "a@example.com\0",
    "a@example.com\nBcc: b@example.com", "<a@example.com>", "a@example.com,b@example.com", "a" * 250 + "@example.com",
    "a@" + "b" * 100_000, "a\u200b@example.com", "ａ@example.com",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD_EMAILS, ids=lambda text: ascii(text)[:30])
def test_anything_else_is_not_an_email_address(text):
    refused(EmailAddressField(), text)


def test_iso_3166_has_249_countries():
    assert len(COUNTRY_NAMES) == 249


@pytest.mark.parametrize("text", ["PK", "pk", "Pk"])
def test_a_country_code_is_raised_to_capitals(text):
    assert taken(CountryCodeField(), text) == "PK"


@pytest.mark.parametrize(
    "text", ["", "P", "PAK", "XX", "ZZ", "EU", "UK", "XK", "586", "P1", "ＰＫ", "ıt", "ßß", "P\0"], ids=ascii
)
def test_anything_else_is_not_a_country(text):
    refused(CountryCodeField(), text)


@pytest.mark.parametrize("value", [1, 42, MAX_ID])
def test_an_id_is_a_whole_number_from_one(value):
    assert taken(IdField(), value) == value


@pytest.mark.parametrize("value", [0, -1, MAX_ID + 1, 10**26, "1", 1.0, 1.5, True, False, None, [], [1], {}, "", "x"])
def test_anything_else_is_not_an_id(value):
    refused(IdField(), value)


# --- Links ------------------------------------------------------------------------------------------------------

GOOD_URLS = [
    "https://example.com/receipt.png", "https://sub.example.co.uk/a?b=c&d=%20#e", "HTTPS://EXAMPLE.COM/", "https://example.com",
    "https://example.com:443/x", "https://xn--bcher-kva.example.com/", "https://a-b.example.com/~x/(y)?z=[1]",
]  # fmt: skip

BAD_URLS = [
    # schemes
    "http://example.com/", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
    "file:///etc/passwd", "ftp://example.com/", "vbscript:x", "blob:https://example.com/x", "//example.com/x", "/x",
    "x", "https:example.com", "https:/example.com", "https:///example.com", "https://", "https", ":", "",
    "view-source:https://x.com",
    "javascript://example.com/%0aalert(1)", "jar:https://example.com!/", "ws://example.com", "gopher://example.com",
    # inner hosts
    "https://localhost/", "https://LOCALHOST/", "https://localhost.localdomain/", "https://a.localhost/", "https://intranet/",
    "https://db/", "https://printer.local/", "https://x.internal/", "https://metadata.google.internal/", "https://x.lan/",
    "https://x.home.arpa/", "https://x.corp/", "https://x.test/", "https://x.invalid/", "https://x.onion/",
    # addresses in numbers, in every notation
    "https://127.0.0.1/", "https://10.0.0.1/", "https://192.168.1.1/", "https://172.16.0.1/", "https://169.254.169.254/",
    "https://0.0.0.0/", "https://8.8.8.8/", "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
    "https://0x7f.0.0.0x1/", "https://[::1]/", "https://[fe80::1]/", "https://[::ffff:127.0.0.1]/", "https://[2001:db8::1]/",
    "https://1.1.1.1./", "https://[::1%25eth0]/", "https://[::1", "https://127。0。0。1/", "https://①②⑦.0.0.1/",
    # user info and ports
    "https://user@example.com/", "https://user:password@example.com/", "https://example.com@127.0.0.1/", "https://:@example.com/",
    "https://example.com:8443/", "https://example.com:80/", "https://example.com:/", "https://example.com:99999/",
    "https://example.com:٤٤٣/", "https://example.com:-443/",
    # characters that readers take differently
    "https://example.com/a b", "https://exam\nple.com/", "https://example.com\\@evil.com/",
    "https://example.com/\"onclick=x", "https://example.com/<script>", "https://ex\u200bample.com/", "https://exаmple.com/",
    "https://example.com/\u202egnp", "https://example.com\0/", "https://-example.com/", "https://example-.com/",
    "https://example..com/", "https://.example.com/", "https://example.com./", "https://ex_ample.com/", "https://%65xample.com/",
    "https://example.com/" + "x" * 2000, "https://" + "a." * 200 + "com/",
]  # fmt: skip


def test_the_link_corpus_has_eighty_values():
    assert len(BAD_URLS) >= 80


@pytest.mark.parametrize("url", GOOD_URLS)
def test_an_https_link_to_a_public_host_is_taken(url):
    assert taken(HttpsUrlField(), url) == url


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: ascii(url)[:40])
def test_any_other_link_is_refused(url):
    refused(HttpsUrlField(), url)


# --- Serializers ------------------------------------------------------------------------------------------------


class Line(StrictSerializer):
    amount = MoneyField()


class Order(StrictSerializer):
    name = PlainTextField(max_length=20)
    lines = Line(many=True, required=False)
    status = serializers.CharField(read_only=True)


def test_a_strict_serializer_takes_its_fields():
    order = Order(data={"name": "x", "lines": [{"amount": "1.00"}]})

    assert order.is_valid()
    assert order.validated_data == {"name": "x", "lines": [{"amount": Decimal("1.00")}]}


@pytest.mark.parametrize("name", ["status", "credits", "is_staff", "account", "", "Name", "__class__", "name "])
def test_an_unknown_or_read_only_field_is_refused_by_name(name):
    order = Order(data={"name": "x", name: "y"})

    assert not order.is_valid()
    assert order.errors == {name: ["Unknown field. Known fields: name, lines."]}


def test_an_unknown_field_inside_a_list_is_refused():
    order = Order(data={"name": "x", "lines": [{"amount": "1.00"}, {"amount": "1.00", "price": "0.01"}]})

    assert not order.is_valid()
    assert "price" in order.errors["lines"][1]


# --- Words out of a closed set, in answers --------------------------------------------------------------------------


@pytest.mark.parametrize("value", [InvoiceStatus.PAID, "paid"])
def test_a_word_of_a_closed_set_is_given_out_as_plain_text(value: str) -> None:
    answered = EnumField(InvoiceStatus).to_representation(value)

    assert (type(answered), answered) == (str, "paid")


def test_a_closed_set_is_described_by_its_words_and_their_labels() -> None:
    assert EnumField(ChangeKind).choices == {"order": "ORDER", "upgrade": "UPGRADE", "downgrade": "DOWNGRADE"}
    assert EnumField(("sites", "users")).choices == {"sites": "sites", "users": "users"}
    assert EnumField(SuspendedReason).choices == {"operator": "By an operator", "non_payment": "Not paid"}
