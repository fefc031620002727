"""What belongs to a layer that is switched off is on no page."""

from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import Objects, packed_pdf, plain_pdf, stream

CONTENT = (
    b"/OC/L1 BDC BT /F 12 Tf 72 700 Td (Not to be seen) Tj ET EMC "
    b"/OC/L2 BDC BT /F 12 Tf 72 680 Td (Switched on) Tj ET EMC "
    b"BT /F 12 Tf 72 660 Td (On no layer) Tj ET"
)
PROPERTIES = b"<</OCGs[6 0 R 7 0 R]/D %s>>"
OFF = b"<</OFF[6 0 R]/Order[6 0 R 7 0 R]>>"


def objects(properties: bytes, *, name: bytes = b"(Draft)", **more: bytes) -> Objects:
    """A page with two layers; `more` are objects by their numbers, such as `o8`."""
    bodies = {
        1: b"<</Type/Catalog/Pages 2 0 R/OCProperties %s>>" % properties,
        2: b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        3: b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<"
        b"/Font<</F 5 0 R>>/Properties<</L1 6 0 R/L2 7 0 R>>>>>>",
        4: stream(CONTENT),
        5: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        6: b"<</Type/OCG/Name%s>>" % name,
        7: b"<</Type/OCG/Name(Final)>>",
    }
    return bodies | {int(key[1:]): body for key, body in more.items()}


CASES = {
    "in the catalog": objects(PROPERTIES % OFF),
    "in objects of their own": objects(b"8 0 R", o8=PROPERTIES % b"9 0 R", o9=OFF),
    "a name in UTF-16": objects(PROPERTIES % OFF, name=b"<feff00450061>"),
    "an escaped name": objects(PROPERTIES % OFF, name=rb"(A\) or \(B)"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("write", [plain_pdf, packed_pdf])
@pytest.mark.parametrize("form", ["text", "raw"])
def test_a_layer_that_is_off_is_not_read(
    cli_here: Cli,
    pdfs: Path,
    out: Path,
    case: Objects,
    write: Callable[[Objects], bytes],
    form: str,
) -> None:
    (pdfs / "a.pdf").write_bytes(write(case))
    assert cli_here("run", pdfs, "-o", out, "--format", form).returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert record["text"].split() == ["Switched", "on", "On", "no", "layer"]


@pytest.mark.parametrize(
    "properties",
    [PROPERTIES % b"<</Order[6 0 R]>>", b"99 0 R", b"<<>>", PROPERTIES % b"<</OFF[99 0 R]>>"],
    ids=["none is off", "not there", "empty", "no such layer"],
)
def test_layers_that_are_not_off_are_read(
    cli_here: Cli, pdfs: Path, out: Path, properties: bytes
) -> None:
    (pdfs / "a.pdf").write_bytes(plain_pdf(objects(properties)))
    assert cli_here("run", pdfs, "-o", out).returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert "Not to be seen" in record["text"]
