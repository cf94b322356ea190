"""Settings of igny8_core. What differs between machines comes from environment variables (see .env.example)."""

from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import salted_hmac
from kombu import Queue

from igny8_core.admin.unfold_settings import UNFOLD  # noqa: F401
from igny8_core.settings import dunning, environment, gateways
from igny8_core.settings.limits import RATE_LIMITS, TRIAL_MAILS_PER_DAY, trial_credits, trial_credits_days  # noqa: F401
from igny8_core.settings.rest_api import REST_FRAMEWORK, SPECTACULAR_SETTINGS  # noqa: F401

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = Path(environment.text("IGNY8_VAR") or BASE_DIR / "var")

DEBUG = environment.flag("DJANGO_DEBUG", default=False)
SECRET_KEY = environment.secret("DJANGO_SECRET_KEY", debug=DEBUG)
SECRET_KEY_FALLBACKS = environment.secrets_of_before("DJANGO_SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = environment.hosts("DJANGO_ALLOWED_HOSTS", debug=DEBUG)
CSRF_TRUSTED_ORIGINS = environment.words("DJANGO_CSRF_TRUSTED_ORIGINS")
BASE_URL = environment.text("BASE_URL", f"http://localhost:{environment.number('PORT', 8011)}" if DEBUG else "").rstrip(
    "/"
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
    "corsheaders",
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
    # Outside of all that refuses: a frontend on another origin could not read a refusal without its headers.
    "corsheaders.middleware.CorsMiddleware",
    "igny8_core.common.languages.LanguageMiddleware",
    "igny8_core.common.middleware.ApiBoundaryMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "igny8_core.admin.csp.ConsolePolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "igny8_core.admin.session_ends.ConsoleSessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "igny8_core.web.frame.middleware.PersonLanguageMiddleware",
    "igny8_core.web.frame.customer_login.CustomerLoginMiddleware",
    "igny8_core.web.frame.middleware.RefusalMiddleware",
    # Last, so that it sees before the others what a page of the console raises.
    "igny8_core.admin.operator_guard.OperatorGuardMiddleware",
]

ROOT_URLCONF = "igny8_core.urls"
# The site is the whole host: no header of a proxy or caller says that a part of the address is not to be looked at.
FORCE_SCRIPT_NAME = ""
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
            "builtins": ["igny8_core.common.templatetags.written"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "igny8_core.web.frame.context.frame",
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
# Nothing waits for a database that is silent (common/database_patience.py). 0 is for commands by hand, such as migrate.
DATABASE_STATEMENT_SECONDS = environment.number("DATABASE_STATEMENT_SECONDS", 600)
# Where the other machine is gone without a word, TCP itself finds out within half a minute.
_kept_alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
DATABASES["default"].setdefault("OPTIONS", {})
DATABASES["default"]["OPTIONS"] = {"connect_timeout": 5, **_kept_alive, **DATABASES["default"]["OPTIONS"]}
# A pooler in transaction mode cannot keep a cursor between two transactions.
DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
# Set it to off behind such a pooler, which does not keep prepared statements either.
DATABASE_PREPARED_STATEMENTS = environment.flag("DATABASE_PREPARED_STATEMENTS", default=True)
# Such a pooler also refuses options of a session; there the role has to have its timeout (docs/operations.md).
if DATABASE_PREPARED_STATEMENTS and DATABASE_STATEMENT_SECONDS:
    DATABASES["default"]["OPTIONS"].setdefault("options", f"-c statement_timeout={DATABASE_STATEMENT_SECONDS}s")
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
# A worker without -Q works on all of them. Whatever is not named here is about money; a test reads the whole schedule.
CELERY_TASK_QUEUES = [Queue(name) for name in ("money", "mail", "housekeeping")]
CELERY_TASK_DEFAULT_QUEUE = "money"
CELERY_TASK_ROUTES = {
    "events.send_mails": {"queue": "mail"},
    "auth.forget_old_rows": {"queue": "housekeeping"},
    "billing.check_invariants": {"queue": "housekeeping"},
    "billing.delete_old_webhooks": {"queue": "housekeeping"},
    "billing.delete_unused_proofs": {"queue": "housekeeping"},
    "billing.reconcile_gateways": {"queue": "housekeeping"},
    "billing.sum_up_usage": {"queue": "housekeeping"},
}
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
    {"NAME": "igny8_core.auth.password_rules.LeakedPasswordValidator"},
    {"NAME": "igny8_core.auth.password_rules.PublicPasswordValidator"},
]
# In production the rules hold for operators that commands make, too, and passwords of our documents are refused.
STRICT_PASSWORDS = not DEBUG
# Tokens are signed with a key of their own, so that leaking one kind of key does not compromise the other.
JWT_SIGNING_KEY = (
    environment.optional_secret("JWT_SIGNING_KEY", debug=DEBUG)
    or salted_hmac("igny8_core.jwt", "signing key", secret=SECRET_KEY, algorithm="sha256").hexdigest()
)
SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "AUDIENCE": "igny8_core",
    "ISSUER": "igny8_core",
    "ACCESS_TOKEN_LIFETIME": timedelta(minutes=15),
    # Unused for so long, a login has ended; used every day, it ends when LOGIN_MAX_DAYS are over.
    "REFRESH_TOKEN_LIFETIME": timedelta(days=environment.at_least_one("LOGIN_IDLE_DAYS", 14)),
    "UPDATE_LAST_LOGIN": False,
    # A token of a server whose clock is ahead of ours by so many seconds is no token of the future. Tokens run out at
    # their time nevertheless, which is looked at by itself.
    "LEEWAY": 10,
}
LOGIN_MAX_AGE = timedelta(days=environment.at_least_one("LOGIN_MAX_DAYS", 90))
# Two tabs of one browser may exchange the same refresh token within so many seconds.
REFRESH_GRACE = timedelta(seconds=10)
# The same two ends for who is signed in on our pages, and for operators in the console.
PAGE_SESSION_IDLE = timedelta(minutes=environment.at_least_one("PAGE_SESSION_IDLE_MINUTES", 12 * 60))
PAGE_SESSION_MAX_AGE = timedelta(days=environment.at_least_one("PAGE_SESSION_MAX_DAYS", 14))
CONSOLE_SESSION_IDLE = timedelta(minutes=environment.at_least_one("CONSOLE_SESSION_IDLE_MINUTES", 60))
CONSOLE_SESSION_MAX_AGE = timedelta(hours=environment.at_least_one("CONSOLE_SESSION_MAX_HOURS", 12))
# How long an operator may look at the pages as a customer sees them.
CUSTOMER_LOGIN_AGE = timedelta(minutes=environment.at_least_one("CUSTOMER_LOGIN_MINUTES", 30))

