"""The pages for people, with the policies that let a browser run nothing but what is in them."""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

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


def load_docs() -> tuple[bytes, Mapping[str, str]]:
    """Make the page that shows the interface, and the headers that go with it.

    FastAPI's own loads its scripts from elsewhere; here they come from `docs_folder`.
    """
    made = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="pdfingest",
        swagger_js_url="docs/static/swagger-ui-bundle.js",
        swagger_css_url="docs/static/swagger-ui.css",
        swagger_favicon_url="docs/static/favicon.png",
    )
    text = bytes(made.body).decode()
    hashes = [_hash(match["text"]) for match in _BLOCK.finditer(text) if match["text"]]
    policy = (
        f"default-src 'none'; script-src 'self' {' '.join(hashes)}; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return text.encode(), headers


def docs_folder() -> StaticFiles:
    """Serve the scripts of Swagger UI, which `fastapi_offline` has in it."""
    return StaticFiles(packages=[("fastapi_offline", "static")])


def _hash(text: str) -> str:
    """Hash an inline block as Content Security Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
