"""Addresses in object stores, such as `s3://bucket/folder/a.pdf`.

Owns how they are read, and which are refused; nobody else takes one apart.

An address is a scheme, a bucket and a key, and the key is taken character for character, as
`aws s3 cp`, `gcloud storage cp`, boto3 and fsspec take it. Nothing is decoded: `%20` is three
characters of the key, `?` and `#` belong to it, and a space is a space.

An address is not read as a URL, though it looks like one, because each reader of a URL normalises
it a little further. The `from_url` of obstore drops tabs and resolves `%2e%2e` as the URL standard
says (https://url.spec.whatwg.org/#double-dot-path-segment) and then decodes the path, so that a
check of the text and the request that follows may mean two objects. Here nothing is normalised: a
key that a store, a proxy or a library on the way might change is refused. The others go through
object_store as they are (https://docs.rs/object_store/latest/object_store/path/struct.Path.html).
"""

# pyright: basic
# Obstore is an extra; mypy checks this file strictly.

import re
from datetime import timedelta
from functools import cache
from typing import Any, NamedTuple

from pdfingest.errors import UsageError

_ADDRESS = re.compile(
    r"(?P<scheme>s3|gs|az)://(?P<bucket>[A-Za-z0-9][\w.-]*)(?:/(?P<key>.*))?", re.ASCII | re.DOTALL
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RETRIES = 4
_DOTS = frozenset({".", ".."})


class Address(NamedTuple):
    """An object, or a folder of objects, in a bucket."""

    scheme: str
    """`s3`, `gs` or `az`."""
    bucket: str
    """Name of the bucket, or of the container of Azure."""
    key: str = ""
    """Key of the object or the folder, without a slash at either end; empty for the bucket."""

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"

    def key_of(self, other: "Address") -> str:
        """Return the key of another address relative to this folder; empty if it is elsewhere."""
        if (self.scheme, self.bucket) != (other.scheme, other.bucket):
            return ""
        folder = f"{self.key}/" if self.key else ""
        return other.key[len(folder) :] if other.key.startswith(folder) else ""


def is_address(text: str) -> bool:
    """Tell whether a text is meant as an address or a URL, and not as a path."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text) is not None


def parse_address(text: str) -> Address:
    """Read the address of an object.

    Raises:
        ValueError: the text is not an address, or its key could be read in two ways. The message
            says why and does not repeat the text.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError(
            "it is not of the form s3://bucket/key, gs://bucket/key or az://bucket/key"
        )
    address = Address(match["scheme"], match["bucket"], match["key"] or "")
    _check_key(address.key)
    return address


def parse_folder(text: str) -> Address:
    """Read the address of a folder, which is a bucket, or a key under which other keys are.

    A slash at the end changes nothing: `s3://bucket/pdfs` and `s3://bucket/pdfs/` are one folder,
    and `s3://bucket/pdfs2/a.pdf` is not in it.

    Raises:
        ValueError: the text is not an address, or its key could be read in two ways.
    """
    match = _ADDRESS.fullmatch(text)
    if match and match["key"] in {None, ""}:
        return Address(match["scheme"], match["bucket"])
    return parse_address(text.removesuffix("/"))


def retries(timeout_s: float) -> Any:
    """Return how often obstore tries a request again, given the seconds that one may take."""
    return {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=timeout_s)}


@cache
def open_folder(folder: Address, timeout_s: float = 0.0) -> Any:
    """Open an object store that reaches the keys of a folder and no others.

    It is made once for each folder, since that takes 14 ms of CPU and its connections can be used
    again. Threads may share it.

    Args:
        folder: the bucket, or a folder in it.
        timeout_s: seconds that a request may take; 0 for what obstore allows.

    Raises:
        UsageError: obstore is not installed, or lacks the configuration that it needs.
    """
    try:
        from obstore import store  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        cure = "Run: pip install 'pdfingest[cloud]'"
        raise UsageError(f"{folder} needs the library obstore. {cure}") from error
    kinds = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
    try:
        limits: Any = {}
        if timeout_s:
            limits = {"timeout": f"{timeout_s:g}s", "retry_config": retries(timeout_s)}
        return kinds[folder.scheme](folder.bucket, prefix=folder.key or None, **limits)
    except Exception as error:  # obstore has a type of its own for each mistake
        cure = "Set the variables that the cloud's own tools read (AWS_*, GOOGLE_*, AZURE_*)."
        raise UsageError(f"cannot open {folder}: {first_line(error)}. {cure}") from error


def first_line(error: Exception) -> str:
    """Return the message of an error of obstore without the debug output that follows it."""
    return str(error).partition("\n")[0].partition(": <")[0].rstrip(".")


def _check_key(key: str) -> None:
    """Refuse a key that some reader on the way to the object might take for another key."""
    if _CONTROL.search(key):
        raise ValueError("its key has control characters")
    if "" in key.split("/"):  # object_store drops slashes at the ends and refuses two in a row
        raise ValueError("its key has an empty segment")
    try:  # JSON may spell half a character
        key.encode()
    except UnicodeEncodeError:
        raise ValueError("its key is not valid Unicode") from None
    if _may_climb(key):
        raise ValueError("its key has a segment of dots, or one that decodes to dots")


def _may_climb(key: str) -> bool:
    r"""Tell whether a segment is `.` or `..` to a reader that decodes it, however often.

    Such a reader is not in our hands: a proxy that decodes once more, a gateway that keeps objects
    as files and takes `\` for `/`, a URL parser, which drops control characters.
    """
    from urllib.parse import unquote  # noqa: PLC0415 - 2 ms, for few runs

    while True:
        seen = _CONTROL.sub("", key).replace("\\", "/")
        if not _DOTS.isdisjoint(seen.split("/")):
            return True
        decoded = unquote(key)
        if decoded == key:
            return False
        key = decoded
