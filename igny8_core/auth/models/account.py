from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from igny8_core.common import clock

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class AccountStatus(models.TextChoices):
    TRIAL = "trial", _("Trial")
    PENDING_PAYMENT = "pending_payment", _("Pending payment")
    ACTIVE = "active", _("Active")
    PAST_DUE = "past_due", _("Past due")
    SUSPENDED = "suspended", _("Suspended")
    CANCELED = "canceled", _("Canceled")


ACCOUNT_TRANSITIONS: dict[str, frozenset[str]] = {
    AccountStatus.TRIAL: frozenset(
        {AccountStatus.ACTIVE, AccountStatus.PENDING_PAYMENT, AccountStatus.SUSPENDED, AccountStatus.CANCELED}
    ),
    AccountStatus.PENDING_PAYMENT: frozenset({AccountStatus.ACTIVE, AccountStatus.CANCELED}),
    AccountStatus.ACTIVE: frozenset({AccountStatus.PAST_DUE, AccountStatus.SUSPENDED, AccountStatus.CANCELED}),
    AccountStatus.PAST_DUE: frozenset({AccountStatus.ACTIVE, AccountStatus.SUSPENDED, AccountStatus.CANCELED}),
    AccountStatus.SUSPENDED: frozenset({AccountStatus.ACTIVE, AccountStatus.PAST_DUE, AccountStatus.CANCELED}),
    AccountStatus.CANCELED: frozenset({AccountStatus.PENDING_PAYMENT, AccountStatus.ACTIVE}),
}


class SuspendedReason(models.TextChoices):
    """Why an account is suspended. Operators lift their own suspensions; a payment lifts one for non-payment."""

    OPERATOR = "operator", "By an operator"
    NON_PAYMENT = "non_payment", "Not paid"


class PaymentMethodType(models.TextChoices):
    """Payment methods, as accounts, payments and the configuration per country use them."""

    STRIPE = "stripe", "Stripe"
    PAYPAL = "paypal", "PayPal"
    BANK_TRANSFER = "bank_transfer", _("Bank Transfer")
    LOCAL_WALLET = "local_wallet", _("Local Wallet")
    MANUAL = "manual", _("Manual")


# Columns that are copied to the account's invoices.
BILLING_DETAILS = [
    "billing_email",
    "billing_address_line1",
    "billing_address_line2",
    "billing_city",
    "billing_state",
    "billing_postal_code",
    "billing_country",
    "tax_id",
]

# Columns that the account's own people change in its settings.
SETTINGS = ["name", "timezone", "language", *BILLING_DETAILS]


