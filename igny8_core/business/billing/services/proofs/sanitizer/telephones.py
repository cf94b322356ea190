"""Pictures as telephones take them: HEIF, with the coding of HEIC or AVIF."""

from PIL import Image
from pillow_heif import register_heif_opener

from . import images

# The decoder of HEIC insists on one thread of its own. The system counts all processes and threads of the user, those
# in other containers too, so that no small number is safe.
MAX_TASKS = 4096
# The parts of a file that turn and mirror; the decoder has done so.
TURNED = (b"irot", b"imir")

# The picture alone, not what a telephone stores beside it.
register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=0)


def rewritten(content: bytes) -> bytes:
    """The picture as images.rewritten makes it. Raises Refused, or whatever the libraries raise for a broken file."""
    is_turned = any(part in content for part in TURNED)

    def orientation_of(source: Image.Image) -> int | None:
        if source.format != "HEIF":
            return images.noted_orientation(source)
        return None if is_turned else source.info.get("original_orientation")

    # The beginning "mif1" is written by both; the reader of AVIF looks inside and leaves HEIC alone.
    return images.rewritten(content, ("AVIF", "HEIF"), orientation_of)
