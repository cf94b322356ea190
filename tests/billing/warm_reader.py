"""Processes that read a file each, as in production, which need not start Python and its libraries anew each time.

One process imports what reads files, and forks for each of them. There `main` of the sanitizer does what it does
everywhere, with its limits; that it can be started from nothing is what the tests of uploads show.
"""

import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

from igny8_core.business.billing.services.proofs import files

HEADER = struct.Struct(">16sQ")
ANSWER = struct.Struct(">idQ")
# Asked on the socket with a kind and a file; what its child writes comes back with its exit code and time.
PROGRAM = f"""
import importlib, os, socket, struct, sys
sys.path.insert(0, sys.argv[1])
from sanitizer.child import main
for module in ("images", "telephones", "pdfs", "sheets"):
    importlib.import_module(f"sanitizer.{{module}}")
from PIL import Image
Image.init()
asked = socket.socket(fileno=int(sys.argv[2])).makefile("rwb")
while header := asked.read({HEADER.size}):
    kind, size = struct.unpack("{HEADER.format}", header)
    content = os.memfd_create("content")
    with os.fdopen(os.dup(content), "wb") as file:
        file.write(asked.read(size))
    os.lseek(content, 0, os.SEEK_SET)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(content, 0)
        os.dup2(write, 1)
        os.closerange(3, 100)
        main(kind.rstrip(b"\\0").decode())
    os.close(write)
    os.close(content)
    with os.fdopen(read, "rb") as output:
        written = output.read()
    _, status, used = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    asked.write(struct.pack("{ANSWER.format}", code, used.ru_utime + used.ru_stime, len(written)) + written)
    asked.flush()
"""


class WarmReader:
    """Takes the place of `files._run`, which starts Python for each file."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        sanitizer = str(Path(files.__file__).parent)
        command = [sys.executable, "-I", "-c", PROGRAM, sanitizer, str(theirs.fileno())]
        kept = {name: os.environ[name] for name in files.KEPT_ENVIRONMENT if name in os.environ}
        # The same arguments as those of `files._run`, and one end of the socket.
        self.process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, cwd="/", env=kept, pass_fds=[theirs.fileno()]
        )
        self.asked = ours.makefile("rwb")
        ours.close()
        theirs.close()

    def read(self, kind: str, content: bytes) -> tuple[int, bytes, float]:
        self.asked.write(HEADER.pack(kind.encode(), len(content)) + content)
        self.asked.flush()
        code, seconds, size = ANSWER.unpack(self.asked.read(ANSWER.size))
        return code, self.asked.read(size), seconds

    def close(self) -> None:
        self.asked.close()
        self.process.wait()
