"""Pictures of pages, as scanners and cameras make them."""

import ctypes
import io
import random
from collections.abc import Sequence

import pypdfium2_raw as pdfium
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import pdfingest.engines.pdfium  # noqa: F401 - it starts PDFium

FONTS = ("Helvetica", "Helvetica-Bold", "Times", "Times-Italic", "Courier", "Courier-Bold")
WORDS = tuple(
    """
    the survey of the harbour was finished in march and shows that most of its walls are sound while
    two of the older piers need repair before winter so the council asked three firms to make an
    offer and chose the one whose plan leaves the fish market open on every day of the week although
    it costs somewhat more than others and takes until the end of the summer
    """.split()  # noqa: SIM905
)


def sentences(seed: int, lines: int, words: int = 10) -> list[str]:
    """Lines of a text, with some figures in it."""
    draw = random.Random(seed)
    return [
        " ".join(
            str(draw.randrange(2000)) if draw.random() < 0.05 else draw.choice(WORDS)
            for _ in range(words)
        )
        for _ in range(lines)
    ]


def typeset(lines: Sequence[str], font: str, size: float) -> bytes:
    """A PDF of one page of A4 with lines of text, in one of the fonts that need no file."""
    family, _, style = font.partition("-")
    pdf = FPDF(unit="pt", format=(595, 842))
    pdf.set_margin(0)
    pdf.set_auto_page_break(auto=False)
    pdf.add_page()
    pdf.set_font(family, style[:1], size)
    for number, line in enumerate(lines):
        pdf.text(60, 70 + 1.4 * size * number, line)
    return bytes(pdf.output())


def scanned(content: bytes, dpi: int) -> Image.Image:
    """The first page of a PDF as a gray picture."""
    document = pdfium.FPDF_LoadMemDocument64(content, len(content), None)
    page = pdfium.FPDF_LoadPage(document, 0)
    width = round(pdfium.FPDF_GetPageWidthF(page) * dpi / 72)
    height = round(pdfium.FPDF_GetPageHeightF(page) * dpi / 72)
    stride = (width + 3) // 4 * 4
    buffer = (ctypes.c_ubyte * (stride * height))()
    bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_Gray, buffer, stride)
    pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, 0xFFFFFFFF)
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, 0)
    pdfium.FPDFBitmap_Destroy(bitmap)
    pdfium.FPDF_ClosePage(page)
    pdfium.FPDF_CloseDocument(document)
    return Image.frombytes("L", (stride, height), bytes(buffer)).crop((0, 0, width, height))


def words_image(text: str, width: int, height: int, size: float = 40) -> Image.Image:
    """A gray picture with some words on white."""
    image = Image.new("L", (width, height), 255)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(image).multiline_text((width // 20, height // 4), text, fill=0, font=font)
    return image


def photo(seed: int, width: int = 800, height: int = 1100) -> Image.Image:
    """What has no text: clouds of all sizes, with a grain."""
    draw = random.Random(seed)
    image = Image.new("L", (width, height), 128)
    for cells in (4, 16, 64, 200):
        cloud = Image.frombytes("L", (cells, cells), draw.randbytes(cells * cells))
        layer = cloud.resize((width, height), Image.Resampling.BICUBIC)
        image = Image.blend(image, layer, 0.4)
    return image


def worn(image: Image.Image, seed: int) -> Image.Image:
    """A scan of gray paper, darker on one side, with a grain."""
    draw = random.Random(seed)
    grain = Image.frombytes("L", image.size, draw.randbytes(image.width * image.height))
    shade = Image.linear_gradient("L").resize(image.size)
    paper = Image.blend(Image.new("L", image.size, 225), shade, 0.15)
    soft = image.filter(ImageFilter.GaussianBlur(0.7))
    return Image.blend(Image.blend(soft, paper, 0.35), grain, 0.06)


def jpeg(image: Image.Image, quality: int = 75) -> bytes:
    """A picture as JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()
