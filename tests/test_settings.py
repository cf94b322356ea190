"""What the environment may say, and what production refuses to start with."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from igny8_core.settings import environment
from tests import warm_python
from tests.cases import some_of

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = ROOT / "igny8_core" / "settings"
GATEWAYS = ROOT / "igny8_core" / "business" / "billing" / "gateways"
PRODUCTION = {
    "DATABASE_URL": "postgresql://igny8@db.example.com:5432/igny8",
    "DJANGO_SECRET_KEY": "k9-Yx2_TqLw7ZrB4vNc8MhJd5FsGp3QaXeUi6OtRyWz1CbVnKm",
    "DJANGO_ALLOWED_HOSTS": "app.example.com",
    "BASE_URL": "https://app.example.com",
    "EMAIL_URL": "smtp://user:password@mail.example.com:587?tls=1",
    "DEFAULT_FROM_EMAIL": "billing@example.com",
}
# Of the system or of other programs, which document them.
FOREIGN = {"PIP_CONFIG_FILE", "XDG_CONFIG_HOME", "DYLD_FALLBACK_LIBRARY_PATH", "DJANGO_SETTINGS_MODULE"}
READ_BY_DJANGO = {"DJANGO_SUPERUSER_EMAIL", "DJANGO_SUPERUSER_PASSWORD"}


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py from nothing under exactly this environment."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**plain_environment(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def warm(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py under exactly this environment where others' packages are imported already."""
    return warm_python.run("manage.py", *arguments, environment={**plain_environment(), **environment})


def refusal(name: str, value: str | None) -> tuple[int, str]:
    """How production's start ends, exit code and last line, when a variable has a value, or is missing (None)."""
    given = {**PRODUCTION, **(S3 if name.startswith("AWS_") else {}), name: value}
    ended = warm("check", **{key: text for key, text in given.items() if text is not None})
    return ended.returncode, ended.stderr.strip().splitlines()[-1]


def plain_environment() -> dict[str, str]:
    plain = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    return {**plain, "IGNY8_VAR": "/nonexistent"}


def variables_read() -> set[str]:
    """The environment variables that settings, launchers, scripts and the compose file ask for by name."""
    asking = r"environment\.\w+|dunning\.\w+|days_of|api_base|environ(?:\.get)?|getenv"
    in_python = re.compile(rf"""(?:{asking})\s*[\[(]\s*"([A-Z][A-Z0-9_]+)\"""")
    sources = [*SETTINGS.glob("*.py"), *GATEWAYS.glob("*/settings.py"), *ROOT.glob("bin/*"), *ROOT.glob("*.py")]
    names = {name for path in sources if path.is_file() for name in in_python.findall(path.read_text(encoding="utf-8"))}
    names |= set(re.findall(r'text\("([A-Z][A-Z0-9_]+)"\)', (SETTINGS / "environment.py").read_text(encoding="utf-8")))
    compose = (ROOT / "docker-compose.app.yml").read_text(encoding="utf-8")
    return (names | set(re.findall(r"\$\{([A-Z][A-Z0-9_]+)", compose))) - FOREIGN


def variables_documented() -> list[str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"(?m)^(?:# )?([A-Z][A-Z0-9_]+)=", lines)


def test_the_search_for_variables_finds_those_that_everybody_knows() -> None:
    known = {"DATABASE_URL", "DJANGO_SECRET_KEY", "BASE_URL", "PORT", "POSTGRES_PASSWORD", "IGNY8_BASE_URL"}

    assert known <= variables_read()


def test_env_example_lists_every_variable_that_is_read() -> None:
    assert variables_read() - set(variables_documented()) == set()


def test_env_example_lists_nothing_that_is_not_read_and_nothing_twice() -> None:
    documented = variables_documented()

    assert set(documented) - variables_read() - READ_BY_DJANGO == set()
    assert len(documented) == len(set(documented))


def test_env_example_says_something_about_every_variable() -> None:
    blocks = (ROOT / ".env.example").read_text(encoding="utf-8").split("\n\n")
    with_variables = [block for block in blocks if re.search(r"(?m)^(# )?[A-Z][A-Z0-9_]+=", block)]

    assert len(with_variables) > 15
    for block in with_variables:
        sentence = block[: re.search(r"(?m)^(# )?[A-Z][A-Z0-9_]+=", block).start()]  # type: ignore[union-attr]
        assert len(sentence.split()) > 3, block


