"""The mail to operators when the books do not add up."""

from django.conf import settings
from django.utils.translation import ngettext

from igny8_core.common.mail import Mail
from igny8_core.events.models import Event


def books_mail(event: Event) -> Mail:
    """The broken rules with the first rows of each. The caller adds recipients."""
    rules = event.data["broken"]
    subject = ngettext(
        "Check the books: %(count)s rule is broken", "Check the books: %(count)s rules are broken", len(rules)
    ) % {"count": len(rules)}
    listed = [{**rule, "more": rule["rows"] - len(rule["examples"])} for rule in rules]
    link = f"{settings.BASE_URL}/admin/events/event/{event.pk}/change/"
    return Mail("books_broken", subject, [], {"rules": listed, "link": link})
