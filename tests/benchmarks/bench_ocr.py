"""How well pictures of known text are read, and what a page costs, beside OCRmyPDF.

    nox -s bench

Texts are set, drawn at 150 and at 300 dpi, and put into PDFs as pictures: upright, on their side,
on their head, and two degrees askew. Each is read by pdfingest's OCR in this process, and by
`ocrmypdf` where it is installed (or where `PDFINGEST_BENCH_OCRMYPDF` says). Prints the share of
characters that differ (CER: edits relative to the length; blanks and line ends count as one blank,
in Chinese as none) and CPU seconds. What opens a reader is left out for the one, and what starts
processes counts for the other, as that is how each is used. Judges nothing.

It needs fonts of Debian's packages fonts-dejavu-core and fonts-noto-cjk, and the languages deu, rus
and chi_sim; pages without are left out.
"""

import os
import re
import resource
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

from fpdf import FPDF
from PIL import Image

from pdfingest.engines.pdfium import open_document
from pdfingest.model import Format
from pdfingest.ocr import tesseract
from pdfingest.ocr.engine import Reader
from pdfingest.ocr.transcript import transcribe
from pdfingest.page.ocr import read_page
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON

PEER = shutil.which(os.environ.get("PDFINGEST_BENCH_OCRMYPDF", "ocrmypdf"))
SERIF = "/usr/share/fonts/truetype/dejavu/DejaVuSerif.ttf"
HAN_SERIF = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc"
JAPANESE_FACE, CHINESE_FACE = 0, 2
"""Fonts of a collection. Their ideographs have the forms that are usual in a country, and many
differ: text of one country in the forms of another one is harder to read."""
SIZE, LEADING, WIDTH = 10.0, 14.0, 455.0
ANGLES = (0.0, 90.0, 180.0, 270.0, 2.0, -2.0)
ENGLISH = (
    "The lighthouse keeper wrote every evening in a book bound with green cloth. He noted the "
    "weather, the ships that passed, and the number of gulls upon the rocks. On 14 March 1897 he "
    "counted 212 of them, which was more than in any year before. His daughter, who had learned "
    "arithmetic from the captain of a stranded schooner, kept the accounts: oil for the lamp, "
    "$38.50; rope, $4.75; flour and salt fish, $12.20. She checked the sums twice and underlined "
    "each total in red ink. When the inspector came in June, he asked whether the light had ever "
    "failed. Only once, said the keeper, and then for less than a minute, because a storm petrel "
    "had broken the glass."
)
GERMAN = (
    "Die Gemeinde beschloss im Frühjahr, den alten Marktplatz neu zu pflastern. Nach längerer "
    "Auseinandersetzung zwischen Bürgermeister und Verkehrsausschuss einigte man sich auf Platten "
    "aus der näheren Umgebung. Die Kosten wurden auf 48.300 Euro geschätzt, wovon das Land ein "
    "Drittel übernahm. Während der Arbeiten mussten die Händler ihre Stände in die Schulstraße "
    "verlegen, was zu Beschwerden führte. Größere Schwierigkeiten bereitete die unterirdische "
    "Wasserleitung, deren Verlauf in keinem Plan verzeichnet war. Ein pensionierter Meister "
    "erinnerte sich schließlich daran, dass sie quer unter dem Brunnen hindurchführte. So konnte "
    "die Einweihung doch noch am letzten Samstag im September stattfinden."
)
RUSSIAN = (
    "Старый смотритель каждый вечер записывал в тетрадь погоду и названия проходивших кораблей. "
    "Весной 1897 года он насчитал двести двенадцать чаек на прибрежных скалах, больше, чем в любой "
    "другой год. Его дочь вела счета: масло для лампы, верёвка, мука и солёная рыба. Она дважды "
    "проверяла каждую сумму и подчёркивала итог красными чернилами. Когда в июне приехал "
    "инспектор, он спросил, гас ли когда-нибудь огонь маяка."
)
HAN = (
    "灯塔的看守人每天晚上都在一本绿色封面的本子里写字。他记下天气、经过的船只以及岩石上海鸥的数量。"
    "一八九七年三月，他数到二百一十二只，比以往任何一年都多。他的女儿负责记账：灯油、绳索、面粉和咸鱼。"
    "她把每个数字核对两遍，并用红墨水在总数下面画线。六月检查员来的时候，问灯光是否曾经熄灭过。"
)


@dataclass(frozen=True)
class Sample:
    """A text, and how it is set."""

    name: str
    text: str
    language: str
    font: str
    columns: int = 1
    angles: tuple[float, ...] = (0.0,)
    face: int = 0
    """Which font of the collection, where `font` is one."""


SAMPLES = (
    Sample("English", ENGLISH, "eng", SERIF, angles=ANGLES),
    Sample("German, 2 columns", GERMAN, "deu", SERIF, 2, ANGLES),
    Sample("Russian", RUSSIAN, "rus", SERIF),
    Sample("Chinese", HAN, "chi_sim", HAN_SERIF, face=CHINESE_FACE),
    Sample("Chinese, JP forms", HAN, "chi_sim", HAN_SERIF, face=JAPANESE_FACE),
)


