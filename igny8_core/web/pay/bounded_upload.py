"""Reads a stranger's file into memory, no more of it than is taken: none is ever on a disk before it was checked."""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile
from django.core.files.uploadhandler import FileUploadHandler

from igny8_core.business.billing.services.proofs.files import MAX_BYTES


class BoundedUploadHandler(FileUploadHandler):
    """Keeps the first `MAX_BYTES` of each file and reads past the rest, so that the fields after it still arrive."""

    chunk_size = 64 * 1024

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin the next file."""
        super().new_file(*args, **kwargs)
        self.kept, self.sent = BytesIO(), 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep what still fits."""
        self.sent += len(raw_data)
        if self.sent <= MAX_BYTES:
            self.kept.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        """The file; `size` is what was sent, also where less was kept."""
        self.kept.seek(0)
        # What the sender says of the file, its name and type, is not believed.
        return InMemoryUploadedFile(self.kept, self.field_name, "proof", None, file_size, None)

    @staticmethod
    def was_cut(file: "UploadedFile[bytes]") -> bool:
        """Whether more was sent than was kept."""
        return (file.size or 0) > MAX_BYTES
