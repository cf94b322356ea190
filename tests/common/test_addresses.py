"""Which e-mail addresses are taken, and which of them are one mailbox."""

import pytest

from igny8_core.common.addresses import is_address, mailbox_of

TAKEN = [
    "a@example.com", "first.last+tag@sub.example.co.uk", "o'neil@example.com", "a@xn--bcher-kva.example",
    "1@1.example", f"{'a' * 64}@example.com", "a@example.museum", "a_b-c@example-shop.com",
]  # fmt: skip
REFUSED = [
    "x@[10.0.0.5]", "x@[ipv6:::1]", "x@[ipv6:2001:db8::1]", '"a"@example.com', '"a b"@example.com',
    '"a\\"b"@example.com', '"very.long"@example.com', "a@b@example.com", "x@10.0.0.5", "x@10.0.0.55", "x@127.1",
    "x@2130706433", "x@0x7f.1", "x@localhost", "x@intranet", "x@example.", "x@.example.com", "x@-a.example.com",
    "x@a-.example.com", "x@exa_mple.com", ".a@example.com", "a.@example.com", "a..b@example.com",
    "a(comment)@example.com", "a@(comment)example.com", "a@example.com(comment)", "Name <a@example.com>",
    "<a@example.com>", "mailto:a@example.com", "a@example.com,b@example.com", "a@example.com;b@example.com",
    "a b@example.com", "a@example.com\n", "a\t@example.com", "a@example.com\0", "a%00@[::1]",
    f"{'a' * 65}@example.com", f"a@{'b' * 250}.com", "ä@example.com", "a@exämple.com", "a@example.com.",
    "a@@example.com", "@example.com", "a@", "", "a", "deleted-7@deleted.invalid", "a@x.localhost",
    "a@1.0.0.127.in-addr.arpa", "a@x.onion", "a@example.c0m1", "a@[example.com]", "a@example.com:25",
    "a@example.com/", "a!b:c@example.com", "a@1e100", "a@::1",
]  # fmt: skip


@pytest.mark.parametrize("address", TAKEN)
def test_addresses_that_mail_can_be_sent_to_are_taken(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize("address", REFUSED, ids=ascii)
def test_others_are_not(address: str) -> None:
    assert not is_address(address)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("greta@example.com", "Greta+trial7@EXAMPLE.com"),
        ("greta@example.com", '"greta"@example.com'),
        ("greta@example.com", '"gre\\ta"+x@example.com'),
        ("greta@example.com", "greta(again)@example.com"),
        ("greta@example.com", "greta@example.com."),
        ("gretaguest@gmail.com", "g.r.e.t.a.guest+1@googlemail.com"),
        ("greta@proton.me", "gre-ta+2@protonmail.com"),
        ("greta@pm.me", "gre_t.a@proton.me"),
        ("greta@icloud.com", "greta+x@me.com"),
        ("greta-guest@yandex.ru", "greta.guest@ya.ru"),
        ("greta@yahoo.com", "greta-trial@yahoo.com"),
        ("greta@fastmail.com", "trial@greta.fastmail.com"),
        ("greta@bücher.example", "greta+x@xn--bcher-kva.example"),
        ("greta@ｅxample.com", "greta@example.com"),
    ],
)
def test_variants_of_an_address_are_one_mailbox(one: str, other: str) -> None:
    assert mailbox_of(one) == mailbox_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("greta.guest@example.com", "gretaguest@example.com"),
        ("greta-guest@example.com", "greta@example.com"),
        ("greta@example.com", "greta@example.org"),
        ("greta@sub.example.com", "greta@example.com"),
        ("+a@example.com", "+b@example.com"),
    ],
)
def test_other_people_have_other_mailboxes(one: str, other: str) -> None:
    assert mailbox_of(one) != mailbox_of(other)
