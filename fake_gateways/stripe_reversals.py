"""Money that goes back: refunds and disputes."""

from copy import deepcopy

from fake_gateways.stripe_parameters import Object, Refusal
from fake_gateways.stripe_payments import Payments


class Reversals(Payments):
    """The part of the stand-in that gives money back."""

    def create_refund(self, params: Object) -> Object:
        """POST /v1/refunds"""
        if ("charge" in params) == ("payment_intent" in params):
            raise Refusal("One of charge and payment_intent is needed.", code="parameter_missing", param="charge")
        charge = self._charge_of_refund(params)
        left = charge["amount_captured"] - charge["amount_refunded"]
        amount = params.get("amount", left)
        if charge["disputed"]:
            raise Refusal("This charge is disputed.", code="charge_disputed")
        if not left:
            raise Refusal("The charge has already been refunded.", code="charge_already_refunded")
        if not 0 < amount <= left:
            raise Refusal(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", param="amount"
            )
        refund = self._add(
            "refund",
            amount=amount,
            currency=charge["currency"],
            status=self._cards[charge["payment_method"]].refunds,
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            reason=params.get("reason"),
            metadata=params.get("metadata", {}),
        )
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount_captured"]
        self._tell("refund.created", refund)
        self._tell("charge.refunded", charge)
        return refund

    def _charge_of_refund(self, params: Object) -> Object:
        if "charge" in params:
            return self._named("charge", params["charge"], "charge")
        intent = self._named("payment_intent", params["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            raise Refusal(f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.")
        return self._objects[intent["latest_charge"]]

    def refund_in_dashboard(self, object_id: str, amount: int | None = None) -> Object:
        """The merchant refunds a Charge or PaymentIntent in the dashboard. Without an amount: all that is left."""
        with self._changing():
            kind = self._objects[object_id]["object"]
            return deepcopy(self.create_refund({kind: object_id} | ({"amount": amount} if amount else {})))

    def settle_refund(self, refund_id: str) -> Object:
        """Complete a pending refund."""
        return self._move_refund(refund_id, "succeeded")

    def fail_refund(self, refund_id: str) -> Object:
        """The bank rejects a refund, even one that had succeeded. The money goes back to the merchant."""
        return self._move_refund(refund_id, "failed")

    def _move_refund(self, refund_id: str, status: str) -> Object:
        with self._changing():
            refund = self._existing("refund", refund_id)
            refund["status"] = status
            if status == "failed":
                refund["failure_reason"] = "lost_or_stolen_card"
                charge = self._objects[refund["charge"]]
                charge.update(amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
                self._tell("refund.failed", refund)
            self._tell("refund.updated", refund)
            return deepcopy(refund)

    def open_dispute(self, object_id: str, amount: int | None = None, reason: str = "fraudulent") -> Object:
        """The cardholder disputes a Charge or PaymentIntent at the bank. Stripe withdraws the money for now."""
        with self._changing():
            thing = self._objects[object_id]
            charge = self._objects[thing["latest_charge"]] if thing["object"] == "payment_intent" else thing
            charge["disputed"] = True
            dispute = self._add(
                "dispute",
                amount=amount or charge["amount"],
                currency=charge["currency"],
                charge=charge["id"],
                payment_intent=charge["payment_intent"],
                reason=reason,
                status="needs_response",
                metadata={},
            )
            self._tell("charge.dispute.created", dispute)
            self._tell("charge.dispute.funds_withdrawn", dispute)
            return deepcopy(dispute)

    def close_dispute(self, dispute_id: str, won: bool) -> Object:
        """The bank decides for the merchant (`won`) or for the cardholder."""
        with self._changing():
            dispute = self._existing("dispute", dispute_id)
            dispute["status"] = "won" if won else "lost"
            if won:
                self._tell("charge.dispute.funds_reinstated", dispute)
            self._tell("charge.dispute.closed", dispute)
            return deepcopy(dispute)
