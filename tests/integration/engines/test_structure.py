"""Links, annotations, form fields, sections and traits, and that hostile ones cost no text."""

import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from conftest import Cli, read_lines
from written import Objects, plain_pdf, stream

PAGE = (
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 8 0 R/Resources<</Font<</F 9 0 R>>>>"
)
CONTENT = stream(b"BT /F 12 Tf 72 700 Td (What the page says) Tj ET")
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def document(
    more: Objects, page: bytes = b"", catalog: bytes = b"", pages: int = 1, trailer: bytes = b""
) -> bytes:
    """A PDF of pages that say the same, with more in its objects, catalog and first page."""
    kids = b" ".join(b"%d 0 R" % (3 if n == 0 else 1000 + n) for n in range(pages))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog,
        2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, pages),
        3: PAGE + page + b">>",
        8: CONTENT,
        9: FONT,
        **more,
        **{1000 + n: PAGE + b">>" for n in range(1, pages)},
    }
    return plain_pdf(objects, trailer)


def read(
    cli_here: Cli, pdfs: Path, out: Path, content: bytes, *options: str
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the records and the report line of a PDF."""
    (pdfs / "a.pdf").write_bytes(content)
    done = cli_here("run", pdfs, "-o", out, "--format", "raw", *options)
    assert done.returncode == 0, done.stderr
    (name,) = out.glob("*s.jsonl")
    (line,) = read_lines(out / "report.jsonl")
    return read_lines(name), line


def test_annotations_have_kind_author_and_text(cli_here: Cli, pdfs: Path, out: Path) -> None:
    annotations = (
        b"/Annots[<</Type/Annot/Subtype/Highlight/Rect[0 0 9 9]/T(Ada)/Contents(check this)>>"
        b"<</Type/Annot/Subtype/Text/Rect[0 0 9 9]/T<FEFF0416>/Contents<FEFF6CE8>>>"
        b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]>><</Type/Annot/Subtype/Popup/Rect[0 0 9 9]>>]"
    )
    records, _ = read(cli_here, pdfs, out, document({}, annotations))
    assert json.loads(records[0]["annotations"]) == [
        {"page": 1, "kind": "Highlight", "author": "Ada", "text": "check this"},
        {"page": 1, "kind": "Text", "author": "\u0416", "text": "\u6ce8"},
    ]


def widget(entries: bytes) -> bytes:
    return b"<</Type/Annot/Subtype/Widget/Rect[0 0 90 20]%s>>" % entries


FIELDS: Objects = {
    20: widget(b"/FT/Tx/T(surname)/V(Lovelace)/Parent 30 0 R"),
    21: widget(b"/FT/Btn/T(agreed)/V/Off"),
    22: widget(b"/FT/Ch/T(colour)/V(red)/Opt[(red)(blue)]/Ff 131072"),
    23: widget(b"/FT/Ch/T(many)/V[(b)(c)]/Opt[(a)(b)(c)]/Ff 2097152"),
    24: widget(b"/FT/Sig/T(signed)"),
    30: b"<</T(person)/Kids[20 0 R]>>",
}
FORM = b"/AcroForm<</Fields[30 0 R 21 0 R 22 0 R 23 0 R 24 0 R]>>"
ANNOTS = b"/Annots[20 0 R 21 0 R 22 0 R 23 0 R 24 0 R]"


@pytest.mark.parametrize("unit", ["page", "document"])
def test_form_fields_have_name_kind_and_value(
    cli_here: Cli, pdfs: Path, out: Path, unit: str
) -> None:
    records, _ = read(cli_here, pdfs, out, document(FIELDS, ANNOTS, FORM, 2), "--unit", unit)
    found = json.loads(records[0]["form_fields"])
    assert [(each["page"], each["name"], each["kind"], each["value"]) for each in found] == [
        (1, "person.surname", "text", "Lovelace"),
        (1, "agreed", "checkbox", "Off"),
        (1, "colour", "choice", "red"),
        (1, "many", "choice", "b, c"),
        (1, "signed", "signature", ""),
    ]


def test_a_form_in_dynamic_xfa_has_the_values_of_its_data(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    data = (
        b'<xfa:datasets xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><xfa:data><form>'
        b"<name>Ada &amp; Co</name><address><town>London</town></address><empty/></form>"
        b"</xfa:data></xfa:datasets>"
    )
    form = b"/NeedsRendering true/AcroForm<</Fields[]/XFA[(datasets)20 0 R]>>"
    records, line = read(cli_here, pdfs, out, document({20: stream(data)}, catalog=form))
    found = {each["name"]: each["value"] for each in json.loads(records[0]["form_fields"])}
    assert found == {"form.name": "Ada & Co", "form.address.town": "London", "form.empty": ""}
    assert line["has_xfa"]


def test_links_lead_to_pages_and_out_of_the_document(cli_here: Cli, pdfs: Path, out: Path) -> None:
    link = b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]%s>>"
    links = (
        link % b"/Dest[1001 0 R/Fit]"
        + link % b"/A<</S/GoTo/D[3 0 R/Fit]>>"
        + link % b"/A<</S/URI/URI(https://example.org/)>>"
        + link % b"/A<</S/GoToR/F(other.pdf)/D[0/Fit]>>"
    )
    labels = b"/PageLabels<</Nums[0<</S/r>>]>>"
    records, _ = read(cli_here, pdfs, out, document({}, b"/Annots[%s]" % links, labels, 2))
    assert json.loads(records[0]["internal_links"]) == [
        {"page": 1, "to_page": 2, "to_label": "ii"},
        {"page": 1, "to_page": 1, "to_label": "i"},
    ]
    assert records[0]["links"] == ["https://example.org/", "other.pdf"]


def outlined() -> bytes:
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    for title, level in (
        ("", 0), ("1 One", 0), ("1.1 Deep", 1), ("", 0), ("2 Two", 0), ("2.1 Last", 1)
    ):  # fmt: skip
        if title != "1.1 Deep":
            pdf.add_page()
        if title:
            pdf.start_section(title, level)
        pdf.cell(text="some text")
    return bytes(pdf.output())


def test_a_section_is_the_titles_under_which_a_page_stands(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    records, _ = read(cli_here, pdfs, out, outlined())
    assert [record["metadata"]["section"] for record in records] == [
        "", "1 One > 1.1 Deep", "1 One > 1.1 Deep", "2 Two", "2 Two > 2.1 Last",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "outline",
    {
        "its own next": {
            20: b"<</First 21 0 R>>",
            21: b"<</Title(A)/Next 21 0 R/Dest[3 0 R/Fit]>>",
        },
        "its own child": {20: b"<</First 21 0 R>>", 21: b"<</Title(A)/First 21 0 R/Dest[3 0 R]>>"},
        "a circle": {
            20: b"<</First 21 0 R>>",
            21: b"<</Title(A)/First 22 0 R/Dest[3 0 R]>>",
            22: b"<</Title(B)/Next 21 0 R/First 20 0 R>>",
        },
        "no titles": {20: b"<</First 99 0 R/Last 98 0 R>>"},
        "text": {20: b"(outline)"},
    }.values(),
)
def test_a_broken_outline_ends_and_costs_no_text(
    cli_here: Cli, pdfs: Path, out: Path, outline: Objects
) -> None:
    content = document(outline, catalog=b"/Outlines 20 0 R")
    records, line = read(cli_here, pdfs, out, content, "--page-timeout", "20")
    assert records[0]["text"] == "What the page says"
    assert line["attempts"] == 1


def test_a_million_links_or_fields_are_bounded_and_cost_no_text(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    link = b"<</Type/Annot/Subtype/Link/Rect[0 0 9 9]/A<</S/URI/URI(http://a.example/)>>>>"
    more = {20: link, 21: widget(b"/FT/Tx/T(one)/V(x)")}
    annots = b"/Annots[%s]" % (b"20 0 R " * 500_000 + b"21 0 R " * 500_000)
    content = document(more, annots, b"/AcroForm<</Fields[21 0 R]>>")
    records, _ = read(cli_here, pdfs, out, content)
    assert records[0]["text"] == "What the page says"
    assert len(records[0]["links"]) == 10_000


BOMB = b"<!DOCTYPE x[<!ENTITY a 'ha'>%s]>" % b"".join(
    b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(10)
)


@pytest.mark.parametrize("kind", ["xmp", "xfa"])
def test_xml_that_explodes_is_not_read(cli_here: Cli, pdfs: Path, out: Path, kind: str) -> None:
    rdf = b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    dc = b'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    xmp = b"<rdf:RDF %s><rdf:Description %s><dc:title>&k;</dc:title></rdf:Description></rdf:RDF>"
    data = b'<xfa:data xmlns:xfa="http://www.xfa.org/schema/xfa-data/1.0/"><a>&k;</a></xfa:data>'
    if kind == "xmp":
        packet = stream(BOMB + xmp % (rdf, dc), b"/Type/Metadata/Subtype/XML")
        content = document({20: packet}, catalog=b"/Metadata 20 0 R")
    else:
        form = b"/NeedsRendering true/AcroForm<</Fields[]/XFA[(datasets)20 0 R]>>"
        content = document({20: stream(BOMB + data)}, catalog=form)
    records, line = read(cli_here, pdfs, out, content)
    assert records[0]["text"] == "What the page says"
    assert (records[0]["metadata"]["title"], records[0]["form_fields"]) == ("", "[]")
    assert line["attempts"] == 1


@pytest.mark.parametrize("options", [(), ("--attachments",)])
def test_an_attachment_that_explodes_costs_neither_text_nor_its_name(
    cli_here: Cli, pdfs: Path, out: Path, options: tuple[str, ...]
) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(600)) + packer.flush()
    more = {
        20: stream(packed, b"/Type/EmbeddedFile/Filter/FlateDecode"),
        21: b"<</Type/Filespec/F(a.txt)/UF(a.txt)/EF<</F 20 0 R>>>>",
    }
    content = document(more, catalog=b"/Names<</EmbeddedFiles<</Names[(a.txt)21 0 R]>>>>")
    records, line = read(cli_here, pdfs, out, content, "--memory-limit", "300M", *options)
    assert records[0]["text"] == "What the page says"
    assert json.loads(line["attachments"]) == [{"name": "a.txt", "bytes": 0, "is_pdf": False}]
    assert line["attempts"] == 1 + len(options)


def test_a_report_line_has_what_the_document_is(cli_here: Cli, pdfs: Path, out: Path) -> None:
    signed = {20: widget(b"/FT/Sig/T(s)/V<</Type/Sig/Contents<00>/ByteRange[0 1 2 3]>>")}
    form = b"/MarkInfo<</Marked true>>/AcroForm<</Fields[20 0 R]/SigFlags 3>>"
    _, line = read(cli_here, pdfs, out, document(signed, b"/Rotate 90", form))
    assert (line["pdf_version"], line["is_tagged"], line["is_signed"]) == ("1.7", True, True)
    assert (line["page_width"], line["page_height"], line["page_turn"]) == (612.0, 792.0, 90)
    assert (line["has_xfa"], line["attachments"]) == (False, "[]")


def test_pages_that_differ_have_no_shape_in_common(cli_here: Cli, pdfs: Path, out: Path) -> None:
    _, line = read(cli_here, pdfs, out, document({}, b"/Rotate 90", pages=2))
    assert (line["page_width"], line["page_height"], line["page_turn"]) == (0, 0, 0)


def test_a_record_has_subject_keywords_and_the_last_change(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    info = b"<</Subject(About it)/Keywords(one, two)/ModDate(D:20260203040506Z)>>"
    content = document({20: info}, trailer=b"/Info 20 0 R")
    records, _ = read(cli_here, pdfs, out, content)
    metadata = records[0]["metadata"]
    assert (metadata["subject"], metadata["keywords"]) == ("About it", "one, two")
    assert metadata["modified"] == "2026-02-03T04:05:06Z"
