"""Links to payment proofs: signed for one person and one proof, valid for five minutes (TEN-05)."""

from datetime import timedelta

from igny8_core.auth.models import User
from igny8_core.business.billing.errors import ProofLinkExpired
from igny8_core.business.billing.models import PaymentProof
from igny8_core.business.billing.selectors import all_proofs, proofs_of
from igny8_core.common.errors import NotFound
from igny8_core.common.signed_texts import BadSignature, SignatureExpired, opened, signed

LIFETIME = timedelta(minutes=5)
SEES_ALL = "billing.view_payment"
SALT = "igny8_core.billing.payment_proof"


def link_token(proof_id: int, user_id: int) -> str:
    """The token with which this person can fetch this proof for the next five minutes."""
    return signed(f"{proof_id}.{user_id}", salt=SALT)


def proof_of_link(proof_id: int, token: str) -> PaymentProof:
    """The proof that the token opens. Whether the person may see it is checked now, not when the link was made.

    Raises ProofLinkExpired, NotFound for any other token that does not open this proof.
    """
    try:
        named, user_id = opened(token, salt=SALT).split(".")
        if int(named) != proof_id:
            raise NotFound()
        opened(token, salt=SALT, lifetime=LIFETIME)
    except SignatureExpired:
        raise ProofLinkExpired() from None
    except BadSignature:
        raise NotFound() from None
    proof = _seen_by(int(user_id), proof_id)
    if proof is None:
        raise NotFound()
    return proof


def _seen_by(user_id: int, proof_id: int) -> PaymentProof | None:
    user = User.objects.select_related("account").filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    proof = proofs_of(user.account).filter(pk=proof_id).first() if user.account else None
    if proof is None and user.is_staff and user.has_perm(SEES_ALL):
        proof = all_proofs().filter(pk=proof_id).first()
    return proof
