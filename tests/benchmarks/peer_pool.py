"""Python parsers of others over many files, in long-lived workers, as their users would do it.

    printf 'a.pdf\\0b.pdf' | python peer_pool.py PARSER OUT WORKERS [--spawn]

Runs by the Python of an environment that has the parser, and needs nothing else. With `--spawn`
each file gets a new interpreter. Writes one text a file into OUT; a file that the parser cannot
read has none.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any


def by_pdf_oxide(path: str) -> str:
    """Markdown of the whole document."""
    return str(import_module("pdf_oxide").PdfDocument(path).to_markdown_all())


def by_docling_parse(path: str) -> str:
    """Lines of text; from pages, one at a time."""
    parsers = import_module("docling_parse.pdf_parser")
    wanted = parsers.ContentConfig(
        char_cells_content_level=0, word_cells_content_level=0, include_bitmap_bytes=False
    )
    document = parsers.DoclingPdfParser("fatal").load(path, content_config=wanted)
    texts: list[str] = []
    for number in range(1, document.number_of_pages() + 1):
        texts.append("\n".join(line.text for line in document.get_page(number).textline_cells))
        document.unload_pages((number, number + 1))
    return "\n\n".join(texts)


def by_pypdf(path: str) -> str:
    """Text of all pages."""
    return "\n\n".join(page.extract_text() for page in import_module("pypdf").PdfReader(path).pages)


PARSERS: dict[str, Callable[[str], str]] = {
    "pdf_oxide": by_pdf_oxide,
    "docling_parse": by_docling_parse,
    "pypdf": by_pypdf,
}


def read(parser: str, out: str, path: str) -> None:
    """Read one file, and write its text unless the parser fails."""
    try:
        text = PARSERS[parser](path)
    except BaseException:  # noqa: BLE001 - panics of Rust are none of Exception
        return
    (Path(out) / f"{Path(path).name}.txt").write_text(text, "utf-8", "replace")


if __name__ == "__main__":
    name, folder, workers, *spawn = sys.argv[1:]
    fresh: dict[str, Any] = (
        {"mp_context": get_context("spawn"), "max_tasks_per_child": 1} if spawn else {}
    )
    with ProcessPoolExecutor(int(workers), **fresh) as pool:
        for _ in pool.map(partial(read, name, folder), sys.stdin.read().split("\0")):
            pass