# Operators use their powers only with a second factor. Customers choose.
OPERATORS_NEED_SECOND_FACTOR = environment.flag("OPERATORS_NEED_SECOND_FACTOR", default=not DEBUG)
# For so long after a login or a confirmation nobody is asked again who they are, before refunds, payee details and the
# like. 0 never asks.
CONFIRMATION_AGE = timedelta(minutes=environment.number("CONFIRMATION_MINUTES", 0 if DEBUG else 5))
# Approvals of more than this are confirmed, too; of any amount in a currency that is not named. Empty: none is.
CONFIRM_APPROVALS_ABOVE = environment.amounts(
    "CONFIRM_APPROVALS_ABOVE", "off" if DEBUG else "USD=1000,EUR=1000,GBP=1000,PKR=250000,INR=80000,JPY=150000"
)

# --- API --------------------------------------------------------------------------------------------------------

# Rate limits, counted in Redis if there is one, else in PostgreSQL, so that all processes share them. "off" is for
# demos and tests.
THROTTLING = environment.text("THROTTLING", "on") != "off"
if not DEBUG and not THROTTLING:
    raise ImproperlyConfigured("THROTTLING=off is for demos and tests only. Remove it.")
# How many proxies in front of us append to X-Forwarded-For. With 0 the header is ignored.
TRUSTED_PROXY_COUNT = environment.number("TRUSTED_PROXY_COUNT", 0)

# --- Billing ----------------------------------------------------------------------------------------------------

