"""Payments: what customers say they paid, what operators decide, and what follows from money that came in."""

from collections.abc import Mapping
from decimal import Decimal

from igny8_core.auth.locks import lock_account
from igny8_core.auth.models import Account, PaymentMethodType, User
from igny8_core.business.billing.errors import (
    AmountMismatch,
    ConfirmationAlreadyOpen,
    DuplicateReference,
    NoSuchProof,
    OwnAccountPayment,
    PaymentMethodNotAvailable,
    PaymentNotPending,
    ProofAlreadyUsed,
)
from igny8_core.business.billing.locks import lock_invoice, lock_payment
from igny8_core.business.billing.models import (
    CAPTURED_STATUSES,
    GATEWAY_METHODS,
    MANUAL_METHODS,
    CreditNote,
    Invoice,
    Payment,
    PaymentMethodConfig,
    PaymentProof,
    PaymentStatus,
)
from igny8_core.business.billing.offers import offered_payment_methods
from igny8_core.business.billing.selectors import proofs_of
from igny8_core.business.billing.services.attempts import Attempt
from igny8_core.business.billing.services.gateway_payments import GatewayPaymentService
from igny8_core.business.billing.services.gateway_refunds import GatewayRefundService
from igny8_core.business.billing.services.open_attempts import require_no_other_payment
from igny8_core.business.billing.services.pay_links import pay_link
from igny8_core.business.billing.services.payment_offers import require_payable, required_offer_of
from igny8_core.business.billing.services.payment_transitions import reject, submit
from igny8_core.business.billing.services.refund_service import RefundService
from igny8_core.business.billing.services.settlement import Settlement, capture
from igny8_core.common.db import lock_text, refusing, service_transaction
from igny8_core.common.errors import InvalidInput
from igny8_core.common.money import InvalidAmount, format_amount, minor_units, parse_amount, typed_amount
from igny8_core.common.text import folded


