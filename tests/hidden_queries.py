"""Queries that nobody wrote: related rows and columns that Django loads when they are looked at.

Under the account's lock each makes all who wait for the account wait for one more way to the database and back. What a
decision reads is loaded before the lock, or with it.
"""

import re
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db.models import Model
from django.db.models.fields.related_descriptors import ForwardManyToOneDescriptor
from django.db.models.query_utils import DeferredAttribute
from django.db.transaction import Atomic

import igny8_core

ROOT = str(Path(igny8_core.__file__).parent)
# Every statement of every test is looked at: what most have not comes first, in a pattern that is found quickly.
ROW_LOCK = re.compile(r"FOR NO KEY UPDATE|EXECUTE igny8_lock_(?:account|balance)")
ACCOUNTS = re.compile(r"\bigny8_accounts\b|EXECUTE ")


class HiddenQueries(threading.local):
    """What the code below `root` loaded unasked while an account was locked, on the thread that asks."""

    def __init__(self, root: str) -> None:
        self.root = root
        # One entry per transaction or savepoint that is open: whether an account was locked in it.
        self.open: list[bool] = []
        self.found: list[str] = []

    def note_statement(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        """A wrapper of the database connection, which sees locks being taken."""
        if self.open and ROW_LOCK.search(sql) and ACCOUNTS.search(sql):
            self.open[-1] = True
        return execute(sql, *rest)

    def note_load(self, row: Model, name: str) -> None:
        """Note what the application loads under a lock, with the line that looked at it."""
        if any(self.open):
            ours = [frame for frame in traceback.extract_stack() if frame.filename.startswith(self.root)]
            if ours:
                line = f"{ours[-1].filename.removeprefix(ROOT + '/')}:{ours[-1].lineno}"
                self.found.append(f"{line} loads {type(row).__name__}.{name}")


# Who looks on at the moment.
_watching: list[HiddenQueries] = []


@contextmanager
def noticed(root: str = ROOT) -> Iterator[HiddenQueries]:
    """Notice every load of a related row or a deferred column under the account's lock, by code below `root`."""
    seen = HiddenQueries(root)
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


def look_on() -> None:
    """Let Django tell what it loads and where transactions begin and end, from now on to the end of the process."""
    _look_on_loads()
    _look_on_transactions()


def _look_on_loads() -> None:
    load, read = ForwardManyToOneDescriptor.get_object, DeferredAttribute.__get__

    def loading(descriptor: Any, row: Model) -> Any:
        for seen in _watching:
            seen.note_load(row, descriptor.field.name)
        return load(descriptor, row)

    def reading(attribute: Any, row: Model | None, owner: Any = None) -> Any:
        if row is not None and attribute.field.attname not in vars(row):
            for seen in _watching:
                seen.note_load(row, attribute.field.attname)
        return read(attribute, row, owner)

    ForwardManyToOneDescriptor.get_object = loading
    DeferredAttribute.__get__ = reading


def _look_on_transactions() -> None:
    enter, leave = Atomic.__enter__, Atomic.__exit__

    def entering(block: Atomic) -> None:
        enter(block)
        for seen in _watching:
            seen.open.append(False)

    def leaving(block: Atomic, *error: Any) -> None:
        for seen in _watching:
            # Empty in a thread that has outlived the one who looked on before.
            if seen.open:
                seen.open.pop()
        leave(block, *error)

    Atomic.__enter__, Atomic.__exit__ = entering, leaving
