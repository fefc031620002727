"""From a folder of PDFs to answers that name their source, offline: LanceDB and WordLlama.

python examples/pipelines/vectors/pdfingest_vectors.py examples/pdfs "Who wrote down the ships?"
"""

import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from textwrap import shorten
from typing import Any

import lancedb
import pyarrow as pa
import wordllama

from pdfingest import IngestOptions, ingest

_TEXTS = ("id", "source", "text")
_VECTOR = pa.list_(pa.float32(), 256)
SCHEMA = pa.schema({**dict.fromkeys(_TEXTS, pa.string()), "page": pa.int32(), "vector": _VECTOR})


class Pages:
    """The pages of a folder in a vector store, found by meaning.

    Args:
        store: directory of the store, and of what pdfingest writes.
    """

    def __init__(self, store: Path) -> None:
        self._output = store / "pdfingest"
        self._table = lancedb.connect(store).create_table("pages", schema=SCHEMA, exist_ok=True)
        shipped = Path(wordllama.__file__).parent  # the model is in the package: no download
        self._model = wordllama.WordLlama.load(cache_dir=shipped, disable_download=True)

    def update(self, folder: str, **options: Any) -> Iterator[str]:
        """Ingest what is new or has changed, and yield in words what failed and what was done."""
        # Compacted, the records are those of the files as they are now.
        summary = ingest([folder], IngestOptions(output=self._output, compact=True, **options))
        # An id is made of a file's name and content: a page that has changed has another.
        current = {record["id"] for record in self._records()}
        known = set(self._table.search().select(["id"]).to_arrow()["id"].to_pylist())
        new = (each for each in self._records() if each["id"] not in known and each["text"])
        added = 0
        while some := list(islice(new, 500)):
            vectors = self._model.embed([each["text"] for each in some], norm=True)
            self._table.add([_row(*each) for each in zip(some, vectors, strict=True)])
            added += len(some)
        if gone := known - current:
            self._table.delete(f"id IN ({str(sorted(gone))[1:-1]})")
        for lost in summary.losses:
            yield f"{lost.failure}  {lost.source}: {lost.message}"
        files = f"{summary.planned} files, {summary.failed} of them failed"
        yield f"{files}; {added} pages added, {len(gone)} removed"

    def answer(self, question: str, most: int = 3) -> Iterator[str]:
        """Yield the pages nearest to a question: source, page, and the passage that fits best."""
        (vector,) = self._model.embed([question], norm=True)
        for page in self._table.search(vector).limit(most).to_list():
            passages = page["text"].split("\n\n")
            best = max(passages, key=lambda passage: self._model.similarity(question, passage))
            yield f"{page['source']}, page {page['page']}: {shorten(best, 200)}"

    def _records(self) -> Iterator[dict[str, Any]]:
        path = self._output / "pages.jsonl"
        if path.exists():  # else no file could be read
            with path.open(encoding="utf-8") as lines:
                yield from map(json.loads, lines)


def _row(record: dict[str, Any], vector: Any) -> dict[str, Any]:
    known = {name: record[name] for name in _TEXTS}
    return {**known, "page": record["metadata"]["page"], "vector": vector}


if __name__ == "__main__":
    pages = Pages(Path("pages-store"))
    print(*pages.update(sys.argv[1]), *pages.answer(sys.argv[2]), sep="\n")