def test_a_copied_env_example_starts() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    copied = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))

    started = warm("check", **copied, DATABASE_URL=PRODUCTION["DATABASE_URL"])

    assert started.returncode == 0, started.stderr


def test_production_starts_with_its_variables_and_passes_the_deployment_check() -> None:
    nobody_listens = "postgresql://igny8@127.0.0.1:1/igny8"

    checked = manage("check", "--deploy", "--fail-level", "WARNING", **{**PRODUCTION, "DATABASE_URL": nobody_listens})

    assert checked.returncode == 0, checked.stderr
    # A remark and no warning: the one thing that the check asks the database.
    assert re.findall(r"\((\w+\.[A-Z]\d+)\)", checked.stderr + checked.stdout) == ["igny8_auth.I001"]


NEEDED = ["DJANGO_SECRET_KEY", "DJANGO_ALLOWED_HOSTS", "BASE_URL", "EMAIL_URL", "DATABASE_URL"]


@pytest.mark.parametrize("name", NEEDED)
def test_production_without_a_variable_does_not_start_and_names_it(name: str) -> None:
    code, sentence = refusal(name, None)

    assert code == 1
    assert sentence.startswith("django.core.exceptions.ImproperlyConfigured: ")
    assert name in sentence


BAD_VALUES = [
    ("DJANGO_SECRET_KEY", ""),
    ("DJANGO_SECRET_KEY", "short"),
    ("DJANGO_SECRET_KEY", "x" * 60),
    ("DJANGO_SECRET_KEY", "only-for-debug-" * 5),
    ("DJANGO_SECRET_KEY_FALLBACKS", "short"),
    ("DJANGO_SECRET_KEY_FALLBACKS", "only-for-debug-" * 5),
    ("DJANGO_ALLOWED_HOSTS", " , "),
    ("DJANGO_ALLOWED_HOSTS", "*"),
    ("JWT_SIGNING_KEY", "a"),
    ("METRICS_TOKEN", "x"),
    ("BASE_URL", "http://app.example.com"),
    ("EMAIL_URL", "pigeon://roof"),
    ("EMAIL_URL", "console://"),
    ("EMAIL_URL", "smtp://mail.example.com:25"),
    ("DATABASE_URL", "sqlite:///db.sqlite3"),
    ("THROTTLING", "off"),
    ("DATABASE_PREPARED_STATEMENTS", "maybe"),
    ("TRUSTED_PROXY_COUNT", "-1"),
    ("DJANGO_DEBUG", "perhaps"),
    ("CORS_ALLOWED_ORIGINS", "*"),
    ("CONFIRM_APPROVALS_ABOVE", "USD:1000"),
]


@pytest.mark.parametrize(("name", "value"), some_of(BAD_VALUES, each=4))
def test_production_with_a_bad_value_does_not_start_and_names_the_variable(name: str, value: str) -> None:
    code, sentence = refusal(name, value)

    assert code == 1
    assert name in sentence


