"""The image and the compose file, as far as they can be held to their promises without a container engine."""

import fnmatch
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.app.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture
def services() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    return loaded["services"]


def instructions(name: str) -> list[str]:
    """The Dockerfile's instructions of one name, continuation lines joined."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.split(None, 1)[1] for line in joined.splitlines() if line.startswith(f"{name} ")]


def test_the_services_of_the_documentation_are_there(services: dict[str, Any]) -> None:
    workers = {"worker", "worker_mail", "worker_housekeeping", "beat"}
    assert set(services) == {"igny8_backend", "migrate", "postgres", "redis"} | workers


def test_everything_that_serves_waits_for_the_migration(services: dict[str, Any]) -> None:
    for name in ("igny8_backend", "worker", "worker_mail", "worker_housekeeping", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
        assert services[name]["depends_on"]["redis"] == {"condition": "service_healthy"}
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert services["migrate"]["restart"] == "no"


def brought_by(services: dict[str, Any], name: str) -> set[str]:
    """All services that Compose starts with one, itself included."""
    needed = services[name].get("depends_on", {})
    return {name}.union(*(brought_by(services, other) for other in needed))


def test_the_site_brings_all_that_it_works_with(services: dict[str, Any]) -> None:
    assert brought_by(services, "igny8_backend") == set(services)
    # It answers while they are still coming up, or when one cannot.
    for name in ("worker", "worker_mail", "worker_housekeeping", "beat"):
        assert services["igny8_backend"]["depends_on"][name] == {"condition": "service_started"}
        assert "igny8_backend" not in brought_by(services, name)


def test_the_migration_step_seeds_and_fails_when_a_part_of_it_fails(services: dict[str, Any]) -> None:
    shell, options, script = services["migrate"]["command"]

    assert (shell, options) == ("sh", "-ec")
    assert re.findall(r"manage\.py (\w+)", script) == ["migrate", "seed_defaults", "ensure_demo_operator"]


@pytest.mark.parametrize(("debug", "commands"), [("1", 3), ("on", 3), ("0", 2), ("", 2)])
def test_only_a_development_site_gets_the_demo_operator(services: dict[str, Any], debug: str, commands: int) -> None:
    script = services["migrate"]["command"][2].replace("$$", "$").replace("python manage.py", "echo")

    environment = {"PATH": "/usr/bin:/bin", "DJANGO_DEBUG": debug}
    done = subprocess.run(["sh", "-ec", script], env=environment, capture_output=True, text=True, check=True)

    assert len(done.stdout.splitlines()) == commands


def test_a_variable_that_must_be_set_is_asked_for_in_a_sentence() -> None:
    asked = re.findall(r"\$\{(\w+):\?([^}]+)\}", COMPOSE.read_text(encoding="utf-8"))

    assert {name for name, _ in asked} == {"POSTGRES_PASSWORD"}
    for name, sentence in asked:
        assert sentence.startswith(f"Set {name} in .env")


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert published == {"igny8_backend": ["127.0.0.1:${PORT:-8011}:8011"]}


def test_the_database_is_kept_in_a_volume_and_is_as_new_as_the_project_needs(services: dict[str, Any]) -> None:
    major = int(services["postgres"]["image"].removeprefix("postgres:"))

    assert major >= 18  # from 18 on the image keeps its data below /var/lib/postgresql
    assert services["postgres"]["volumes"] == ["database:/var/lib/postgresql"]


def test_no_secret_is_written_down() -> None:
    for text in (DOCKERFILE, COMPOSE.read_text(encoding="utf-8")):
        written = re.findall(r"(?im)^\s*\w*(?:SECRET|PASSWORD|TOKEN|KEY)\w*\s*[:=]\s*(.+)$", text)
        assert [value for value in written if not value.startswith("${")] == []
        assert re.findall(r"://\w+:(?!\$)[^@/\s]+@", text) == []


def test_the_image_runs_as_an_ordinary_user_who_cannot_change_the_code() -> None:
    assert instructions("USER") == ["10001:10001"]
    before_user = DOCKERFILE.split("\nUSER ")[0]
    assert before_user.count("\nCOPY ") == DOCKERFILE.count("\nCOPY ")
    assert "--chown" not in DOCKERFILE


def test_packages_are_installed_by_hash_with_the_libraries_that_the_launcher_installs() -> None:
    system, packages = instructions("RUN")[:2]

    assert "--require-hashes -r requirements.txt" in packages
    libraries = re.findall(r'"([a-z0-9.+-]+)"', _line(ROOT / "bin" / "system_libraries.py", "DEBIAN_PACKAGES"))
    assert libraries
    assert set(libraries) <= set(system.split())


def test_every_file_that_the_image_needs_gets_past_dockerignore() -> None:
    copied = [source for copy in instructions("COPY") for source in copy.split()[:-1]]
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = [line.removeprefix("!") for line in lines if line.startswith("!")]

    assert lines[1] == "*"
    assert sorted(copied) == sorted(allowed)
    for source in copied:
        assert (ROOT / source).exists()
    assert not any(fnmatch.fnmatch(name, pattern) for name in (".env", ".git", "var", ".venv") for pattern in allowed)


class Listener(BaseHTTPRequestHandler):
    """Stands in for the web server and remembers what it was asked."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Host"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.mark.parametrize(
    ("allowed", "host"),
    [("app.example.com, b", "app.example.com"), (".example.com", "example.com"), ("*", "localhost"), ("", "localhost")],
)
def test_the_image_probes_its_health_under_a_host_name_that_django_accepts(allowed: str, host: str) -> None:
    (probe,) = instructions("HEALTHCHECK")
    code = probe.split('"-c", "', 1)[1].removesuffix('"]')
    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        subprocess.run(
            [sys.executable, "-c", code.replace("8011", str(server.server_port))],
            env={"DJANGO_ALLOWED_HOSTS": allowed},
            check=True,
        )
        thread.join()

    assert Listener.asked.pop() == ("/healthz/", host)


def _line(path: Path, start: str) -> str:
    return next(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith(start))
