"""Settings of igny8_core. What differs between machines comes from environment variables (see .env.example)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac

from igny8_core.admin.unfold_settings import UNFOLD  # noqa: F401
from igny8_core.settings import environment, gateways

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(environment.text("IGNY8_VAR") or BASE_DIR / "var")

DEBUG = environment.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = environment.secret("DJANGO_SECRET_KEY", debug=DEBUG)
SECRET_KEY_FALLBACKS = environment.secrets_of_before("DJANGO_SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environment.words("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
CSRF_TRUSTED_ORIGINS = environment.words("DJANGO_CSRF_TRUSTED_ORIGINS")
BASE_URL = environment.text("BASE_URL", f"http://localhost:{environment.number('PORT', 8011)}" if DEBUG else "").rstrip(
    "/"
)
if not DEBUG and not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "DJANGO_ALLOWED_HOSTS is missing. Set it to the host names of this site, separated by commas."
    )
if not DEBUG and not BASE_URL.startswith("https://"):
    raise ImproperlyConfigured(
        "BASE_URL is missing. Set it to the site's address, for example https://app.example.com."
    )

# --- Applications -----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # The theme's default configuration would replace our admin site with its own.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "igny8_core.admin.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "igny8_core.common.apps.CommonConfig",
    "igny8_core.events.apps.EventsConfig",
    "igny8_core.auth.apps.AuthConfig",
    "igny8_core.business.billing.apps.BillingConfig",
    "igny8_core.web.apps.WebConfig",
]

MIDDLEWARE = [
    "igny8_core.common.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "igny8_core.common.middleware.PolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "igny8_core.common.middleware.ApiBoundaryMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "igny8_core.admin.csp.ConsolePolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "igny8_core.common.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "igny8_core.urls"
WSGI_APPLICATION = "igny8_core.wsgi.application"
# A redirect would turn an API client's POST into a GET. A missing slash gives a 404 with a sentence instead.
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # igny8_core.admin configures Django's admin app and is no app of its own, so APP_DIRS does not find these.
        "DIRS": [BASE_DIR / "igny8_core" / "admin" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database, broker, cache ------------------------------------------------------------------------------------

DATABASE_URL = environment.database_url(VAR_DIR)
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=60, conn_health_checks=True)}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured(
        "DATABASE_URL is not a PostgreSQL address. Write it as postgresql://user:password@host:5432/name."
    )
# A pooler in transaction mode cannot keep a cursor between two transactions.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
# Set it to off behind such a pooler, which does not keep prepared statements either.
DATABASE_PREPARED_STATEMENTS = environment.flag("DATABASE_PREPARED_STATEMENTS", default=True)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.text("REDIS_URL")
# Without Redis the queue is in PostgreSQL, so that a first try needs no second server.
CELERY_BROKER_URL = (
    environment.text("CELERY_BROKER_URL")
    or REDIS_URL
    or DATABASE_URL.replace("postgresql://", "sqla+postgresql+psycopg2://").replace(
        "postgres://", "sqla+postgresql+psycopg2://"
    )
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- People and their credentials -------------------------------------------------------------------------------

AUTH_USER_MODEL = "igny8_auth.User"
# Where a login to the console leads that did not begin at one of its pages.
LOGIN_REDIRECT_URL = "/admin/"
PASSWORD_HASHERS = [
    "igny8_core.auth.hashing.BoundedArgon2",
    "igny8_core.auth.hashing.BoundedPBKDF2",
]
# How many passwords a process hashes at once (100 MiB each), and how many seconds others wait before they are refused.
PASSWORD_HASHES_AT_ONCE = environment.number("PASSWORD_HASHES_AT_ONCE", 2)
PASSWORD_HASH_PATIENCE_SECONDS = 5
if PASSWORD_HASHES_AT_ONCE == 0:
    raise ImproperlyConfigured("PASSWORD_HASHES_AT_ONCE is 0, so nobody could log in. Set it to 1 or more.")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "igny8_core.auth.password_rules.MaximumLengthValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "first_name", "last_name")},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Tokens are signed with a key of their own, so that leaking one kind of key does not compromise the other.
JWT_SIGNING_KEY = (
    environment.text("JWT_SIGNING_KEY")
    or salted_hmac("igny8_core.jwt", "signing key", secret=SECRET_KEY, algorithm="sha256").hexdigest()
)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "AUDIENCE": "igny8_core",
    "ISSUER": "igny8_core",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    "REFRESH_TOKEN_LIFETIME": timedelta(days=14),
    "UPDATE_LAST_LOGIN": False,
}

# --- API --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["igny8_core.auth.api.authentication.SessionTokenAuthentication"],
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
        '- A success is `{"success": true, "message": "…", "data": …}`. A list also has `count`, `next`, `previous`. '
        'An error is `{"success": false, "message": "…", "code": "…", "errors": {"field": ["…"]}, "request_id": "…"}`. '
        "`message` is for people; `code` is for programs and never changes: [all codes](/api/docs/codes/).\n"
        "- Log in and send `Authorization: Bearer <token>`. A token works for 15 minutes; then refresh it.\n"
        '- Money is text with the decimals of its currency (`"89.00"`). Times are ISO 8601 in UTC.\n'
        "- Objects of other accounts give 404, as if they did not exist. Unknown fields and parameters give 400.\n"
        "- With an `Idempotency-Key`, a request that moves money or credits can be repeated safely for 48 hours.\n"
        "- Lists end at row 100,000 and count up to 10,000; 10,001 means that there are more. Use filters."
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    # The descriptions would just repeat the values.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "PATH_CONVERTER_OVERRIDES": {"int64": {"type": "integer", "format": "int64", "minimum": 1, "maximum": 10**18 - 1}},
    # Stable names of enums. Without them the generator derives names from the fields that use an enum.
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
        "RoleEnum": "igny8_core.auth.models.Role",
        "SiteStatusEnum": "igny8_core.auth.models.SiteStatus",
        "SubscriptionStatusEnum": "igny8_core.auth.models.SubscriptionStatus",
        "SuspendedReasonEnum": "igny8_core.auth.models.SuspendedReason",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "igny8_core.common.api.descriptions.describe_fields",
        "igny8_core.common.api.openapi.add_envelopes",
    ],
    "TAGS": [
        {"name": "auth", "x-displayName": "Login", "description": "Signing up, logging in, your profile"},
        {"name": "account", "x-displayName": "Account", "description": "Your account: settings, limits, activity"},
        {"name": "team", "x-displayName": "Team", "description": "Members and invitations"},
        {"name": "sites", "x-displayName": "Sites", "description": "The account's web sites"},
        {"name": "billing", "x-displayName": "Billing", "description": "Payment methods, invoices, payments"},
        {"name": "credits", "x-displayName": "Credits", "description": "Balance, transactions, usage, packages"},
        {"name": "webhooks", "x-displayName": "Webhooks", "description": "Webhook messages of Stripe and PayPal"},
        {"name": "operators", "x-displayName": "Operators", "description": "For operators of the platform"},
    ],
}

# Rate limits, counted in Redis if there is one, else in PostgreSQL, so that all processes share them. "off" is for
# demos and tests.
THROTTLING = environment.text("THROTTLING", "on") != "off"
if not DEBUG and not THROTTLING:
    raise ImproperlyConfigured("THROTTLING=off is for demos and tests only. Remove it.")
RATE_LIMITS = {
    "login": ["10/minute", "15/15minutes"],
    "register": ["10/minute", "60/hour"],
    "refresh": ["60/minute"],
    "confirm": ["30/hour"],
    "reset": ["5/15minutes", "20/day"],
    "verify": ["10/hour"],
    "invite": ["30/hour"],
    "token": ["20/minute"],
    "schema": ["60/minute"],
    "upload": ["30/hour"],
    "payment_methods": ["120/minute"],
    "pdf": ["30/minute"],
    "purchase": ["30/hour"],
    "pay": ["20/minute", "100/hour"],
    "pay_page": ["60/minute", "600/hour"],
}
# How many proxies in front of us append to X-Forwarded-For. With 0 the header is ignored.
TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0)

# --- Billing ----------------------------------------------------------------------------------------------------

INVOICE_DUE_DAYS = 7
# Limits against an endless billing loop: beyond them nothing is invoiced or charged (AMT-12).
MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = 15
MAX_ATTEMPTS_OF_INVOICE_PER_DAY = 15
# How many hours the quoted price of an ordered change of plan holds.
PLAN_CHANGE_PRICE_HOLDS_HOURS = environment.number("PLAN_CHANGE_PRICE_HOLDS_HOURS", 24)
# Whether the sample bank and wallet details of a new installation are offered. They belong to nobody.
OFFER_SAMPLE_PAYEES = DEBUG
PAYMENT_METHOD_LIST_RECHECK_SECONDS = 1.0
# The owner is told when the balance falls below this share of the plan's credits (event credits.low).
CREDITS_LOW_PERCENT = 10

# --- Payment gateways -------------------------------------------------------------------------------------------

# A gateway without keys is off, and the API shows its payment methods as not available.
STRIPE = gateways.read("stripe", debug=DEBUG)
PAYPAL = gateways.read("paypal", debug=DEBUG)

# --- Mail, files, pages -----------------------------------------------------------------------------------------

EMAIL_URL = environment.text("EMAIL_URL", "console://" if DEBUG else "")
if not EMAIL_URL:
    raise ImproperlyConfigured(
        "EMAIL_URL is missing. Set it to your mail server, for example smtp://user:password@host:587?tls=1."
    )
globals().update(environment.email_settings(EMAIL_URL))
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "igny8 billing <billing@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The sender on invoices: name, printed address, and logo (path of an SVG or PNG; empty: the packaged one).
COMPANY_NAME = environment.text("COMPANY_NAME", "igny8")
COMPANY_ADDRESS = environment.text("COMPANY_ADDRESS")
COMPANY_LOGO = environment.text("COMPANY_LOGO")

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "igny8_core" / "admin" / "static"]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
STORAGES = {
    # Files have no public address. Views serve them to people who may see them.
    "default": environment.file_storage(VAR_DIR / "media"),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

# --- Security ---------------------------------------------------------------------------------------------------

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = not DEBUG
SECURE_REDIRECT_EXEMPT = [r"^healthz/$", r"^readyz/$", r"^metrics$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Observing --------------------------------------------------------------------------------------------------

# The bearer token for /metrics. Without it /metrics gives 404.
METRICS_TOKEN = environment.text("METRICS_TOKEN")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "igny8_core.common.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": []},
        # The schedule starts tasks every two seconds; the tables have their results.
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