class PaymentService:
    """Everything that is done with payments. Each decision has one owner here; API, pages and admin all call it."""

    @staticmethod
    def get_available_payment_methods(country_code: str = "") -> list[PaymentMethodConfig]:
        """Methods offered in a country (ISO 3166-1 alpha-2; empty: the global ones), by sort order."""
        return offered_payment_methods(country_code)

    @staticmethod
    @service_transaction
    def create_manual_payment(
        invoice: Invoice,
        payment_method: str,
        reference: str,
        *,
        amount: Decimal | float | str | None = None,
        notes: str = "",
        proof_url: str = "",
        proof: PaymentProof | None = None,
        submitted_by: User | None = None,
    ) -> Payment:
        """Record that a customer says they paid an invoice by bank or wallet; operators check it.

        `amount` must be what is due to the cent (None: the invoice's total). A reference that another live payment
        carries is accepted and flagged in `metadata["duplicate_of"]`.
        `proof` is an upload of the account that no payment has used; it stays with this payment for good.
        An attempt at a gateway that is open is closed first.
        Raises InvoiceNotFound, InvoiceNotPayable, AmountMismatch, PaymentMethodNotAvailable, ConfirmationAlreadyOpen,
        NoSuchProof, ProofAlreadyUsed, InvalidAmount for more decimals than the currency has; InvoicePaidMeanwhile,
        PaymentBeingChecked and AttemptNotClosed where an attempt was paid, may be, or cannot be closed.
        """
        key = reference_key(reference)
        # Two accounts that send the same reference at the same moment must see each other.
        lock_text("payment reference", f"{payment_method}:{key}")
        account = lock_account(invoice.account_id)
        invoice = lock_invoice(account, invoice.pk)
        _require_payable(invoice, payment_method, _read(amount, invoice.currency))
        if proof is not None:
            proof = _unused(account, proof)
        require_no_other_payment(invoice)
        earlier = _live_payment_with(payment_method, key)
        with refusing("igny8_payments_one_under_way", ConfirmationAlreadyOpen()):
            return submit(
                account,
                invoice,
                submitted_by,
                payment_method=payment_method,
                manual_reference=reference,
                reference_key=key,
                manual_notes=notes,
                proof_url=proof_url,
                proof=proof,
                metadata={"duplicate_of": earlier.pk} if earlier else {},
            )

    @staticmethod
    @service_transaction
    def approve_manual_payment(
        payment: Payment, approved_by: User, *, admin_notes: str = "", override_duplicate: bool = False
    ) -> Settlement:
        """Accept a manual payment: invoice paid, subscription and account active, credits granted; all or nothing.

        Raises PaymentNotPending when it was decided already, DuplicateReference for a flagged payment without
        `override_duplicate` and `admin_notes`, OwnAccountPayment, InvoiceNotPayable, SubscriptionNotPayable; for a
        change of plan PlanChangeOutdated where it costs another amount by now (the order is made again with
        SubscriptionDecisionService.order_again), PlanChangePeriodOver.
        """
        account = lock_account(payment.account_id)
        payment = lock_payment(account, payment.pk)
        _require_undecided(payment, approved_by)
        if payment.is_flagged_duplicate and not (override_duplicate and admin_notes):
            raise DuplicateReference()
        return capture(payment, by=approved_by, admin_notes=admin_notes)

    @staticmethod
    @service_transaction
    def reject_manual_payment(payment: Payment, reason: str = "", rejected_by: User | None = None) -> Payment:
        """Refuse a manual payment; the invoice stays open and the customer can confirm again.

        `approved_by` and `approved_at` say who decided and when, as for an approval.
        Raises PaymentNotPending when it was decided already, OwnAccountPayment.
        """
        account = lock_account(payment.account_id)
        payment = lock_payment(account, payment.pk)
        _require_undecided(payment, rejected_by)
        reject(payment, rejected_by, reason)
        return payment

    @staticmethod
    def create_stripe_payment(
        invoice: Invoice,
        payment_method_id: str = "",
        *,
        off_session: bool = False,
        save_card: bool = False,
        return_url: str = "",
        started_by: User | None = None,
        request_key: str = "",
    ) -> Attempt:
        """Pay an invoice by card: at once with a saved card (`payment_method_id`, Stripe's pm_…), else in the browser.

        With test keys Stripe's own test cards (pm_card_visa, …) are taken too, saved or not.
        `off_session`: the customer is not there, as at a renewal; where the bank wants them, the invoice stays open and
        they get a mail with a link to pay. `save_card` keeps a card that is entered now. `return_url` is where the bank
        sends the customer back to (empty: the invoice's payment page).
        Raises what GatewayPaymentService.pay raises. RuntimeError in a transaction.
        """
        return GatewayPaymentService.pay(
            invoice,
            PaymentMethodType.STRIPE,
            card=payment_method_id,
            off_session=off_session,
            save_card=save_card,
            return_url=return_url or pay_link(invoice),
            started_by=started_by,
            request_key=request_key,
        )

    @staticmethod
    def create_paypal_payment(
        invoice: Invoice, *, return_url: str = "", started_by: User | None = None, request_key: str = ""
    ) -> Attempt:
        """Open an order at PayPal for an invoice; the customer approves it at `attempt.charge.approve_url`.

        Raises what GatewayPaymentService.pay raises. RuntimeError in a transaction.
        """
        return GatewayPaymentService.pay(
            invoice,
            PaymentMethodType.PAYPAL,
            return_url=return_url or pay_link(invoice),
            started_by=started_by,
            request_key=request_key,
        )

    @staticmethod
    def handle_stripe_success(payment_intent: object) -> Payment | None:
        """Ask Stripe about a PaymentIntent and record what it says; None for one that is not ours.

        `payment_intent`: its id (pi_…), or the object or dict that has it as `id`. Whatever the caller was told, only
        Stripe's answer counts. Raises InvalidInput, PaymentNotFound, GatewayUnavailable, GatewayMisconfigured,
        GatewayNotConfigured. RuntimeError in a transaction.
        """
        return GatewayPaymentService.sync(PaymentMethodType.STRIPE, _id_of(payment_intent))

    @staticmethod
    def handle_stripe_failure(payment_intent: object) -> Payment | None:
        """As handle_stripe_success: a payment that has succeeded meanwhile stays so."""
        return GatewayPaymentService.sync(PaymentMethodType.STRIPE, _id_of(payment_intent))

    @staticmethod
    def handle_paypal_success(order_id: object, capture_id: object = "") -> Payment | None:
        """Ask PayPal about an order, capture it where the customer has approved it, and record what PayPal says.

        `order_id`: the id, or the order that has it as `id`. `capture_id` is not believed: the order names its capture.
        Raises as handle_stripe_success.
        """
        return GatewayPaymentService.sync(PaymentMethodType.PAYPAL, _id_of(order_id))

    @staticmethod
    def handle_paypal_failure(order_id: object) -> Payment | None:
        """As handle_paypal_success: a payment that has succeeded meanwhile stays so."""
        return GatewayPaymentService.sync(PaymentMethodType.PAYPAL, _id_of(order_id))

    @staticmethod
    def complete_payment(payment: Payment) -> Attempt:
        """Go on with a payment after the customer has been at the gateway, approved an order for example.

        Raises PaymentDeclined, AuthenticationRequired, GatewayUnavailable, GatewayMisconfigured, GatewayNotConfigured.
        """
        return GatewayPaymentService.complete(payment)

    @staticmethod
    def process_refund(
        payment: Payment,
        amount: Decimal | float | str | None = None,
        *,
        reason: str = "Refund",
        reference: str = "",
        refunded_by: User | None = None,
        request_key: str = "",
    ) -> CreditNote:
        """Give back `amount` of a captured payment (None: all that is left); what is unspent of its credits goes too.

        Money that came by bank or wallet goes back by hand: `reference` is that transfer's. Card and PayPal money goes
        back through the gateway, outside any transaction. The customer gets the credit note by mail. A subscription
        that was paid so goes on until it is canceled.
        Raises PaymentNotRefundable, RefundExceedsPayment, InvalidAmount, OwnAccountPayment, RefundUnderWay; for
        gateways GatewayNotConfigured, RefundRefused, RefundBeingChecked.
        """
        exact = _read(amount, payment.currency)
        if payment.payment_method in GATEWAY_METHODS:
            return GatewayRefundService.refund(payment, exact, reason, refunded_by, request_key)
        return RefundService.refund_by_hand(payment, exact, reason, reference, refunded_by)


