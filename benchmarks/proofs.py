"""How long the site keeps others waiting while bombs are uploaded as proofs of payment, 16 at once, again and again.

Some are refused by what they unpack to; one unpacks to nothing and draws without end, until its processor time is over.
"""

import collections
import contextlib
import http.client
import io
import threading
import time
import zlib

import bench
from PIL import Image

AT_ONCE = 16
LONGEST = 1.0  # seconds
UPLOAD, HEALTH = "/api/v1/billing/payment-proofs/", "/healthz/"
BOUNDARY = "bound4ry"


def main() -> None:
    setup = bench.prepare(__doc__)
    tokens = build()
    from django.db import connections

    connections.close_all()
    with bench.server() as port:
        upload(port, tokens[0], picture((8, 8)))
        for name, bomb in bombs().items():
            answers, waits = load(port, tokens, bomb, setup.seconds)
            said = ", ".join(f"{count} × {status}" for status, count in sorted(answers.items()))
            worst = max(waits)
            verdict = "reached" if worst < LONGEST else "MISSED"
            print(
                f"{name} ({len(bomb):,} bytes): {said}; {HEALTH} {len(waits)} times, longest {worst * 1000:.0f} ms, "
                f"median {sorted(waits)[len(waits) // 2] * 1000:.0f} ms (goal {LONGEST * 1000:.0f} ms: {verdict})"
            )
    bench.finish()


def build() -> list[str]:
    """The access tokens of the owners of as many accounts as there are uploads at once."""
    from igny8_core.auth.models import User
    from igny8_core.auth.services.sessions import open_session

    bench.make_accounts(range(1, AT_ONCE + 1))
    return [open_session(owner).access for owner in User.objects.order_by("pk")]


def bombs() -> dict[str, bytes]:
    blanks = zlib.compress(zlib.compress(b"0 0 9 9 re f" + b" " * 98_000_000, 9), 9)
    return {
        "a PDF of 98 MB, packed twice": pdf(stream(b"/Filter [/FlateDecode /FlateDecode]", blanks)),
        "a PNG of 25 megapixels": picture((5000, 5000)),
        "a PDF that doubles what it draws": doubling(),
    }


def picture(size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "white").save(file, "PNG")
    return file.getvalue()


def stream(described: bytes, content: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (described, len(content), content)


def doubling() -> bytes:
    """Drawings that draw the one before twice, forty times."""
    form = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9]"
    forms = [stream(form, b"0 0 9 9 re f")]
    forms += [
        stream(form + b" /Resources << /XObject << /F %d 0 R >> >>" % (5 + at), b"/F Do /F Do") for at in range(40)
    ]
    return pdf(stream(b"", b"/F Do"), *forms, resources=b"<< /XObject << /F %d 0 R >> >>" % (4 + len(forms)))


def pdf(contents: bytes, *more: bytes, resources: bytes = b"<< >>") -> bytes:
    """A PDF of one page, by its contents, and what these need."""
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R /Resources %s >>" % resources
    tree = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    written, places = b"%PDF-1.7\n", []
    for number, item in enumerate([b"<< /Type /Catalog /Pages 2 0 R >>", tree, page, contents, *more], 1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, item)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(places) + 1
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return written + head + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(written))


def load(port: int, tokens: list[str], bomb: bytes, seconds: float) -> tuple[collections.Counter[int], list[float]]:
    """How often each status was answered, and how long each look at the site's health took meanwhile."""
    answers: collections.Counter[int] = collections.Counter()
    waits: list[float] = []
    end = time.perf_counter() + seconds

    def attack(token: str) -> None:
        while time.perf_counter() < end:
            answers[upload(port, token, bomb)] += 1

    def look() -> None:
        while time.perf_counter() < end:
            started = time.perf_counter()
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", HEALTH)
                connection.getresponse().read()
            waits.append(time.perf_counter() - started)
            time.sleep(0.02)

    threads = [threading.Thread(target=attack, args=(token,)) for token in tokens]
    threads.append(threading.Thread(target=look))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, waits


def upload(port: int, token: str, content: bytes) -> int:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="proof"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(body)),
    }
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("POST", UPLOAD, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


if __name__ == "__main__":
    main()
