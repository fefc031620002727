"""The page at `/`, with the policy that lets a browser run nothing but what is in it."""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

_BLOCK = re.compile(r"<(?P<tag>script|style)>(?P<text>.*?)</(?P=tag)>", re.DOTALL)


def load_page() -> tuple[bytes, Mapping[str, str]]:
    """Load the page, and the headers that go with it."""
    text = files("pdfingest.service").joinpath("page.html").read_text("utf-8")
    # By their hashes a browser runs these blocks and no other, so that nothing injected runs.
    hashes = {match["tag"]: _hash(match["text"]) for match in _BLOCK.finditer(text)}
    policy = (
        f"default-src 'none'; script-src {hashes['script']}; style-src {hashes['style']}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return text.encode(), headers


def _hash(text: str) -> str:
    """Hash an inline block as Content Security Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