class Account(models.Model):
    """The tenant, who is billed and owns the data. Its row is the lock for everything that touches its money."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=80, unique=True)
    # Empty while the account and its first user are being created, in one transaction, and once it is deleted.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="owned_accounts"
    )
    plan = models.ForeignKey("igny8_auth.Plan", on_delete=models.PROTECT, related_name="accounts")
    status = models.CharField(max_length=20, choices=AccountStatus.choices)
    suspended_reason = models.CharField(max_length=20, choices=SuspendedReason.choices, blank=True)
    credits = models.PositiveBigIntegerField(
        "credit balance", default=0, help_text="Credits that the account can spend now"
    )
    billing_email = models.EmailField("billing e-mail address", blank=True)
    # The release before sets billing_email without it, and then it is not confirmed.
    confirmed_billing_email = models.EmailField(
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="The billing e-mail address that somebody confirmed with a mailed link, or an operator entered",
    )
    billing_address_line1 = models.CharField("address line 1", max_length=255, blank=True)
    billing_address_line2 = models.CharField("address line 2", max_length=255, blank=True)
    billing_city = models.CharField("city", max_length=100, blank=True)
    billing_state = models.CharField("state or province", max_length=100, blank=True)
    billing_postal_code = models.CharField("postal code", max_length=20, blank=True)
    billing_country = models.CharField("country", max_length=2, blank=True, help_text="ISO 3166-1 alpha-2")
    tax_id = models.CharField("tax number", max_length=100, blank=True)
    timezone = models.CharField(
        "time zone", max_length=64, default="UTC", help_text="IANA name, for example Asia/Karachi"
    )
    language = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="Of invoices and other documents, and of people who chose none; empty: English, or the browser's",
    )
    payment_method = models.CharField(
        max_length=20,
        choices=PaymentMethodType.choices,
        default=PaymentMethodType.STRIPE,
        help_text="Used if the account has no enabled default among its saved payment methods",
    )
    stripe_customer_id = models.CharField("Stripe customer ID", max_length=100, blank=True)
    trial_ends_at = models.DateTimeField(
        "trial ends",
        null=True,
        blank=True,
        help_text="From then on an account on trial is read only; empty: its trial has no end",
    )
    trial_stage = models.SmallIntegerField(
        null=True,
        blank=True,
        editable=False,
        help_text="The last stage of the trial's end that was taken, as days after it; negative: a warning before it",
    )
    trial_stage_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When it was taken")
    deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner deleted the account. Nobody can log in; invoices are kept."
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    if TYPE_CHECKING:
        from igny8_core.auth.models.user import User

        payment_methods: RelatedManager[models.Model]
        users: RelatedManager[User]

    class Meta:
        db_table = "igny8_accounts"
        ordering = ("-id",)
        permissions = [
            ("suspend_account", "Can suspend accounts and lift suspensions"),
            ("adjust_credits", "Can give and take credits by hand"),
            ("decide_dunning", "Can exempt accounts from dunning, and extend deadlines and trials"),
            ("give_goodwill", "Can give credits as goodwill"),
            ("resend_mail", "Can send mails about accounts again"),
            ("look_as_customer", "Can look at the pages as a customer sees them"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=AccountStatus.values), name="igny8_accounts_status_known"),
            models.CheckConstraint(condition=Q(credits__gte=0), name="igny8_accounts_credits_not_negative"),
            models.CheckConstraint(
                condition=Q(payment_method__in=PaymentMethodType.values), name="igny8_accounts_payment_method_known"
            ),
            models.CheckConstraint(
                condition=(Q(status=AccountStatus.SUSPENDED) & Q(suspended_reason__in=SuspendedReason.values))
                | (~Q(status=AccountStatus.SUSPENDED) & Q(suspended_reason="")),
                name="igny8_accounts_suspended_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(deleted_at__isnull=True) | Q(status=AccountStatus.CANCELED),
                name="igny8_accounts_deleted_is_canceled",
            ),
            models.UniqueConstraint(
                fields=["stripe_customer_id"],
                condition=~Q(stripe_customer_id=""),
                name="igny8_accounts_stripe_customer_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["status"], name="igny8_accounts_by_status"),
            # Migration 0004 adds two more, for the operators' search by the beginning of name and billing_email.
            BrinIndex(fields=["created_at"], name="igny8_accounts_by_time"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address_for_mail(self) -> str:
        """The address for mails about money: a confirmed `billing_email`, else the owner's address, else empty."""
        owners = self.owner.email if self.owner else ""
        return self.billing_email if self.is_billing_email_confirmed else owners

    @property
    def address_for_documents(self) -> str:
        """The address that stands on documents: `billing_email`, else the owner's address, else empty."""
        return self.billing_email or (self.owner.email if self.owner else "")

    @property
    def is_billing_email_confirmed(self) -> bool:
        """Whether there is a `billing_email` that mails may go to."""
        return self.billing_email != "" and self.billing_email == self.confirmed_billing_email

    @property
    def has_never_paid(self) -> bool:
        """Whether it is on trial, or waits for its first payment."""
        return self.status in {AccountStatus.TRIAL, AccountStatus.PENDING_PAYMENT}

    @property
    def default_payment_method(self) -> str:
        """Type of the account's enabled default payment method, else `payment_method`."""
        default = self.payment_methods.filter(is_default=True, is_enabled=True).values_list("type", flat=True).first()
        return default or self.payment_method
