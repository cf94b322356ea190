"""Forks for each program that is asked for. tests/warm_python.py starts it with `python -I`.

A line of JSON asks to start a program, and is answered with the id of its process, or asks how one ended.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import sys
import traceback
from typing import Any

# What our programs import of others for long, as far as it looks neither at settings nor at the environment.
IMPORTED = (
    *("argon2", "babel.dates", "botocore.exceptions", "celery.app.base", "celery.apps.worker", "celery.bin.worker"),
    *("cryptography.fernet", "dj_database_url", "django.contrib.admin.utils", "django.core.checks.registry"),
    *("django.core.files.storage", "django.core.management", "django.core.serializers.json"),
    *("django.db.backends.postgresql.base", "django.db.migrations.autodetector", "django.db.migrations.executor"),
    *("django.db.models", "django.forms", "django.template.backends.django", "django.test", "django.views.generic"),
    *("gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "inflection", "jinja2", "jsonschema", "jwt", "psutil"),
    *("psycopg2.extras", "pygments.formatters", "redis.asyncio", "requests", "segno", "sqlparse", "unittest.mock"),
    *("uritemplate", "yaml"),
)


def next_program() -> dict[str, Any]:
    """What is to be run in this process, which is a fork; the first process stays here until nobody asks any more."""
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        if "ended" in asked:
            pid, status = os.waitpid(asked["ended"], os.WNOHANG)
            _answer(os.waitstatus_to_exitcode(status) if pid else None)
        elif pid := os.fork():
            _answer(pid)
        else:
            return dict(asked)
    sys.exit()


def _answer(number: int | None) -> None:
    sys.stdout.write(f"{json.dumps(number)}\n")
    sys.stdout.flush()


def become(environment: dict[str, str], folder: str, output: str, errors: str) -> None:
    """Take over what belongs to the program: its environment, folder and files."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate((os.devnull, output, errors)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)


def run(command: list[str]) -> None:
    """Do what `python <command>` does, with the places where Python looks for modules."""
    sys.argv = command[1:] if command[0] == "-m" else command
    first = os.path.dirname(os.path.abspath(command[0])) if command[0] not in ("-c", "-m") else os.getcwd()
    sys.path[:0] = [first, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    if command[0] == "-c":
        sys.argv = ["-c", *command[2:]]
        exec(compile(command[1], "<string>", "exec"), {"__name__": "__main__"})
    elif command[0] == "-m":
        runpy.run_module(command[1], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(command[0], run_name="__main__")


def end_of(command: list[str]) -> int:
    """The exit code of `python <command>`, which is run."""
    try:
        run(command)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:  # noqa: BLE001 (whatever it is, Python would say it and end)
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    # Nothing of it is garbage, and a collection would copy the memory that the forks share.
    gc.disable()
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    gc.enable()
    program = next_program()
    become(program["environment"], program["folder"], program["output"], program["errors"])
    code = end_of(program["command"])
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    # At its end Python takes all modules apart, for which every page that the forks share would be copied.
    os._exit(code)
