"""Make the PDFs of `examples/pdfs`, which can be read, and of `examples/broken`, which cannot.

    pip install "pdfingest[test]" && python examples/make_pdfs.py FONT_DEJAVU FONT_CJK

The fonts are TrueType files: DejaVuSans.ttf (Cyrillic, Greek, Hebrew) and DroidSansFallbackFull.ttf
(Han, Kana); only the characters in use are embedded.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import EncryptionMethod, PageLabelStyle
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    DictionaryObject,
    FloatObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

PDFS = Path(__file__).parent / "pdfs"
BROKEN = Path(__file__).parent / "broken"
MADE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
OWNER, READER = "owner", "correct horse"
"""Passwords of the example that is encrypted; the README prints the second."""
STORY = (
    "The lighthouse keeper wrote down every ship that passed the northern cape. "
    "Some nights there were none, and he wrote that down as well, because an empty line "
    "is also an observation. "
)


def new(title: str = "") -> FPDF:
    """An empty document."""
    pdf = FPDF()
    pdf.set_creation_date(MADE)
    pdf.set_font("Helvetica", size=12)
    if title:
        pdf.set_title(title)
        pdf.set_author("Ada Example")
    return pdf


def save(pdf: FPDF, name: str, folder: Path = PDFS) -> None:
    """Write a document."""
    pdf.output(str(folder / name))


def pages() -> None:
    """Several pages of one column, one of them blank, with a link."""
    pdf = new("The keeper's log")
    pdf.set_lang("en-GB")
    for number, name in enumerate(("first", "second", "third"), 1):
        pdf.add_page()
        pdf.multi_cell(0, text=f"This is the {name} page, number {number}.\n\n{STORY}")
    pdf.cell(text="Harbour office", link="https://example.org/harbour")
    pdf.add_page()
    save(pdf, "pages.pdf")


def columns() -> None:
    """Two columns."""
    pdf = new("Two columns")
    pdf.add_page()
    with pdf.text_columns(ncols=2, gutter=8) as column:
        column.write("Left column begins here. " + STORY * 3)
        column.new_column()
        column.write("Right column begins here. " + STORY)
    save(pdf, "columns.pdf")


def table() -> None:
    """A table with ruled cells."""
    pdf = new("Ships by month")
    pdf.add_page()
    with pdf.table() as rows:
        for cells in (("Month", "Ships", "Tons"), ("January", "17", "40210"),
                      ("February", "9", "18450"), ("March", "23", "61875")):  # fmt: skip
            row = rows.row()
            for cell in cells:
                row.cell(cell)
    save(pdf, "table.pdf")


def scan() -> None:
    """A page that is only an image."""
    image = Image.new("L", (1240, 1754), 255)  # A4 at 150 dpi
    lines = "This text is a picture.", "Only OCR can read it:", "pdfingest run --ocr auto"
    font = ImageFont.load_default(size=28)
    ImageDraw.Draw(image).multiline_text((120, 160), "\n".join(lines), 0, font, spacing=14)
    pdf = new("A scan")
    pdf.add_page()
    pdf.image(image, x=0, y=0, w=pdf.w)
    save(pdf, "scan.pdf")


def outline() -> None:
    """An outline, and pages labelled i, ii, 1, 2, A-1."""
    pdf = new("Labelled pages")
    styles = (
        (PageLabelStyle.LOWER_ROMAN, None, 1, "Preface"),
        (None, None, None, "Contents"),
        (PageLabelStyle.NUMBER, None, 1, "Chapter one"),
        (None, None, None, "Chapter two"),
        (PageLabelStyle.NUMBER, "A-", 1, "Appendix"),
    )
    for style, prefix, start, name in styles:
        pdf.add_page()
        if style:
            pdf.set_page_label(style, prefix, start)
        pdf.start_section(name)
        pdf.cell(text=f"{name} of the labelled book")
    save(pdf, "outline.pdf")


def scripts(dejavu: str, cjk: str) -> None:
    """Scripts other than Latin."""
    pdf = new("Many scripts")
    pdf.add_font("dejavu", fname=dejavu)
    pdf.add_font("cjk", fname=cjk)
    pdf.set_text_shaping(True)
    pdf.add_page()
    for font, text in (
        ("dejavu", "Смотритель маяка записывал каждый корабль."),
        ("dejavu", "Ο φύλακας του φάρου έγραφε κάθε πλοίο."),
        ("dejavu", "Strażnik latarni, naïve façade, Ærøskøbing"),
        ("cjk", "灯台守はすべての船を記録した"),
        ("cjk", "燈塔看守人記下了每一艘船"),
    ):
        pdf.set_font(font, size=12)
        pdf.multi_cell(0, text=text, new_x="LMARGIN", new_y="NEXT")
    save(pdf, "scripts.pdf")


def encrypted() -> None:
    """A document that opens with a password only."""
    pdf = new("Secret log")
    pdf.set_encryption(
        owner_password=OWNER,
        user_password=READER,
        encryption_method=EncryptionMethod.RC4,
    )
    pdf.add_page()
    pdf.cell(text="Nobody reads this without the password.")
    save(pdf, "encrypted.pdf", BROKEN)


def add(writer: PdfWriter, thing: PdfObject) -> IndirectObject:
    """Put an object into a document."""
    return writer._add_object(thing)  # noqa: SLF001 - pypdf has no public way


def form() -> None:
    """A form with a field that is filled in."""
    pdf = new("A form")
    pdf.add_page()
    pdf.cell(text="Name of the ship:")
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf.output())))
    look = StreamObject()
    look.set_data(b"/Tx BMC BT /Helv 12 Tf 2 4 Td (Halcyon) Tj ET EMC")
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/Helv"): font})})
    look.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject(map(FloatObject, (0, 0, 150, 18))),
            NameObject("/Resources"): fonts,
        }
    )
    page = writer.pages[0]
    field = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Annot"),
            NameObject("/Subtype"): NameObject("/Widget"),
            NameObject("/FT"): NameObject("/Tx"),
            NameObject("/F"): NumberObject(4),
            NameObject("/T"): TextStringObject("ship"),
            NameObject("/V"): TextStringObject("Halcyon"),
            NameObject("/DA"): TextStringObject("/Helv 12 Tf 0 g"),
            NameObject("/Rect"): ArrayObject(map(FloatObject, (140, 790, 290, 808))),
            NameObject("/P"): page.indirect_reference,
            NameObject("/AP"): DictionaryObject({NameObject("/N"): add(writer, look)}),
        }
    )
    widget = add(writer, field)
    page[NameObject("/Annots")] = ArrayObject([widget])
    writer.root_object[NameObject("/AcroForm")] = DictionaryObject(
        {
            NameObject("/Fields"): ArrayObject([widget]),
            NameObject("/DR"): fonts,
            NameObject("/NeedAppearances"): BooleanObject(value=False),
        }
    )
    writer.write(PDFS / "form.pdf")


def broken() -> None:
    """A PDF that was cut off in the middle of a download, and a web page with a wrong name."""
    whole = (PDFS / "table.pdf").read_bytes()
    (BROKEN / "broken.pdf").write_bytes(whole[:300])
    (BROKEN / "not-a-pdf.pdf").write_text("<!doctype html><title>404</title>\n", encoding="ascii")


if __name__ == "__main__":
    try:
        dejavu, cjk = sys.argv[1:]
    except ValueError:
        sys.exit(__doc__)
    for folder in (PDFS, BROKEN):
        folder.mkdir(exist_ok=True)
    pages()
    columns()
    table()
    scan()
    outline()
    scripts(dejavu, cjk)
    encrypted()
    form()
    broken()
