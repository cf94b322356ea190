"""The process that reads an untrusted file: its bytes in, a new file's bytes out, under limits, without our secrets.

If a C library crashes or a file unpacks without end, this process ends and nothing else.
proofs/files.py starts it with the kind of file, and reads the exit code.
"""

import importlib
import os
import resource
import sys

# The application cannot be imported here: Python is started outside of its package, hence the relative imports.
from .refusal import Refused

DONE, REFUSED = 0, 3
MEMORY_BYTES = 1024**3
# The largest accepted pictures and PDFs need two seconds.
PROCESSOR_SECONDS = 6
# Requests of others go first.
NICENESS = 5
MAX_RESULT_BYTES = 10 * 1024 * 1024


def main(kind: str) -> None:
    """Read a file from standard input and write the new file to standard output. `kind`: the module that reads it.

    If the file is refused, exits with REFUSED and the reason on standard output.
    """
    os.nice(NICENESS)
    reader = importlib.import_module(f".{kind}", __package__)
    _limit_resources(getattr(reader, "MAX_TASKS", 0))
    try:
        result: bytes = reader.rewritten(sys.stdin.buffer.read())
        if len(result) > MAX_RESULT_BYTES:
            raise Refused("size")
    except Refused as refusal:
        sys.stdout.write(refusal.reason)
        sys.exit(REFUSED)
    sys.stdout.buffer.write(result)
    sys.exit(DONE)


def _limit_resources(max_tasks: int = 0) -> None:
    limits = {
        resource.RLIMIT_CPU: PROCESSOR_SECONDS,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: max_tasks,
    }
    # On macOS a limit of the address space has no effect.
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = MEMORY_BYTES
    for kind, limit in limits.items():
        _, allowed = resource.getrlimit(kind)
        most = limit if allowed == resource.RLIM_INFINITY else min(limit, allowed)
        resource.setrlimit(kind, (most, most))