def _id_of(named: object) -> str:
    """The gateway's id in what a caller passes: the id itself, or the object or dict that has it as `id`."""
    found = named.get("id") if isinstance(named, Mapping) else getattr(named, "id", named)
    if not isinstance(found, str) or not found:
        raise InvalidInput("Expected the id that the gateway gave, or the gateway's object with its id.")
    return found


def reference_key(reference: str) -> str:
    """A bank or wallet reference without what people write differently: case, spaces, dashes, full-width forms."""
    key = folded(reference)
    if not key:
        text = "Give the reference of your transfer, as the bank or wallet shows it."
        raise InvalidInput(errors={"manual_reference": [text]})
    return key[:100]


def _require_payable(invoice: Invoice, payment_method: str, amount: Decimal | None) -> None:
    require_payable(invoice)
    if amount is not None:
        _require_exact(amount, invoice)
    if payment_method not in MANUAL_METHODS:
        raise PaymentMethodNotAvailable(errors={"payment_method": [PaymentMethodNotAvailable.text]})
    required_offer_of(invoice, payment_method)


def _read(amount: Decimal | float | str | None, currency: str) -> Decimal | None:
    """An amount as people write it by hand: text counts as it does on an invoice's line. Raises InvalidAmount."""
    return parse_amount(amount, currency) if isinstance(amount, str) else typed_amount(amount, currency)


def _require_exact(amount: Decimal, invoice: Invoice) -> None:
    due = f"{format_amount(invoice.total, invoice.currency)} {invoice.currency}"
    # A signalling NaN cannot even be compared.
    if not isinstance(amount, Decimal) or amount.is_snan() or amount != invoice.total:
        raise AmountMismatch(errors={"amount": [f"Expected exactly {due}."]})
    # 89.000 is as much, but no amount of dollars: strict money parsing takes the currency's own decimals (AMT-05).
    if -int(amount.as_tuple().exponent) > minor_units(invoice.currency):
        raise InvalidAmount(errors={"amount": [f"Write the amount with the decimals of the currency: {due}."]})


def _unused(account: Account, proof: PaymentProof) -> PaymentProof:
    """The account's proof as it is under the account's lock. Raises NoSuchProof, ProofAlreadyUsed."""
    found = proofs_of(account).filter(pk=proof.pk).first()
    if found is None:
        raise NoSuchProof(errors={"proof": [NoSuchProof.text]})
    if hasattr(found, "payment"):
        raise ProofAlreadyUsed(errors={"proof": [ProofAlreadyUsed.text]})
    return found


def _live_payment_with(payment_method: str, key: str) -> Payment | None:
    live = [PaymentStatus.PENDING_APPROVAL, *CAPTURED_STATUSES]
    repeats = Payment.objects.filter(payment_method=payment_method, reference_key=key, status__in=live)
    return repeats.order_by("pk").first()


def _require_undecided(payment: Payment, operator: User | None) -> None:
    if operator is not None and operator.account_id == payment.account_id:
        raise OwnAccountPayment()
    if payment.status != PaymentStatus.PENDING_APPROVAL:
        raise PaymentNotPending()
