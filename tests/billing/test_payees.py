"""How bank and wallet details are said, without a database."""

from decimal import Decimal
from typing import Any

import pytest

from igny8_core.business.billing.gateways import takes
from igny8_core.business.billing.models import PayeeVersion
from igny8_core.business.billing.payees import details_of, instructions_of, refused_details, text_without_details

PAYABLE = [
    *(("stripe", "0.50", "USD"), ("stripe", "0.30", "GBP"), ("stripe", "50", "JPY"), ("stripe", "25000.00", "PKR")),
    *(("stripe", "999999.99", "USD"), ("stripe", "1000000", "JPY"), ("stripe", "1.230", "KWD")),
    *(("paypal", "0.02", "USD"), ("paypal", "500", "JPY"), ("paypal", "500.00", "HUF")),
    *(("bank_transfer", "0.01", "PKR"), ("local_wallet", "0.01", "USD")),
]
NOT_PAYABLE = [
    *(("stripe", "0.49", "USD"), ("stripe", "0.02", "USD"), ("stripe", "49", "JPY"), ("stripe", "174.99", "HUF")),
    *(("stripe", "1000000.00", "USD"), ("stripe", "89.00", "IRR"), ("stripe", "1.234", "KWD"), ("stripe", "0", "PKR")),
    *(("paypal", "25000.00", "PKR"), ("paypal", "500.50", "HUF"), ("paypal", "0.00", "USD")),
]


def bank(**more: str) -> PayeeVersion:
    given = {"bank_name": "ABC Bank", "account_number": "1234567890", "swift_code": "ABCPKKA", **more}
    return PayeeVersion(**given)


def test_instructions_are_the_details_then_the_operator_s_words() -> None:
    wallet = PayeeVersion(wallet_type="JazzCash", wallet_id="03001234567", instructions="Thank you.")

    assert instructions_of(bank()) == "Bank: ABC Bank\nAccount: 1234567890\nSWIFT: ABCPKKA"
    assert instructions_of(wallet) == "Send payment to:\nJazzCash: 03001234567\nThank you."
    assert instructions_of(PayeeVersion()) == ""


def test_each_detail_that_is_known_has_its_label() -> None:
    every = bank(account_title="Acme", routing_number="00-11", iban="GB29", wallet_type="UPI")

    assert [label for label, _ in details_of(every)] == [
        "Bank", "Account holder", "Account", "Routing number", "IBAN", "SWIFT", "Wallet",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "Bank: ABC Bank\nAccount: 1234567890\nSWIFT: ABCPKKA",
        "Bank: ABC Bank, Account: 1234567890, SWIFT: ABCPKKA",
        "account number: 1234 5678 90",
        "1234-567-890",
        "Send payment to:",
        "",
    ],
)
def test_a_line_that_only_repeats_details_is_not_said_twice(words: str) -> None:
    said = instructions_of(bank(instructions=f"{words}\nPlease name the invoice."))

    assert text_without_details(bank(instructions=words)) == ""
    assert said.count("1234567890") == 1
    assert said.endswith("\nPlease name the invoice.")


def test_a_line_that_repeats_the_details_of_before_is_dropped_too() -> None:
    text = "Account: 1234567890\nWrite to us."

    assert text_without_details(bank(account_number="6666666666", instructions=text), bank()) == "Write to us."


@pytest.mark.parametrize("number", ["1234567890", "1234 567 890", "6666666666"])
def test_a_number_in_a_sentence_is_refused(number: str) -> None:
    after = bank(account_number="6666666666", swift_code="", instructions=f"Send it to {number} by Friday.")

    refusals = refused_details(bank(), after)

    assert list(refusals) == ["instructions"]
    assert "Remove " in refusals["instructions"][0]


@pytest.mark.parametrize("placeholder", ["-", "—", "n/a", "none"])
def test_what_stands_for_no_number_is_none(placeholder: str) -> None:
    words = "Nonetheless transfer the money internationally."

    assert refused_details(None, PayeeVersion(account_number=placeholder, instructions=words)) == {}


@pytest.mark.parametrize(("column", "value"), [("iban", "DE" + "0" * 20), ("swift_code", "ABCPKKA")])
def test_samples_do_not_pass_an_edit(column: str, value: str) -> None:
    details: dict[str, Any] = {"account_number": "1", column: value}

    assert list(refused_details(PayeeVersion(**{column: value}), PayeeVersion(**details))) == [column]


@pytest.mark.parametrize(("method", "amount", "currency"), PAYABLE)
def test_what_a_gateway_takes_is_offered(method: str, amount: str, currency: str) -> None:
    assert takes(method, Decimal(amount), currency)


@pytest.mark.parametrize(("method", "amount", "currency"), NOT_PAYABLE)
def test_what_a_gateway_does_not_take_is_not_offered(method: str, amount: str, currency: str) -> None:
    assert not takes(method, Decimal(amount), currency)