def set_text(sample: Sample) -> bytes:
    """A PDF with the text of a sample, its columns drawn row by row."""
    pdf = FPDF(unit="pt", format="A4")
    pdf.add_page()
    pdf.add_font("font", "", sample.font, collection_font_number=sample.face)
    pdf.set_font("font", size=SIZE)
    gap = 25.0
    width = (WIDTH - gap * (sample.columns - 1)) / sample.columns
    lines = [*_lines(pdf, sample, width)]
    rows = -(-len(lines) // sample.columns)
    for place, line in enumerate(lines):
        pdf.text(70 + place // rows * (width + gap), 100 + place % rows * LEADING, line)
    return bytes(pdf.output())


def _lines(pdf: FPDF, sample: Sample, width: float) -> Iterator[str]:
    """Yield a text in lines, as many words or ideographs on each as have room."""
    blank = "" if sample.language == "chi_sim" else " "
    line = ""
    for word in sample.text.split(" ") if blank else sample.text:
        longer = f"{line}{blank if line else ''}{word}"
        if pdf.get_string_width(longer) > width:
            yield line
            longer = word
        line = longer
    yield line


def photograph(path: Path, content: bytes, dpi: float, angle: float) -> None:
    """Write a PDF with nothing but a picture of the first page of another."""
    path.write_bytes(content)
    document = open_document(str(path), ())
    drawn = document.picture(1, dpi, angle)
    document.close()
    picture = Image.frombytes("L", (drawn.width, drawn.height), drawn.data)
    size = (drawn.width * 72 / drawn.dpi, drawn.height * 72 / drawn.dpi)
    pdf = FPDF(unit="pt", format=size)
    pdf.add_page()
    pdf.image(picture, 0, 0, *size)
    path.write_bytes(bytes(pdf.output()))


def by_pdfingest(path: Path, reader: Reader) -> str:
    """What pdfingest reads in a picture."""
    document = open_document(str(path), ())
    page = document.layout(1, marked=False, ruled=False)
    found = transcribe(lambda dpi, angle: document.picture(1, dpi, angle), reader)
    document.close()
    return read(read_page(page, found), NOTHING_IN_COMMON, Format.TEXT).text


def by_peer(path: Path, language: str) -> str:
    """What OCRmyPDF reads in a picture, as it writes it beside its PDF, lines joined."""
    output, text = path.with_suffix(".ocr.pdf"), path.with_suffix(".txt")
    options = ("--rotate-pages", "--deskew", "--jobs", "1", "--output-type", "pdf", "-q")
    files = ("--sidecar", str(text), str(path), str(output))
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    command = [str(PEER), "-l", language, *options, *files]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return text.read_text()


def error_rate(wanted: str, found: str, language: str) -> float:
    """The edits that make one text of another, relative to its length (Levenshtein)."""
    a, b = (_normal(each, language) for each in (wanted, found))
    costs = [*range(len(b) + 1)]
    for row, letter in enumerate(a, 1):
        before, costs[0] = costs[0], row
        for column, other in enumerate(b, 1):
            change = before + (letter != other)
            before = costs[column]
            costs[column] = min(change, before + 1, costs[column - 1] + 1)
    return float(costs[-1]) / len(a)


def _normal(text: str, language: str) -> str:
    blank = "" if language == "chi_sim" else " "
    return re.sub(r"\s+", blank, unicodedata.normalize("NFKC", text)).strip()


def cpu_s() -> float:
    """CPU time of this process and of its children that have ended."""
    own, others = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return float(own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime)


def measured(sample: Sample, read_text: Callable[[], str]) -> str:
    """A cell of the table: error rate and CPU seconds."""
    begin = cpu_s()
    text = read_text()
    seconds = cpu_s() - begin
    return f"{error_rate(sample.text, text, sample.language):.4f} {seconds:6.2f} s"


def row(sample: Sample, path: Path, reader: Reader) -> Iterator[str]:
    """The cells of a picture."""
    yield measured(sample, partial(by_pdfingest, path, reader))
    if PEER:
        try:
            yield measured(sample, partial(by_peer, path, sample.language))
        except subprocess.CalledProcessError as error:
            yield f"exit code {error.returncode}"


def main() -> None:
    """Print the table."""
    print(f"{'page':27} {'pdfingest':>16}  {'ocrmypdf' if PEER else 'no ocrmypdf':>16}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.pdf")
        for sample in SAMPLES:
            if sample.language not in tesseract.languages() or not os.path.exists(sample.font):
                print(f"{sample.name} needs {sample.language} and {sample.font}")
                continue
            begin = cpu_s()
            reader = tesseract.open_reader([sample.language])
            opened = cpu_s() - begin
            content = set_text(sample)
            for dpi, angle in product((150, 300), sample.angles):
                photograph(path, content, dpi, angle)
                name = f"{sample.name:17} {dpi} {angle:+4.0f}°"
                print(name, *row(sample, path, reader), sep="  ", flush=True)
            print(f"  opening the reader took {opened:.2f} s")
            reader.close()


if __name__ == "__main__":
    main()
