"""What one file yields, and what another file of the same content yields."""

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import make_pdf
from pdfingest import IngestOptions, ingest
from pdfingest.exchange.record import encode_text
from pdfingest.exchange.renamed import renamed
from pdfingest.model import Unit


@pytest.mark.parametrize("unit", Unit)
def test_renamed_records_are_those_of_a_run_over_the_other_name(tmp_path: Path, unit: Unit) -> None:
    (tmp_path / "in").mkdir()
    one = make_pdf(tmp_path / "in" / "one.pdf", pages=["one", "two"])
    other = tmp_path / "in" / 'other "ü\u2028.pdf'
    other.write_bytes(one.read_bytes())
    options = IngestOptions(output=str(tmp_path / "out"), unit=unit, workers=1)
    ingest([str(one)], options)
    ingest([str(other)], replace(options, output=str(tmp_path / "out2")))
    found = (tmp_path / "out" / f"{unit}s.jsonl").read_bytes()
    wanted = (tmp_path / "out2" / f"{unit}s.jsonl").read_bytes()
    sha256 = found.partition(b'"sha256":"')[2][:64].decode()
    assert encode_text(other.name) in wanted
    assert b"".join(renamed([found], "one.pdf", other.name, sha256)) == wanted