@pytest.mark.parametrize(
    "value",
    [
        *("*", "null", "www.example.com", "https://", "https://www.example.com/", "https://www.example.com/app"),
        *("https://*.example.com", "https://WWW.example.com", "https://www.example.com:443", "https://a.example:99999"),
        *("http://www.example.com", "https://user@example.com", "https://a.example https://b.example"),
        *("https://a.example;https://b.example", "https://münchen.example", "https://a..example", "ftp://a.example"),
        *("https://good.example,wrong", "https://www.example.com?x", "'https://www.example.com'"),
    ],
)
def test_what_is_no_origin_does_not_start_and_is_named_with_an_example(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", value)

    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.origins("CORS_ALLOWED_ORIGINS", debug=False)

    assert str(refusal.value).startswith("CORS_ALLOWED_ORIGINS has ")
    assert "for example https://www.example.com" in str(refusal.value)


def test_origins_of_other_sites_and_of_this_machine_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = ["https://www.example.com", "https://shop.example.com:8443", "http://localhost:5173", "http://[::1]:3000"]
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", " , ".join(taken))

    assert environment.origins("CORS_ALLOWED_ORIGINS", debug=False) == taken


def test_a_page_in_the_house_without_https_is_taken_for_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOWED_ORIGINS", "http://192.168.1.7:5173")

    assert environment.origins("CORS_ALLOWED_ORIGINS", debug=True) == ["http://192.168.1.7:5173"]
    with pytest.raises(ImproperlyConfigured):
        environment.origins("CORS_ALLOWED_ORIGINS", debug=False)


@pytest.mark.parametrize("name", ["JWT_SIGNING_KEY", "METRICS_TOKEN"])
@pytest.mark.parametrize("value", ["a", "x" * 60, "ab" * 40, environment.DEBUG_SECRET])
def test_a_weak_secret_is_refused_with_what_is_expected(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ImproperlyConfigured, match=f"^{name} is too weak.*at least 50 random characters, for example"):
        environment.optional_secret(name, debug=False)
    assert environment.optional_secret(name, debug=True) == value


def test_a_strong_secret_is_taken_and_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    assert environment.optional_secret("METRICS_TOKEN", debug=False) == ""
    monkeypatch.setenv("METRICS_TOKEN", PRODUCTION["DJANGO_SECRET_KEY"])
    assert environment.optional_secret("METRICS_TOKEN", debug=False) == PRODUCTION["DJANGO_SECRET_KEY"]


@pytest.mark.parametrize("value", ["*", "app.example.com,*", "*.example.com", "*:443"])
def test_hosts_with_a_star_are_refused_with_an_example(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", value)

    with pytest.raises(ImproperlyConfigured, match=r"^DJANGO_ALLOWED_HOSTS has a \*.*for example app\.example\.com"):
        environment.hosts("DJANGO_ALLOWED_HOSTS", debug=False)
    assert environment.hosts("DJANGO_ALLOWED_HOSTS", debug=True) == value.split(",")


def test_a_domain_with_all_names_below_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOWED_HOSTS", ".example.com, app.example.org")

    assert environment.hosts("DJANGO_ALLOWED_HOSTS", debug=False) == [".example.com", "app.example.org"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("console://", "sends no mail"),
        ("file:///var/mails", "sends no mail"),
        ("smtp://user:password@mail.example.com:587", "without TLS"),
        ("smtp://user:password@mail.example.com:587?tls=0", "without TLS"),
        ("smtp://10.0.0.5", "without TLS"),
        ("smtp://127.0.0.1.example.com", "without TLS"),
        ("smtp://localhost@mail.example.com", "without TLS"),
    ],
)
def test_mail_that_nobody_gets_or_that_others_can_read_is_refused_in_production(url: str, said: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        environment.email_settings(url, debug=False)

    assert str(refusal.value).startswith("EMAIL_URL ")
    assert said in str(refusal.value)
    assert environment.MAIL_SERVER_EXAMPLE in str(refusal.value)
    # The sentence goes to logs, where no password belongs.
    assert "user:password@mail.example.com:587" not in str(refusal.value).replace(environment.MAIL_SERVER_EXAMPLE, "")
    assert environment.email_settings(url, debug=True)


@pytest.mark.parametrize(
    "url",
    [
        *(environment.MAIL_SERVER_EXAMPLE, "smtps://user:password@mail.example.com"),
        *("smtp://localhost:25", "smtp://127.0.0.1:1025", "smtp://[::1]:25"),
    ],
)
def test_mail_servers_with_tls_and_those_of_this_machine_are_taken(url: str) -> None:
    assert (
        environment.email_settings(url, debug=False)["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    )


S3 = {"AWS_STORAGE_BUCKET_NAME": "files", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize(
    "variables",
    [S3, {**S3, "AWS_S3_ENDPOINT_URL": "https://s3.example.com"}, {"AWS_STORAGE_BUCKET_NAME": "files"}],
    ids=["keys", "another S3", "the machine's role"],
)
def test_production_starts_with_its_files_on_s3(variables: dict[str, str]) -> None:
    code = "from django.core.files.storage import default_storage as s; "
    code += "print(s.bucket_name, s.default_acl, s.querystring_auth)"

    started = warm("shell", "--verbosity", "0", "--command", code, **PRODUCTION, **variables)

    assert (started.returncode, started.stdout) == (0, "files None True\n"), started.stderr


HALF_OF_S3 = [("AWS_SECRET_ACCESS_KEY", ""), ("AWS_S3_ENDPOINT_URL", "s3.example.com")]


@pytest.mark.parametrize(("name", "value"), HALF_OF_S3)
def test_half_of_what_s3_needs_does_not_start_and_names_the_variable(name: str, value: str) -> None:
    code, sentence = refusal(name, value)

    assert code == 1
    assert name in sentence


def test_the_driver_is_psycopg2_and_no_second_one_is_installed() -> None:
    assert settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert importlib.metadata.version("psycopg2-binary")
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("psycopg")


def test_there_is_no_transaction_around_whole_requests() -> None:
    assert settings.DATABASES["default"].get("ATOMIC_REQUESTS", False) is False
