"""The pages for people, with the policies that let a browser run nothing but what is in them.

Owns how the files in `web/` become one. They are separate so that each can be read; they are sent
as one, so that the page needs no further routes and works under any path that a proxy gives it.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files

from fastapi.openapi.docs import get_swagger_ui_html
from starlette.staticfiles import StaticFiles

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
    policy = (
        f"default-src 'none'; script-src 'self' {_hashes(text, 'script')}; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return text.encode(), headers


def docs_folder() -> StaticFiles:
    """Serve the scripts of Swagger UI, which `fastapi_offline` has in it."""
    return StaticFiles(packages=[("fastapi_offline", "static")])


def _read(name: str) -> str:
    return _FOLDER.joinpath(name).read_text("utf-8")


def _hashes(page: str, tag: str) -> str:
    """Hash the inline blocks of a tag as Content Security Policy names them."""
    texts = [found["text"] for found in _BLOCK.finditer(page) if found["tag"] == tag]
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
