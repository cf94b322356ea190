"""How the REST API behaves and describes itself; nothing here differs between machines."""

REST_FRAMEWORK = {
    # The token first: a request that carries one is never judged by a cookie that came along.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "igny8_core.auth.api.authentication.SessionTokenAuthentication",
        "igny8_core.auth.api.authentication.PageSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["igny8_core.common.api.permissions.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["igny8_core.common.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "igny8_core.common.api.schema.ApiSchema",
    "EXCEPTION_HANDLER": "igny8_core.common.api.exceptions.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_FORMAT": "iso-8601",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "igny8_core API",
    "DESCRIPTION": (
        "Signup, tenancy and billing.\n\n"
        '- A success is `{"success": true, "message": "…", "data": …}`, a list adds `count`, `next` and `previous`, a '
        'refusal is `{"success": false, "message": "…", "code": "…", "errors": {"field": ["…"]}, "request_id": "…"}`. '
        "`message` is for people; `code` is for programs and never changes: [all codes](/api/docs/codes/).\n"
        "- Send `Authorization: Bearer` with the token of a login. It works for 15 minutes, then refresh it.\n"
        '- Money is text in the currency\'s own decimals (`"89.00"`). Times are ISO 8601 in UTC.\n'
        "- What belongs to another account is 404, as if it were not there. Unknown fields and parameters are 400.\n"
        "- With an `Idempotency-Key`, a request that moves money or credits can be repeated safely for 48 hours.\n"
        "- Lists end at row 100,000 and count up to 10,000; 10,001 says that there are more. Narrow them with filters."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    # A list of values and their own names again tells nobody anything.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PATH_CONVERTER_OVERRIDES": {"int64": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}},
    # Of each set of words a name that stays: without it the generator makes one of the fields that have the set.
    "ENUM_NAME_OVERRIDES": {
        "AccountStatusEnum": "igny8_core.auth.models.AccountStatus",
        "BillingDriverEnum": "igny8_core.auth.models.BillingDriver",
        "BillingCycleEnum": "igny8_core.auth.models.BillingCycle",
        "ChangeKindEnum": "igny8_core.business.billing.services.subscriptions.plan_change.ChangeKind",
        "CreditGrantKindEnum": "igny8_core.business.billing.models.CreditGrantKind",
        "CreditTransactionTypeEnum": "igny8_core.business.billing.models.CreditTransactionType",
        "DisputeStatusEnum": "igny8_core.business.billing.models.DisputeStatus",
        "GranularityEnum": "igny8_core.api.usage_serializers.GRANULARITIES",
        "InvitationStatusEnum": "igny8_core.auth.models.InvitationState",
        "InvoiceStatusEnum": "igny8_core.business.billing.models.InvoiceStatus",
        "ManualMethodEnum": "igny8_core.business.billing.api.confirmation_serializers.MANUAL_CHOICES",
        "NextStepEnum": "igny8_core.business.billing.services.collection.attempts.NextStep",
        "PaymentMethodTypeEnum": "igny8_core.auth.models.PaymentMethodType",
        "PaymentStatusEnum": "igny8_core.business.billing.models.PaymentStatus",
        "PlanLimitEnum": "igny8_core.auth.selectors.PLAN_LIMITS",
        "ProofTypeEnum": "igny8_core.business.billing.models.ProofType",
        "RejectionCodeEnum": "igny8_core.business.billing.models.RejectionCode",
        "RenewalStatusEnum": "igny8_core.business.billing.models.RenewalStatus",
        "RoleEnum": "igny8_core.auth.models.Role",
        "SiteStatusEnum": "igny8_core.auth.models.SiteStatus",
        "SubscriptionStatusEnum": "igny8_core.auth.models.SubscriptionStatus",
        "StageKindEnum": "igny8_core.business.billing.models.StageKind",
        "DunningSubjectEnum": "igny8_core.business.billing.services.dunning.rules.Subject",
        "SuspendedReasonEnum": "igny8_core.auth.models.SuspendedReason",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "igny8_core.common.api.descriptions.describe_fields",
        "igny8_core.common.api.openapi.add_envelopes",
    ],
    "TAGS": [
        {"name": "auth", "x-displayName": "Login", "description": "Signing up, logging in, one's own profile"},
        {"name": "account", "x-displayName": "Account", "description": "One's own account: settings, limits, activity"},
        {"name": "team", "x-displayName": "Team", "description": "Members and invitations"},
        {"name": "sites", "x-displayName": "Sites", "description": "The account's web sites"},
        {"name": "billing", "x-displayName": "Billing", "description": "Payment methods, invoices, payments"},
        {"name": "credits", "x-displayName": "Credits", "description": "Balance and ledger"},
        {"name": "webhooks", "x-displayName": "Webhooks", "description": "Messages of Stripe and PayPal"},
        {"name": "operators", "x-displayName": "Operators", "description": "For the platform's operators"},
    ],
}
