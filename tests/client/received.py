"""What the stage received: requests, and the files in their forms."""

import re
from dataclasses import dataclass, field


@dataclass
class Upload:
    """What a form held."""

    name: str
    content: bytes
    fields: dict[str, list[str]]


@dataclass
class Seen:
    """A request."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    size: int
    body: bytes = field(repr=False)


def parsed(boundary: bytes, body: bytes) -> Upload:
    """Read a form."""
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    upload = Upload("", b"", {})
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        content = content.removesuffix(b"\r\n")
        found = re.search(rb'name="([^"]*)"(?:; filename="([^"]*)")?', head)
        assert found
        if found[1] == b"file":
            upload.name, upload.content = found[2].decode("utf-8", "surrogateescape"), content
        else:
            upload.fields.setdefault(found[1].decode(), []).append(content.decode())
    return upload
