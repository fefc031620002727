"""The XMP of a document, wherever it stands in the file, completes its metadata."""

from pathlib import Path

import pytest

from conftest import Cli, read_lines
from written import Node, plain_pdf, stream, tree_objects

SPACES = (
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    b'xmlns:pdf="http://ns.adobe.com/pdf/1.3/"'
)


def xmp(producer: bytes) -> bytes:
    """A packet that names a producer."""
    return (
        b"<rdf:RDF %s><rdf:Description><pdf:Producer>%s</pdf:Producer></rdf:Description></rdf:RDF>"
        % (SPACES, producer)
    )


@pytest.mark.parametrize("engine", ["pdfium", "pypdf"])
def test_the_packet_of_the_document_counts_and_no_other(
    cli_here: Cli, pdfs: Path, out: Path, engine: str
) -> None:
    objects = tree_objects(Node(["one"]), catalog=b"/Metadata 90 0 R")
    objects |= {
        80: stream(xmp(b"of a picture"), b"/Type/Metadata/Subtype/XML"),
        90: stream(xmp(b"of the document"), b"/Type/Metadata/Subtype/XML"),
        91: stream(xmp(b"of another picture"), b"/Type/Metadata/Subtype/XML"),
    }
    (pdfs / "a.pdf").write_bytes(plain_pdf(objects))
    assert cli_here("run", pdfs, "-o", out, "--engine", engine, "-w", "1", "-q").returncode == 0
    (record,) = read_lines(out / "pages.jsonl")
    assert record["metadata"]["producer"] == "of the document"
