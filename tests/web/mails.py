"""Every link of a mail, and what opening it answers. Each area adds its mails in test_mail_links.py."""

import html
import re

from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client

BASE_URL = "http://testserver"
# Something that looks like a token of the API, or like the signed text of a link that stands outside of a link.
JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
SIGNED = re.compile(r"[\w.-]+:\w{6}:[\w-]{43}")


def sent() -> list[EmailMultiAlternatives]:
    return [each for each in mail.outbox if isinstance(each, EmailMultiAlternatives)]


def parts_of(message: EmailMultiAlternatives) -> list[str]:
    return [str(message.body), html.unescape(str(message.alternatives[0][0]))]


def links_of(message: EmailMultiAlternatives) -> list[str]:
    """Each link of both parts, once; all lead to us."""
    text, page = parts_of(message)
    found = [*re.findall(r"https?://[^\s<>\"]+", text), *re.findall(r'(?:href|src)="([^"]+)"', page)]
    links = list(dict.fromkeys(found))
    assert all(link.startswith(BASE_URL) for link in links), links
    return links


def opened(link: str, browser: Client | None = None) -> str:
    """What a person reads who opens the link, led on where it leads; fails where it leads to no page."""
    answer = (browser or Client()).get(link.removeprefix(BASE_URL) or "/", follow=True)
    assert answer.status_code == 200, (link, answer.status_code)
    assert answer["Content-Type"].startswith("text/html")
    return " ".join(html.unescape(answer.content.decode()).split())


def bare_tokens_of(message: EmailMultiAlternatives) -> list[str]:
    """What could be used as a credential and stands in the mail outside of its links."""
    return [
        token
        for part in parts_of(message)
        for token in [*JWT.findall(part), *SIGNED.findall(re.sub(r"https?://[^\s<>\"]+", "", part))]
    ]
