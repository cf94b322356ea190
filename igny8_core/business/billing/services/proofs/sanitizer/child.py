"""The process that reads a stranger's file: bytes in, bytes of a new file out, under limits and without our secrets.

What goes wrong in here, a crash of a C library or a file that unpacks without end, ends this process and nothing else.
proofs/files.py starts it with the name of the kind of file, and reads the exit code.
"""

import importlib
import resource
import sys

# The application is not importable in here: Python starts it outside of the package, hence the relative imports.
from .refusal import Refused

DONE, REFUSED = 0, 3
MEMORY_BYTES = 1024**3
# The largest pictures and the longest PDFs that are taken need two.
PROCESSOR_SECONDS = 10
MAX_RESULT_BYTES = 10 * 1024 * 1024


def main(kind: str) -> None:
    """Write the file on standard input anew to standard output. `kind`: the module that reads it, such as images.

    Exits with REFUSED and a reason on standard output where the file is not taken.
    """
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
    # macOS has no limit of the address space that holds.
    if sys.platform == "linux":
        limits[resource.RLIMIT_AS] = MEMORY_BYTES
    for kind, limit in limits.items():
        _, allowed = resource.getrlimit(kind)
        most = limit if allowed == resource.RLIM_INFINITY else min(limit, allowed)
        resource.setrlimit(kind, (most, most))