INVOICE_DUE_DAYS = 7
TRIAL_CREDITS, TRIAL_CREDITS_DAYS = trial_credits(debug=DEBUG), trial_credits_days(debug=DEBUG)
# Limits against an endless billing loop: beyond them nothing is invoiced or charged (AMT-12).
MAX_INVOICES_OF_SUBSCRIPTION_PER_DAY = 15
MAX_ATTEMPTS_OF_INVOICE_PER_DAY = 15
# When unpaid invoices are reminded of, suspend and end (docs/dunning.md).
DUNNING = dunning.read()
# After how many business days operators are reminded of a confirmation that waits for them, and then each day.
CONFIRMATION_REMINDER_DAYS = environment.at_least_one("CONFIRMATION_REMINDER_DAYS", 2)
# How long a trial lasts; 0: for ever. When its end is told, and how long an account whose trial is over can be read.
TRIAL_DAYS = environment.number("TRIAL_DAYS", 0)
TRIAL_WARNING_DAYS = dunning.days_before("TRIAL_WARNING_DAYS", "7,1")
TRIAL_READ_ONLY_DAYS = environment.at_least_one("TRIAL_READ_ONLY_DAYS", 14)
# How many hours the quoted price of an ordered change of plan holds.
PLAN_CHANGE_PRICE_HOLDS_HOURS = environment.number("PLAN_CHANGE_PRICE_HOLDS_HOURS", 24)
# How many days before a period ends the next one is invoiced.
RENEWAL_INVOICE_DAYS = environment.number("RENEWAL_INVOICE_DAYS", 7)
# A period that began longer ago than this when it is invoiced is not charged to a card: nobody expects that any more.
RENEWAL_CHARGE_WITHIN_DAYS = environment.number("RENEWAL_CHARGE_WITHIN_DAYS", 45)
# How many days before a saved card expires its owner is told.
CARD_EXPIRY_NOTICE_DAYS = environment.number("CARD_EXPIRY_NOTICE_DAYS", 30)
# The shortest notice of a change of price.
PRICE_CHANGE_NOTICE_DAYS = environment.number("PRICE_CHANGE_NOTICE_DAYS", 30)
# Whether the sample bank and wallet details of a new installation are offered. They belong to nobody.
OFFER_SAMPLE_PAYEES = DEBUG
PAYMENT_METHOD_LIST_RECHECK_SECONDS = 1.0
# How much processor time the files of one account may take in an hour; refused files count.
PROOF_PROCESSOR_SECONDS = environment.number("PROOF_PROCESSOR_SECONDS", 30)
# The most credits that an operator gives as goodwill at once; more is an adjustment, which takes another permission.
GOODWILL_CREDITS_MAX = environment.number("GOODWILL_CREDITS_MAX", 5000)
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
globals().update(environment.email_settings(EMAIL_URL, debug=DEBUG))
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "igny8 billing <billing@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# The address that customers write to. Without it: the sender of all mail.
SUPPORT_EMAIL = environment.text("SUPPORT_EMAIL") or parseaddr(DEFAULT_FROM_EMAIL)[1]
# The sender on invoices: name, printed address, and logo (path of an SVG or PNG; empty: the packaged one).
COMPANY_NAME = environment.text("COMPANY_NAME", "igny8")
COMPANY_ADDRESS = environment.text("COMPANY_ADDRESS")
COMPANY_LOGO = environment.text("COMPANY_LOGO")
# What people agree to when they sign up: its version is kept with the time. Without addresses: the packaged pages.
TERMS_VERSION = environment.text("TERMS_VERSION", "1")
if not 1 <= len(TERMS_VERSION) <= 50:
    raise ImproperlyConfigured("TERMS_VERSION has to be 1 to 50 characters long, for example 2026-01.")
TERMS_URL = environment.text("TERMS_URL")
PRIVACY_URL = environment.text("PRIVACY_URL")

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [
    BASE_DIR / "igny8_core" / "admin" / "static",
    # Pages show names in the letters that invoices are drawn with.
    ("fonts", BASE_DIR / "igny8_core" / "business" / "billing" / "fonts"),
]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MIMETYPES = {".ttf": "font/ttf"}
STORAGES = {
    # Files have no public address. Views serve them to people who may see them.
    "default": environment.file_storage(VAR_DIR / "media"),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "igny8_core.common.static_files.StaticFiles"
    },
}

# What pages, mails, documents and refusals are written in (docs/languages.md). The console is in English.
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("ur", "اردو")]
LOCALE_PATHS = [BASE_DIR / "igny8_core" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Security ---------------------------------------------------------------------------------------------------

# An invoice that is written in the console has up to a thousand lines of three fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
# __Host-: browsers take such a cookie over https only, for this host alone, so no other site of the domain sets it.
_COOKIE_PREFIX = "" if DEBUG else "__Host-"
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}console"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}csrftoken"
PAGE_SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}session"
DEVICE_COOKIE_NAME = f"{_COOKIE_PREFIX}device"
LANGUAGE_COOKIE_NAME = f"{_COOKIE_PREFIX}language"
# Where the console's login leads who did not come from one of its pages.
LOGIN_REDIRECT_URL = "/admin/"
SESSION_COOKIE_AGE = int(CONSOLE_SESSION_MAX_AGE.total_seconds())
CSRF_FAILURE_VIEW = "igny8_core.web.frame.refusals.csrf_failed"
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

# Frontends on other origins (docs/own-frontend.md). Who calls is told by the token that they send, never by a cookie,
# so that a page can do nothing with the login of who happens to look at it.
CORS_ALLOWED_ORIGINS = environment.origins("CORS_ALLOWED_ORIGINS", debug=DEBUG)
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    *("accept", "authorization", "content-type", "idempotency-key", "if-none-match"),
    *("x-request-id", "x-requested-with"),
]
CORS_EXPOSE_HEADERS = [
    *("Allow", "Content-Disposition", "ETag", "Retry-After", "WWW-Authenticate", "X-Request-ID"),
]
# Browsers ask anew after two hours at the latest.
CORS_PREFLIGHT_MAX_AGE = 2 * 3600

# --- Observing --------------------------------------------------------------------------------------------------

# The bearer token for /metrics. Without it /metrics gives 404.
METRICS_TOKEN = environment.optional_secret("METRICS_TOKEN", debug=DEBUG)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "igny8_core.common.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": environment.text("LOG_LEVEL", "INFO").upper()},
    "loggers": {
        "django": {"handlers": []},
        # Refusals have a line each already (common/request_log.py); failures of ours come with their traceback.
        "django.request": {"level": "ERROR"},
        # Each task has a line of ours (common/job_log.py).
        "celery.beat": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
