"""Proofs of payment: uploading a file, and downloading it with a link that works for five minutes."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from igny8_core.auth.permissions import CanManageBilling, IsMember, account_of, user_of
from igny8_core.business.billing.errors import (
    FileCheckBusy,
    FileTooLarge,
    ProofLimitReached,
    ProofLinkExpired,
    ProofStorageDown,
    ProofTimeUsedUp,
    UnreadableFile,
    UnsupportedFileType,
)
from igny8_core.business.billing.models import ProofType
from igny8_core.business.billing.selectors import proofs_of
from igny8_core.business.billing.serializers import PaymentProofOutput
from igny8_core.business.billing.services.proofs import files
from igny8_core.business.billing.services.proofs.links import proof_of_link
from igny8_core.business.billing.services.proofs.uploads import upload_proof
from igny8_core.common.api.downloads import AnyType, file_response
from igny8_core.common.api.envelope import success
from igny8_core.common.api.permissions import PublicEndpoint
from igny8_core.common.api.refusals import refuses
from igny8_core.common.api.throttling import UserThrottle
from igny8_core.common.api.uploads import FILE, StrictMultiPartParser, uploaded_file
from igny8_core.common.api.views import ApiViewSet
from igny8_core.common.errors import NotFound

KINDS = "A picture (PNG, JPEG, HEIC, WebP or AVIF) or a PDF, at most 5 MB"
UPLOAD = {
    "type": "object",
    "required": [FILE],
    "additionalProperties": False,
    "properties": {FILE: {"type": "string", "format": "binary", "description": KINDS}},
}
FILE_TYPES = "Sent as anything but multipart/form-data, or a file of another kind: see code."


class UploadThrottle(UserThrottle):
    scope = "upload"


class PaymentProofUploadViewSet(ApiViewSet):
    """Uploading a proof of payment."""

    tag = "billing"
    permission_classes = (CanManageBilling,)
    throttle_classes = (UploadThrottle,)
    parser_classes = (StrictMultiPartParser,)

    @extend_schema(
        operation_id="upload_payment_proof",
        request={StrictMultiPartParser.media_type: UPLOAD},
        responses={201: PaymentProofOutput, 415: OpenApiResponse(description=FILE_TYPES)},
    )
    @refuses(
        FileTooLarge,
        UnsupportedFileType,
        UnreadableFile,
        ProofLimitReached,
        ProofTimeUsedUp,
        FileCheckBusy,
        ProofStorageDown,
    )
    def create(self, request: Request) -> Response:
        """Upload a picture or PDF as proof of a payment. Send its id when you confirm the payment, within 7 days.

        What the file is counts, not what it is called. It is painted anew and stored as PNG, JPEG or PDF: pictures
        upright and without what cameras note in them, PDFs of up to 20 pages as pictures of their pages.
        """
        proof = upload_proof(account_of(request), user_of(request), uploaded_file(request))
        output = PaymentProofOutput(proof, context=self.serializer_context())
        return success(output.data, _("File stored. Send its id as proof when you confirm the payment."), status=201)


class PaymentProofViewSet(ApiViewSet):
    """The account's proofs of payment."""

    tag = "billing"
    permission_classes = (IsMember,)
    lookup_url_kwarg = "proof_id"

    @extend_schema(operation_id="retrieve_payment_proof", responses=PaymentProofOutput)
    def retrieve(self, request: Request, proof_id: int) -> Response:
        """An uploaded file: its type, its payment, and a link to download it within 5 minutes."""
        proof = proofs_of(account_of(request)).filter(pk=proof_id).first()
        if proof is None:
            raise NotFound()
        return success(PaymentProofOutput(proof, context=self.serializer_context()).data)

    @extend_schema(
        operation_id="download_payment_proof",
        parameters=[OpenApiParameter("token", str, required=True, description="The token in the proof's `url`")],
        responses={
            **{(200, content_type): OpenApiTypes.BINARY for content_type in ProofType.values},
            404: None,
            410: None,
        },
    )
    # Browsers open this link without an Authorization header. The token in the address is the credential.
    @action(
        detail=True,
        authentication_classes=(),
        permission_classes=(PublicEndpoint,),
        content_negotiation_class=AnyType,
        query_parameters=frozenset({"token"}),
    )
    @refuses(ProofLinkExpired, ProofStorageDown)
    def file(self, request: Request, proof_id: int) -> HttpResponse:
        """Download the file with the link in the proof's `url`, within 5 minutes and while the person may see it."""
        proof = proof_of_link(proof_id, request.query_params.get("token", ""))
        return file_response(files.fetch(proof), proof.content_type, proof.neutral_name)
