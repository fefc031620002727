"""`needs_ocr` on pages of the folder of real PDFs that people have looked at.

`needs_ocr.csv` says which of them show text that their text does not say. Files whose SHA-256
begins with an even digit were looked at while the rule was made, the others only afterwards.
"""

import csv
from pathlib import Path

import pytest

from conftest import CORPUS, Cli, read_lines
from ocr_score import score

LABELS = Path(__file__).parent / "needs_ocr.csv"
MANIFEST = CORPUS / "MANIFEST.csv"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.corpus
@pytest.mark.skipif(not MANIFEST.exists(), reason="needs the folder of real PDFs")
def test_pages_that_people_have_looked_at(cli: Cli, out: Path, tmp_path: Path) -> None:
    paths = {row["sha256"]: CORPUS / row["path"] for row in rows(MANIFEST)}
    labels = {(row["sha256"], int(row["page"])): row["needs_ocr"] == "yes" for row in rows(LABELS)}
    wanted = sorted({str(paths[sha256]) for sha256, _ in labels})
    (tmp_path / "list").write_text("\n".join(wanted), encoding="utf-8")
    cli("run", "--files-from", tmp_path / "list", "-o", out, "-q", timeout=250)
    said = {
        (record["metadata"]["sha256"], record["metadata"]["page"]): record["metadata"]["needs_ocr"]
        for record in read_lines(out / "pages.jsonl")
    }
    assert len(labels.keys() & said.keys()) >= 0.99 * len(labels), "hostile files may fail"
    for digits in ("02468ace", "13579bdf", "0123456789abcdef"):
        found = score(
            (f"{sha256[:12]}:{page}", needs, said[sha256, page])
            for (sha256, page), needs in labels.items()
            if sha256[0] in digits and (sha256, page) in said
        )
        assert found.precision >= 0.98, found
        assert found.recall >= 0.95, found
