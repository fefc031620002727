"""The page at `/`, with the policy that lets a browser run nothing but what is in it.

Owns how the files in `web/` become one. They are separate so that each can be read; they are sent
as one, so that the page needs no further routes and works under any path that a proxy gives it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

_FOLDER = files("pdfingest.service").joinpath("web")
_LINK = re.compile(r'<link rel="stylesheet" href="(?P<name>[a-z]+\.css)">')
_SCRIPT = re.compile(r'<script src="(?P<name>[a-z]+\.js)"></script>')
_BLOCK = re.compile(r"<(?P<tag>script|style)>(?P<text>.*?)</(?P=tag)>", re.DOTALL)


def load_page() -> tuple[bytes, Mapping[str, str]]:
    """Load the page, and the headers that go with it."""
    text = _LINK.sub(lambda found: f"<style>{_read(found['name'])}</style>", _read("page.html"))
    text = _SCRIPT.sub(lambda found: f"<script>{_read(found['name'])}</script>", text)
    # By their hashes a browser runs these blocks and no other, so that nothing injected runs.
    policy = (
        f"default-src 'none'; script-src {_hashes(text, 'script')}; "
        f"style-src {_hashes(text, 'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return text.encode(), headers


def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text("utf-8")


def _hashes(page: str, tag: str) -> str:
    """Hash the inline blocks of a tag as Content Security Policy names them."""
    texts = [found["text"] for found in _BLOCK.finditer(page) if found["tag"] == tag]
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
