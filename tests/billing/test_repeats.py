"""One transfer that is sent in twice: by a reference in other letters, or by the same file (PAY-05)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from igny8_core.auth.models import User
from igny8_core.business.billing import errors
from igny8_core.business.billing.models import Payment
from igny8_core.business.billing.payment_repeats import repeats_of
from igny8_core.business.billing.payment_search import payments_matching
from igny8_core.business.billing.services.payments.offline import (
    approve_manual_payment,
    create_manual_payment,
    reference_fold,
    reference_key,
)
from igny8_core.business.billing.services.proofs.uploads import upload_proof
from tests import make
from tests.billing.files_of_strangers import exif, picture
from tests.refusals import require_refusal

pytestmark = pytest.mark.django_db

REFERENCE = "JC77812055"
ALIKE = {
    "Arabic digits": "JC٧٧٨١٢٠٥٥",
    "Urdu digits": "JC۷۷۸۱۲۰۵۵",
    "Devanagari": "JC७७८१२०५५",
    "Bengali": "jc ৭৭৮১২০৫৫",
    "Tamil": "JC௭௭௮௧௨௦௫௫",
    "Thai": "JC๗๗๘๑๒๐๕๕",
    "fullwidth": "ＪＣ７７８１２０５５",
    "mathematical": "𝐉𝐂𝟕𝟕𝟖𝟏𝟐𝟎𝟓𝟓",
    "superscript": "ᴶᶜ⁷⁷⁸¹²⁰⁵⁵",
    "Chinese": "JC七七八一二〇五五",
    "circled": "ⒿⒸ⑦⑦⑧①②⓪⑤⑤",
    "Cyrillic capitals": "ЈС77812055",
    "Cyrillic small letters": "јс77812055",
    "Cherokee": "ᎫᏟ77812055",
    "Greek Ϲ": "JϹ77812055",
    "O for 0": "JC778120 55".replace("0", "O"),
    "Cyrillic О for 0": "JC77812О55",
    "l for 1": "jc778l2055",
    "I for 1": "JC778I2055",
    "separators": "J.C/77-812 — 055",
    "accents": "JĆ77812055",
}
DIFFERENT = ["JC77812056", "JC7781205", "CJ77812055", "JD77812055", "JC77812550", "7C77812055"]


def live(*payments: Payment) -> list[bool]:
    return [Payment.objects.get(pk=payment.pk).is_flagged_duplicate for payment in payments]


def test_what_people_take_for_one_reference_is_one() -> None:
    folds = {name: reference_fold(written) for name, written in ALIKE.items()}

    assert folds == dict.fromkeys(ALIKE, reference_fold(REFERENCE))
    assert reference_fold("АС-1") == reference_fold("AC1") == reference_fold("ΑC١")
    assert reference_fold("دفعة ۱۲ی") == reference_fold("دفعة١٢ي")
    assert len({reference_fold(written) for written in [REFERENCE, *DIFFERENT]}) == len(DIFFERENT) + 1


def test_what_is_no_letter_of_the_fold_is_compared_as_it_was() -> None:
    assert reference_fold("ー") == reference_key("ー") != ""


@pytest.mark.parametrize("name", ["Urdu digits", "Cyrillic capitals", "O for 0"])
def test_both_sides_are_flagged_and_need_a_note(olga: User, name: str) -> None:
    make.payment_method(payment_method="local_wallet")
    first = make.submitted_payment(reference=REFERENCE)

    second = create_manual_payment(make.invoice(), "local_wallet", ALIKE[name])

    assert live(first, second) == [True, True]
    for payment in (first, second):
        require_refusal(errors.DuplicateReference, lambda payment=payment: approve_manual_payment(payment, olga))
        approve_manual_payment(payment, olga, admin_notes="Two on the statement", override_duplicate=True)


def test_a_decided_one_is_flagged_too_and_what_was_rejected_is_no_repeat(olga: User) -> None:
    approved, rejected = make.submitted_payment(reference="BT-1"), make.submitted_payment(reference="BT-2")
    approve_manual_payment(approved, olga)
    Payment.objects.filter(pk=rejected.pk).update(status="failed")

    make.submitted_payment(reference="ВТ-۱")
    other = make.submitted_payment(reference="BT 2")

    assert live(approved, rejected, other) == [True, False, False]


# --- The same file ------------------------------------------------------------------------------------------------


def proved_by(content: bytes, reference: str) -> Payment:
    """A payment of an account of its own, shown by this file."""
    invoice = make.invoice(make.owner().account)
    proof = upload_proof(invoice.account, invoice.account.owner, content)
    return make.submitted_payment(invoice, reference, proof=proof)


@pytest.mark.parametrize("orientation", [None, 1])
def test_the_same_file_of_two_accounts_flags_both(orientation: int | None) -> None:
    """Also where only what cameras note was changed: it is drawn as the same picture."""
    content = picture("JPEG", size=(300, 200))
    again = picture("JPEG", size=(300, 200), exif=exif(orientation)) if orientation else content
    first = proved_by(content, "BT-1")

    second, other = proved_by(again, "BT-2"), proved_by(picture("JPEG", size=(301, 200)), "BT-3")

    assert live(first, second, other) == [True, True, False]
    assert second.metadata == {"duplicate_of": first.pk}
    assert [(repeat.payment.pk, repeat.same) for repeat in repeats_of(first)] == [(second.pk, ["proof"])]
    assert (first.proof.original_sha256 == second.proof.original_sha256) == (orientation is None)


def test_both_reasons_are_named() -> None:
    content = make.png()
    first, second = proved_by(content, "BT-1"), proved_by(content, "bt1")

    assert [(repeat.payment.pk, repeat.same_text) for repeat in repeats_of(second)] == [
        (first.pk, "reference and proof")
    ]


# --- The release before -------------------------------------------------------------------------------------------


def test_what_the_release_before_wrote_is_found_and_flagged() -> None:
    older = make.submitted_payment(reference="BT-1"), make.submitted_payment(reference="BT-2")
    Payment.objects.filter(pk=older[0].pk).update(reference_fold="")
    Payment.objects.filter(pk=older[1].pk).update(reference_fold="")
    assert list(payments_matching(Payment.objects.all(), "bt 1")) == [older[0]]

    newer = make.submitted_payment(reference="ВТ-۱")

    assert live(*older, newer) == [True, False, True]
    assert not Payment.objects.filter(reference_fold="").exclude(reference_key="").exists()


# --- Search -------------------------------------------------------------------------------------------------------


@pytest.fixture
def wanted() -> Payment:
    other = make.invoice(line_items=[{"description": "x", "quantity": 1, "amount": "12.50"}])
    make.submitted_payment(other, "BT-9", payer_name="Rashid")
    account = make.owner({"billing_email": "books@acme.example"}, email="boss@acme.example").account
    return make.submitted_payment(make.invoice(account), ALIKE["Urdu digits"], payer_name="Jazz 0300 1234567")


FOUND = [
    *(REFERENCE, ALIKE["Cyrillic small letters"], "jc-778 12055", "89.00", "89", "89.00 USD", "usd 89", "۸۹", "89,00"),
    *("jazz 0300", "books@acme.example", "BOOKS@acme", "boss@acme.example"),
]
NOT_FOUND = ["89.00 PKR", "89.001", "-89", "9" * 13, "1e3", "acme.example", "0300"]


def test_search_finds_reference_amount_and_payer(wanted: Payment, olga: User, client: Client) -> None:
    client.force_login(olga)
    page = client.get(reverse("admin:billing_payment_changelist"), {"q": REFERENCE})
    assert [*page.context["cl"].queryset] == [wanted]
    search, request = page.context["cl"].model_admin.get_search_results, page.wsgi_request
    for text in FOUND:
        assert list(payments_matching(Payment.objects.all(), text)) == [wanted], text
        assert wanted in search(request, Payment.objects.all(), text)[0], text
    for text in NOT_FOUND:
        assert not payments_matching(Payment.objects.all(), text).exists(), text


# --- What operators see -------------------------------------------------------------------------------------------


def test_the_console_shows_both_sides(client: Client, olga: User) -> None:
    first, second = make.submitted_payment(reference="BT-1"), make.submitted_payment(reference="ВТ-1")
    client.force_login(olga)

    def shown(payment: Payment) -> str:
        return client.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()

    rows = client.get(reverse("admin:billing_payment_changelist"), {"is_repeated__exact": "1"}).context["cl"].queryset

    assert {*rows} == {first, second}
    assert f"Payment {second.pk}</a> of {second.account}" in shown(first)
    assert f"Payment {first.pk}</a> of {first.account}" in shown(second)


Login = Callable[[User], Any]


def test_the_api_names_the_same_file(olga: User, as_user: Login) -> None:
    first, second = proved_by(make.png(), "BT-1"), proved_by(make.png(), "BT-2")

    data = as_user(olga).get(f"/api/v1/admin/payments/{first.pk}/").json()["data"]

    assert (data["is_flagged_duplicate"], data["duplicate_of"]) == (True, None)
    assert [(repeat["payment_id"], repeat["same"]) for repeat in data["repeats"]] == [(second.pk, ["proof"])]
