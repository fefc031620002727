"""Which engines are asked to open a file."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from pdfingest.child.opening import Opening
from pdfingest.engines.engine import MalformedError
from pdfingest.engines.registry import find_engines
from pdfingest.errors import EngineUnavailableError
from pdfingest.exchange.recorder import Recorder
from pdfingest.job import EngineSpec, Job, Limits, Sandbox
from pdfingest.model import Source, Unit

ABSENT = EngineSpec("absent", "pdfingest.absent:open_document", "")
"""An engine that cannot be imported, so that it is seen whether it is asked."""


def open_(path: Path, content: bytes) -> None:
    """Open a file with this content, with PDFium first."""
    path.write_bytes(content)
    engines = (*find_engines("pdfium"), ABSENT)
    job = Job(
        Source("a.pdf", str(path)), engines, (), Unit.PAGE, Limits(1 << 40, 1 << 30, 1000), "",
        Sandbox.OFF,
    )  # fmt: skip
    recorder = SimpleNamespace(note=lambda *_args, **_more: None)
    Opening(job, cast(Recorder, recorder)).open()


@pytest.mark.parametrize(
    "content",
    [b"<!doctype html><object>x.obj</object>", b"%PDF-1.7\n", bytes(3 << 20)],
    ids=["a web page", "a header", "zeros"],
)
def test_what_has_nothing_of_a_pdf_is_not_shown_to_a_second_engine(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(MalformedError):
        open_(tmp_path / "a.pdf", content)


@pytest.mark.parametrize(
    "content",
    [
        b"1 0 obj\n<<",
        b" " * ((1 << 20) - 3) + b"7 0\nobj<<",
        bytes(3 << 20) + b"startxref",
        bytes((4 << 20) + 1),
    ],
    ids=["an object", "an object across two chunks", "a pointer", "too much to search"],
)
def test_what_may_have_a_bit_of_a_pdf_is_shown_to_the_next_engine(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(EngineUnavailableError):
        open_(tmp_path / "a.pdf", content)
