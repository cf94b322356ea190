"""Dialogs on a row's page: the form without fields, the result of a decision, and the way back to the page."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.forms import BaseDialogForm

from igny8_core.common.errors import DomainError
from igny8_core.console.columns import change_url


class ConfirmDialog(BaseDialogForm):  # type: ignore[misc]
    """A dialog without fields: a text and a button."""


def row_id(object_id: str) -> int:
    """The id in an address as a number; 0, which no row has, if it is not a number."""
    return int(object_id) if object_id.isdecimal() and len(object_id) < 20 else 0


def decided(
    request: HttpRequest, model: str, object_id: str | Callable[[], str], decide: Callable[[], str]
) -> HttpResponse:
    """Call `decide`, show the sentence that it returns or what its DomainError says, and go back to the row's page.

    `model` is app_model, such as "billing_payment". `object_id`: the row's, or what gives it once that is decided.
    """
    try:
        sentence = decide()
    except DomainError as refusal:
        wrong = [text for texts in (refusal.errors or {}).values() for text in texts]
        messages.warning(request, " ".join(wrong) or refusal.text)
    else:
        messages.success(request, sentence)
    return back_to(request, model, object_id if isinstance(object_id, str) else object_id())


def back_to(request: HttpRequest, model: str, object_id: str) -> HttpResponse:
    """Leads from a dialog back to the row's page. `model` is app_model."""
    return led_to(request, change_url(model, object_id))


def led_to(request: HttpRequest, address: str) -> HttpResponse:
    """Leads from a dialog to a page of the console."""
    # A script sends dialogs and would put a redirect's page into the dialog.
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)
