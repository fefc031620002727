"""A source is refused, or what is read is what it names, below a prefix that is allowed."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pdfingest.errors import OutputError, UsageError
from pdfingest.remote.address import open_folder
from pdfingest.service.settings import Settings
from pdfingest.service.sources import SourceError, fetch
from pdfingest.service.store import Store

from .conftest import Buckets, settings_in

pytestmark = pytest.mark.service
pytest.importorskip("obstore")

NO_STORE = cast("Store", None)
"""What is named is not in the store."""
laws = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""An example is a request or two."""


@dataclass(frozen=True)
class Cloud:
    """A bucket, and a way to read what a source in it names."""

    bucket: str
    """Its address, without a slash at the end."""
    folder: Path
    plant: Callable[[str], None]
    """Have an object whose content is its key."""

    def read(self, source: str, prefixes: str = "") -> str:
        """What a worker reads: the key of the object, which is its content.

        Raises:
            SourceError: the source is refused.
        """
        chosen = allowed(prefixes or f"{self.bucket}/pdfs/")
        path = fetch(source, str(self.folder / "copy"), NO_STORE, chosen)
        return Path(path).read_bytes().decode()


def allowed(prefixes: str, **more: str) -> Settings:
    given = {"PDFINGEST_SOURCE_PREFIXES": prefixes, "PDFINGEST_STORE": "/nowhere"}
    return settings_in({**given, **{f"PDFINGEST_{k}": v for k, v in more.items()}})


