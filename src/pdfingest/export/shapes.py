"""A record in the shapes of other tools, as objects that JSON can hold.

Those for retrieval take flat scalars as metadata, so what is no scalar stays out of them. Those for
training data take any metadata, so they have all that a record has.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pdfingest.export.typed import Record

Shaped: TypeAlias = dict[str, Any]
Shape: TypeAlias = Callable[[Record, float], Shaped]
"""Takes a record and when its source was ingested, in seconds since the epoch."""

_SAID = ("file_name", "title", "section", "page_label")
"""Metadata that say something to a model; a digest or a version would only take its room."""
_OWN = ("id", "text", "metadata")


def langchain(record: Record, _added_s: float) -> Shaped:
    """Return the arguments of a `Document` of LangChain."""
    return {
        "page_content": record["text"],
        "metadata": dict(record["metadata"]),
        "id": record["id"],
    }


def llamaindex(record: Record, _added_s: float) -> Shaped:
    """Return the arguments of a `Document` or a `TextNode` of LlamaIndex.

    It puts metadata before the text that is embedded or shown to a model, but for those excluded.
    """
    unsaid = [key for key, value in record["metadata"].items() if key not in _SAID or not value]
    return {
        "id_": record["id"],
        "text": record["text"],
        "metadata": dict(record["metadata"]),
        "excluded_embed_metadata_keys": unsaid,
        "excluded_llm_metadata_keys": unsaid,
    }


def haystack(record: Record, _added_s: float) -> Shaped:
    """Return the arguments of a `Document` of Haystack."""
    return {"id": record["id"], "content": record["text"], "meta": dict(record["metadata"])}


def datatrove(record: Record, _added_s: float) -> Shaped:
    """Return what `JsonlReader` of datatrove makes a document of."""
    return {"id": record["id"], "text": record["text"], "metadata": _all_metadata(record)}


def dolma(record: Record, added_s: float) -> Shaped:
    """Return a document of Dolma, whose `source` is the collection that all documents belong to.

    https://github.com/allenai/dolma/blob/main/docs/data-format.md
    """
    added = datetime.fromtimestamp(added_s, UTC).isoformat(timespec="milliseconds")
    return {
        "id": record["id"],
        "text": record["text"],
        "source": "pdfingest",
        "added": added.replace("+00:00", "Z"),
        "created": record["metadata"]["created"],
        "metadata": _all_metadata(record),
    }


def _all_metadata(record: Record) -> Shaped:
    """Return the metadata, and beside them what else a record has."""
    beside = {key: value for key, value in record.items() if key not in _OWN}
    return {**beside, **record["metadata"]}


SHAPES: Mapping[str, Shape] = {
    "langchain": langchain,
    "llamaindex": llamaindex,
    "haystack": haystack,
    "datatrove": datatrove,
    "dolma": dolma,
}
