"""POST /pay/<token>/confirm/: who paid by bank or wallet tells us so."""

from django.core.exceptions import TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from igny8_core.business.billing.errors import (
    FileCheckBusy,
    FileTooLarge,
    ProofLimitReached,
    ProofStorageDown,
    ProofTimeUsedUp,
    UnreadableFile,
    UnsupportedFileType,
)
from igny8_core.business.billing.models import Invoice
from igny8_core.business.billing.services.invoices.ways import manual_offers
from igny8_core.business.billing.services.payments.linked_confirmations import TransferSaid, confirm_transfer
from igny8_core.common.errors import DomainError, InvalidInput
from igny8_core.common.languages import translated
from igny8_core.common.marks import gettext_noop
from igny8_core.web.frame.limits import count
from igny8_core.web.pay.bounded_upload import BoundedUploadHandler
from igny8_core.web.pay.confirmation_form import ConfirmationForm
from igny8_core.web.pay.door import back_to_page, count_link, for_the_form, shown
from igny8_core.web.pay.states import PageState, page_context

# Of the whole form. A larger file than is taken is still read to its end, so that the browser hears the answer.
MAX_FORM_BYTES = 32 * 1024 * 1024
# Which field of the form a refusal of the services is about.
FIELDS = {"manual_reference": "reference"}
ABOUT_THE_FILE = (
    FileTooLarge,
    UnsupportedFileType,
    UnreadableFile,
    FileCheckBusy,
    ProofStorageDown,
    ProofLimitReached,
    ProofTimeUsedUp,
)


class FormCutOff(DomainError):
    code = "form_cut_off"
    http_status = 400
    text = gettext_noop(
        "The form did not arrive whole, and nothing of it was kept. Check your connection and send it again."
    )


class FormTooLarge(DomainError):
    code = "form_too_large"
    http_status = 413
    text = gettext_noop("The file is far too large, and nothing was kept. A photo or PDF of up to 5 MB is expected.")


class FormTooOld(DomainError):
    code = "form_too_old"
    http_status = 403
    text = gettext_noop(
        "The form was open for very long, or your browser keeps no cookies of this site. Nothing was kept. Allow "
        "cookies for this page if you block them, and send the form again."
    )


@csrf_exempt  # Checked below: Django would read the file before we can say how much of it is taken.
@for_the_form
def confirm(request: HttpRequest, invoice: Invoice, token: str) -> HttpResponse:
    """Take what a payer says of their transfer and lead back to the page, which then shows that it is checked."""
    _read(request)
    ways = [(offer.payment_method, translated(offer.display_name)) for offer in manual_offers(invoice)]
    if not ways:
        raise InvalidInput(_("This invoice cannot be paid by bank or wallet."))
    form = ConfirmationForm(request.POST, request.FILES, ways=ways)
    if _is_of_another_site(request):
        return _again(request, invoice, token, form, FormTooOld())
    if not form.is_valid():
        return _again(request, invoice, token, form, InvalidInput())
    try:
        count(request, "pay_confirm")
        count_link(invoice, "pay_confirm")
        confirm_transfer(invoice, _said(form), form.cleaned_data["proof"])
    except DomainError as refusal:
        return _again(request, invoice, token, form, refusal)
    return back_to_page(token)


def _read(request: HttpRequest) -> None:
    """Read the whole form, and its file no further than it is taken. Raises FormTooLarge, FormCutOff."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_FORM_BYTES:
        raise FormTooLarge()
    request.upload_handlers = [BoundedUploadHandler(request)]
    try:
        request.POST  # noqa: B018 - reads it
    except (MultiPartParserError, UnreadablePostError, RawPostDataException, TooManyFieldsSent, TooManyFilesSent):
        raise FormCutOff() from None


def _is_of_another_site(request: HttpRequest) -> bool:
    return CsrfViewMiddleware(lambda _: HttpResponse()).process_view(request, _again, (), {}) is not None


def _said(form: ConfirmationForm) -> TransferSaid:
    said = form.cleaned_data
    return TransferSaid(
        payment_method=said["payment_method"],
        reference=said["reference"],
        transferred_on=said["transferred_on"],
        payer_name=said["payer_name"],
        notes=said["notes"],
    )


def _again(
    request: HttpRequest, invoice: Invoice, token: str, form: ConfirmationForm, refusal: DomainError
) -> HttpResponse:
    """The page as it is now, with what was typed where it can be sent again, and each refusal at its field."""
    invoice.refresh_from_db()
    if isinstance(refusal, ABOUT_THE_FILE):
        form.add_error("proof", _about_file(refusal))
    for name, sentences in (refusal.errors or {}).items():
        form.add_error(FIELDS.get(name, name if name in form.fields else None), sentences)
    context = page_context(invoice, form=form)
    if context["state"] != PageState.OPEN:
        # Decided meanwhile, in another tab or by somebody else.
        context["problem"] = _("%(refusal)s What you sent just now was not kept.") % {"refusal": refusal.text}
    elif not form.errors:
        context["problem"] = refusal.text
    return shown(request, "page", token, context, refusal)


def _about_file(refusal: DomainError) -> str:
    if isinstance(refusal, ProofLimitReached):
        return _("No more files can be kept for this customer. Send the form without one; we ask if we need it.")
    return refusal.text