class Echo(BaseHTTPRequestHandler):
    """GCS or Azure: has every object of every bucket, and its content is `bucket/key`."""

    def do_GET(self) -> None:
        content = unquote(self.path, errors="strict").removeprefix("/").encode()
        self.send_response(200)
        for name, value in (
            ("Content-Length", str(len(content))),
            ("ETag", '"1"'),
            ("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    account = tmp_path_factory.mktemp("gcs") / "account.json"
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        url = f"http://127.0.0.1:{server.server_port}"
        secrets = dict.fromkeys(("client_email", "private_key", "private_key_id"), "")
        account.write_text(json.dumps({"gcs_base_url": url, "disable_oauth": True, **secrets}))
        variables = {
            "GOOGLE_SERVICE_ACCOUNT": str(account),
            "GOOGLE_ALLOW_HTTP": "true",
            "AZURE_STORAGE_ACCOUNT_NAME": "account",
            "AZURE_ENDPOINT": url,
            "AZURE_SKIP_SIGNATURE": "true",
            "AZURE_ALLOW_HTTP": "true",
        }
        for name, value in variables.items():
            environment.setenv(name, value)
        open_folder.cache_clear()  # the tests before may have had a server elsewhere
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield
        server.shutdown()


@pytest.fixture(scope="module", params=["s3", "gs", "az"])
def cloud(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cloud:
    folder = tmp_path_factory.mktemp("cloud")
    if request.param != "s3":
        request.getfixturevalue("echo")
        return Cloud(f"{request.param}://bucket", folder, lambda _: None)
    buckets: Buckets = request.getfixturevalue("buckets")
    bucket = buckets.make()
    cloud = Cloud(
        f"s3://{bucket}", folder, lambda key: buckets.put(bucket, key, f"{bucket}/{key}".encode())
    )
    for key in ("store/uploads/a.pdf", "pdfs/in/a.pdf", "pdfs/a.pdf", "pdfs2/a.pdf", "a.pdf"):
        cloud.plant(key)
    return cloud


def content(cloud: Cloud, key: str) -> str:
    return f"{cloud.bucket.partition('://')[2]}/{key}"


DOTS = [
    *("..", "%2e%2e", "%2E%2E", ".%2e", "%2e.", "%252e%252e", "%25252e.", "%%32%65."),
    *(
        ".\t.",
        ".\n.",
        "\r..",
        "%2e\t%2e",
        ".%09.",
        "%2e%0a%2e",
        "..%00",
        "in/../..",
        "in/%2e%2e/..",
    ),
    *("..%2f..", "in%2f..%2f..", "..\\..", "%2e%2e%5cin", "in\\..\\..", "%2e%2e/%2e%2e"),
]


@pytest.mark.parametrize("dots", DOTS)
def test_no_dots_however_they_are_written_lead_out_of_a_prefix(cloud: Cloud, dots: str) -> None:
    for rest in ("store/uploads/a.pdf", "../store/uploads/a.pdf", "a.pdf"):
        with pytest.raises(SourceError):
            cloud.read(f"{cloud.bucket}/pdfs/{dots}/{rest}")


@pytest.mark.parametrize(
    "key",
    [
        *(
            "a.pdf",
            "in/a.pdf",
            "a b.pdf",
            " a ",
            "a+b.pdf",
            "a#b.pdf",
            "a?b=c&d.pdf",
            "ü/\u0308.pdf",
        ),
        *("100%.pdf", "a%20b.pdf", "a%2520b.pdf", "a%2Fb.pdf", "%ff.pdf", "%zz", "a:b@c", "~*'|{}"),
        *("...", "..a", "a..", ".a", "\u2025/a.pdf", "\uff0e\uff0e/a.pdf", "%e2%80%a5", "a\\b.pdf"),
        *("\u202e.pdf", "\U0001f4c4.pdf", "[a].pdf", "C:/a.pdf", "s3://bucket", "a\u0085b"),
    ],
)
def test_a_key_is_taken_character_for_character(cloud: Cloud, key: str) -> None:
    if key == "s3://bucket":  # it has an empty segment
        with pytest.raises(SourceError, match="empty segment"):
            cloud.read(f"{cloud.bucket}/pdfs/{key}")
        return
    cloud.plant(f"pdfs/{key}")
    for prefixes in (f"{cloud.bucket}/pdfs/", f"{cloud.bucket}/pdfs", cloud.bucket):
        assert cloud.read(f"{cloud.bucket}/pdfs/{key}", prefixes) == content(cloud, f"pdfs/{key}")


@pytest.mark.parametrize(
    "rest",
    [
        *("", "/", "/pdfs", "/pdfs/", "/pdfs//a.pdf", "//pdfs/a.pdf", "/pdfs/in//a.pdf"),
        *(
            "/pdfs/a.pdf/",
            "/pdfs2/a.pdf",
            "/a.pdf",
            "/PDFS/a.pdf",
            "/./pdfs/a.pdf",
            "/pdfs/./a.pdf",
        ),
        *(
            "2/pdfs/a.pdf",
            ".evil/pdfs/a.pdf",
            ":80/pdfs/a.pdf",
            "@evil/pdfs/a.pdf",
            "%2fpdfs/a.pdf",
        ),
        *("\\pdfs/a.pdf", "\t/pdfs/a.pdf", "?/pdfs/a.pdf", "#/pdfs/a.pdf", "/pdfs\x00/a.pdf"),
        *("/pdfs/a.pdf\n", "/pdfs/a\x7f.pdf", "/pdfs/\ud800.pdf", "/pdfs%2fa.pdf", "/%70dfs/a.pdf"),
    ],
)
def test_what_is_not_an_object_below_the_prefix_is_refused(cloud: Cloud, rest: str) -> None:
    with pytest.raises(SourceError):
        cloud.read(f"{cloud.bucket}{rest}")


@pytest.mark.parametrize(
    "form",
    [
        *("S3://{}/pdfs/a.pdf", "s3a://{}/pdfs/a.pdf", "s3:/{}/pdfs/a.pdf", "s3:///{}/pdfs/a.pdf"),
        *(
            "s3:{}/pdfs/a.pdf",
            " s3://{}/pdfs/a.pdf",
            "s3://key:secret@{}/pdfs/a.pdf",
            "{}/pdfs/a.pdf",
        ),
        *(
            "gs://{}/pdfs/a.pdf",
            "https://{}/pdfs/a.pdf",
            "s3://\u2024{}/pdfs/a.pdf",
            "s3\n://{}/pdfs/a",
        ),
        *(
            "file:///etc/passwd",
            "memory:///a",
            "data:,a",
            "a\0b",
            "etc/passwd",
            "~/a.pdf",
            "uploads/a",
        ),
    ],
)
def test_other_schemes_and_spellings_of_a_bucket_are_refused(buckets: Buckets, form: str) -> None:
    bucket = buckets.make()
    buckets.put(bucket, "pdfs/a.pdf")
    chosen = allowed(f"s3://{bucket}/pdfs, /somewhere")
    with pytest.raises(SourceError):
        fetch(form.format(bucket), "/nowhere/copy", NO_STORE, chosen)


PIECES = [
    *(
        "..",
        ".",
        "%2e",
        "%2E%2e",
        "%252e",
        "\t",
        "\n",
        "%09",
        "\0",
        "/",
        "//",
        "\\",
        "%2f",
        "%5c",
        "%25",
    ),
    *(
        "pdfs",
        "pdfs/",
        "store",
        "uploads",
        "a.pdf",
        "\uff0e",
        "\u2025",
        "%",
        "?",
        "#",
        " ",
        "ü",
        ":",
        "@",
    ),
]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=8).map("".join)
plain = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/%\\\x7f", min_codepoint=32),
    min_size=1,
    max_size=12,
).filter(lambda segment: segment not in {".", ".."})


@laws
@given(end=st.sampled_from(["", "/", "/pdfs/", "/pdfs/in/"]), rest=texts)
@example(end="/pdfs/", rest="%2e%2e/store/uploads/a.pdf")
@example(end="/", rest="pdfs2/a.pdf")
def test_a_source_is_refused_or_names_exactly_what_is_read(
    cloud: Cloud, end: str, rest: str
) -> None:
    source = f"{cloud.bucket}{end}{rest}"
    key = source.removeprefix(f"{cloud.bucket}/")
    try:
        found = cloud.read(source)
    except SourceError as refusal:
        if "no such object" not in str(refusal):
            return
        cloud.plant(key)  # nothing was there; now there is
        found = cloud.read(source)
    assert key.startswith("pdfs/")
    assert found == content(cloud, key)


@laws
@given(segments=st.lists(plain, min_size=1, max_size=4))
def test_what_nobody_could_misread_is_read(cloud: Cloud, segments: list[str]) -> None:
    key = "/".join(["pdfs", *segments])
    cloud.plant(key)
    assert cloud.read(f"{cloud.bucket}/{key}") == content(cloud, key)


def test_prefixes_may_be_many_and_have_blanks_around_them(cloud: Cloud) -> None:
    prefixes = f" /tmp , , {cloud.bucket}/pdfs2 ,{cloud.bucket}/pdfs/in/,"
    for key in ("pdfs2/a.pdf", "pdfs/in/a.pdf"):
        assert cloud.read(f"{cloud.bucket}/{key}", prefixes) == content(cloud, key)
    with pytest.raises(SourceError, match="PDFINGEST_SOURCE_PREFIXES"):
        cloud.read(f"{cloud.bucket}/pdfs/a.pdf", prefixes)


@pytest.mark.parametrize(
    "prefixes",
    [
        *(
            "data",
            "./data",
            "~/data",
            "file:///data",
            "https://example.com/pdfs",
            "S3://bucket/pdfs",
        ),
        *("s3://", "s3:///pdfs", "s3://bucket//", "s3://bucket/a//b", "s3://bucket/../a"),
        *(
            "s3://bucket/%2e%2e/a",
            "s3://key:secret@bucket/a",
            "s3://bucket:80",
            "/data,s3://bucket/..",
        ),
    ],
)
def test_a_prefix_that_could_be_read_in_two_ways_is_a_usage_error(prefixes: str) -> None:
    with pytest.raises(UsageError, match="PDFINGEST_SOURCE_PREFIXES"):
        allowed(prefixes)


def test_the_store_of_the_service_cannot_be_named(cloud: Cloud, tmp_path: Path) -> None:
    chosen = allowed(cloud.bucket, STORE=f"{cloud.bucket}/store")
    with pytest.raises(SourceError, match="in the store of the service"):
        fetch(f"{cloud.bucket}/store/uploads/a.pdf", "/nowhere/copy", NO_STORE, chosen)
    store = tmp_path / "store"
    store.mkdir()
    (tmp_path / "link").symlink_to(store)
    (store / "a.pdf").write_bytes(b"")
    for path in (store / "a.pdf", tmp_path / "link" / "a.pdf"):
        with pytest.raises(SourceError, match="in the store of the service"):
            fetch(str(path), "", NO_STORE, allowed(str(tmp_path), STORE=str(store)))


def test_a_copy_that_cannot_be_written_is_the_fault_of_the_machine(cloud: Cloud) -> None:
    chosen = allowed(cloud.bucket)
    with pytest.raises(OutputError, match=r"cannot copy pdfs/a\.pdf"):
        fetch(f"{cloud.bucket}/pdfs/a.pdf", "/nowhere/copy", NO_STORE, chosen)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that is allowed, one that is not, and links of all kinds between them."""
    root = tmp_path_factory.mktemp("tree")
    for name in ("allowed/deep", "outside", "allowed2"):
        (root / name).mkdir(parents=True)
        (root / name / "a.pdf").write_text(f"{name}/a.pdf")
    (root / "allowed" / "a.pdf").write_text("allowed/a.pdf")
    (root / "allowed" / "escape.pdf").symlink_to(root / "outside" / "a.pdf")
    (root / "allowed" / "out").symlink_to(root / "outside")
    (root / "allowed" / "loop").symlink_to("loop")
    (root / "allowed" / "same").symlink_to("deep")
    (root / "back").symlink_to("allowed")
    os.mkfifo(root / "allowed" / "fifo")
    return root


NAMES = ["allowed", "allowed2", "outside", "deep", "out", "loop", "same", "back", "fifo", "nix"]
paths = st.lists(st.sampled_from([*NAMES, "a.pdf", "escape.pdf", "..", ".", "", "a\0"]), max_size=6)


@settings(laws, max_examples=400)
@given(rest=paths.map("/".join))
@example(rest="allowed/loop/../out/a.pdf")  # realpath of Python 3.11 leaves the link in
@example(rest="allowed/out/../allowed/a.pdf")
@example(rest="back/deep/a.pdf")
@example(rest="allowed2/a.pdf")
def test_a_path_is_refused_or_is_a_file_below_the_directory(tree: Path, rest: str) -> None:
    source = f"{tree}/{rest}"
    try:
        path = fetch(source, "", NO_STORE, allowed(f"{tree}/allowed"))
    except SourceError:
        return
    assert path == os.path.realpath(path) == os.path.realpath(source)
    assert Path(path).read_text().startswith("allowed/")


@pytest.mark.parametrize("name", ["a.pdf", "deep/a.pdf", "same/a.pdf", "./deep//a.pdf"])
def test_a_file_below_the_directory_is_read_where_it_is(tree: Path, name: str) -> None:
    for source in (f"{tree}/allowed/{name}", f"{tree}/back/{name}"):
        for prefix in (f"{tree}/allowed", f"{tree}/back/", "/"):
            path = fetch(source, "", NO_STORE, allowed(prefix))
            assert path == os.path.realpath(source)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fifo", "not a regular file"),
        ("deep", "not a regular file"),
        ("nix.pdf", "FileNotFoundError"),
        ("a.pdf/b.pdf", "NotADirectoryError"),
        ("deep/../a.pdf", r"segment `\.\.`"),
        ("escape.pdf", "not below PDFINGEST_SOURCE_PREFIXES"),
    ],
)
def test_why_a_path_is_refused_is_told(tree: Path, name: str, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        fetch(f"{tree}/allowed/{name}", "", NO_STORE, allowed(f"{tree}/allowed"))
