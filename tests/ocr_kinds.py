"""Kinds of pages that need OCR and of pages that do not, each in some variants."""

import math
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from PIL import Image, ImageDraw, ImageOps

from ocr_pages import HEIGHT, WIDTH, Face, by_fpdf, image, outlines, page, placed, text
from pictures import FONTS, photo, scanned, sentences, typeset, words_image, worn
from written import stream


class Made(NamedTuple):
    """A page, and why it needs OCR; empty if it does not."""

    name: str
    content: bytes
    reason: str


def letter(seed: int, font: str = "Times", size: float = 11, dpi: int = 150) -> Image.Image:
    """A page of text as a picture."""
    return scanned(typeset(sentences(seed, 40), font, size), dpi)


def pasted(seed: int, font: str = "Times", lines: int = 9) -> Image.Image:
    """A part of a letter as a picture, about five times as wide as high."""
    whole = scanned(typeset(sentences(seed, lines), font, 11), 150)
    return whole.crop((100, 110, 1140, 110 + 32 * lines))


def table(seed: int) -> Image.Image:
    """A scanned table."""
    draw = random.Random(seed)
    lines = [
        "".join(f"{draw.choice(('north', 'south', 'east', 'pier'))} {draw.randrange(9999):>7}   "
                for _ in range(4)) for _ in range(12)
    ]  # fmt: skip
    return scanned(typeset(lines, "Courier", 10), 150).crop((100, 110, 1140, 480))


def scans() -> Iterator[Made]:
    for font in FONTS:
        for seed, (size, dpi) in enumerate(((9, 300), (11, 100), (12, 200), (14, 72))):
            content = page(placed(), [image(letter(seed, font, size, dpi))])
            yield Made(f"scan, {font}, {size} pt, {dpi} dpi", content, "image")
    for font in FONTS[::2]:
        clear = letter(7, font)
        for name, picture in {
            "inverted": ImageOps.invert(clear),
            "worn": worn(clear, 1),
            "skewed": clear.rotate(2, fillcolor=255, expand=True),
            "sideways": clear.rotate(90, expand=True),
            "of one bit": clear.convert("1"),
        }.items():
            yield Made(f"scan, {font}, {name}", page(placed(), [image(picture)]), "image")
        as_jpeg = image(worn(clear, 2), as_jpeg=True)
        yield Made(f"scan, {font}, JPEG", page(placed(), [as_jpeg]), "image")
        strips = [clear.crop((0, clear.height * n // 50, clear.width, clear.height * (n + 1) // 50))
                  for n in range(50)]  # fmt: skip
        drawn = b"".join(
            placed((0, HEIGHT * (49 - n) / 50, WIDTH, HEIGHT / 50), n) for n in range(50)
        )
        yield Made(f"scan, {font}, 50 strips", page(drawn, [*map(image, strips)]), "image")
        mask = image(ImageOps.invert(clear).convert("1"), entries=b"/ImageMask true/Decode[1 0]")
        yield Made(f"scan, {font}, mask", page(b"0 g " + placed(), [mask]), "image")


def odd_scans() -> Iterator[Made]:
    clear = letter(3)
    for turn in (90, 180, 270):
        entries = b"/Rotate %d" % turn
        yield Made(
            f"scan turned by {turn}", page(placed(), [image(clear)], entries=entries), "image"
        )
    inner = b"/Type/XObject/Subtype/Form/BBox[0 0 600 850]/Resources 6 0 R"
    form = {8: stream(placed(), inner)}
    yield Made("scan in a form", page(b"/X Do", [image(clear)], more=form), "image")
    small = {8: stream(placed((0, 0, 100, 100)), inner)}
    drawn = b"q 5.95 0 0 8.42 0 0 cm /X Do Q"
    yield Made("scan in a form that is scaled", page(drawn, [image(clear)], more=small), "image")
    half = {8: stream(placed((0, 0, 50, 50)), inner)}
    drawn = text(sentences(1, 20)) + b"q 9.5 0 0 2.8 60 120 cm /X Do Q"
    yield Made("pasted in a form", page(drawn, [image(pasted(1))], more=half), "image")
    cut = pasted(1)
    strips = [cut.crop((0, 6 * n, cut.width, 6 * n + 6)) for n in range(cut.height // 6)]
    drawn = b"".join(placed((60, 260 - 3 * n, 475, 3), n) for n in range(len(strips)))
    beside = page(text(sentences(1, 20)) + drawn, [*map(image, strips)])
    yield Made("pasted in strips", beside, "image")
    inline = letter(4, dpi=72)
    size = b"/W %d/H %d" % inline.size
    drawn = b"q 595 0 0 842 0 0 cm BI%s/BPC 8/CS/G ID %s EI Q" % (size, inline.tobytes())
    yield Made("scan inline", page(drawn), "image")
    for font in FONTS[:3]:
        stamp = text(["PFEIFFER 000123"], at=(430, 20), size=9)
        yield Made(f"scan with a stamped number, {font}",
                   page(placed() + stamp, [image(letter(5, font))]), "image")  # fmt: skip
        mark = b"BT /F 90 Tf .7 .7 -.7 .7 120 200 Tm .8 g (CONFIDENTIAL) Tj ET "
        yield Made(f"scan under a watermark, {font}",
                   page(placed() + mark, [image(letter(6, font))]), "image")  # fmt: skip


def layers() -> Iterator[Made]:
    """Scans with text behind them or in front, from an earlier OCR."""
    draw = random.Random(1)
    for seed, font in enumerate(FONTS):
        lines = sentences(seed, 40)
        picture = image(scanned(typeset(lines, font, 11), 150))
        hidden = text(lines, at=(60, 772), mode=3)
        yield Made(f"good layer, {font}", page(placed() + hidden, [picture], font=font), "")
        short = sentences(seed, 6)
        few = image(scanned(typeset(short, font, 11), 150))
        yield Made(f"short good layer, {font}",
                   page(placed() + text(short, mode=3), [few], font=font), "")  # fmt: skip
        behind = text(lines) + placed()
        yield Made(f"text behind the scan, {font}", page(behind, [picture], font=font), "")
        noise = ["".join(draw.choice(".,;:'~|-_^ il1") for _ in range(50)) for _ in lines]
        garbage = placed() + text(noise, mode=3)
        yield Made(f"layer of garbage, {font}", page(garbage, [picture]), "invisible")
        letters = ["".join(draw.choice("bcdfghjklm ") for _ in range(60)) for _ in lines]
        consonants = placed() + text(letters, mode=3)
        yield Made(f"layer of consonants, {font}", page(consonants, [picture]), "invisible")
        empty = placed() + text(["   "] * 20, mode=3)
        yield Made(f"empty layer, {font}", page(empty, [picture]), "invisible")


def letters_as_curves() -> Iterator[Made]:
    faces = (Face(11), Face(9), Face(11, 0.75), Face(11, 1.3), Face(11, 1, 0.2), Face(16, 1, 0.1))
    for seed, face in enumerate(faces):
        lines = sentences(seed, 12)
        for together in (1, 60, 10_000):
            content = page(outlines(lines, face, together))
            yield Made(f"outlines, {face}, {together} a path", content, "outlines")
        beside = page(text(["Page 3"], at=(60, 30)) + outlines(sentences(seed, 20), face, 1))
        yield Made(f"outlines, {face}, beside a page number", beside, "outlines")
        logo = page(outlines(["Harbour"], face._replace(size=40), 1))
        yield Made(f"logo of outlines, {face}", logo, "")


def beside_text() -> Iterator[Made]:
    for seed, font in enumerate(FONTS):
        lines = text(sentences(seed, 20), at=(60, 772))
        box = (60.0, 120.0, 475.0, 140.0)
        content = page(lines + placed(box), [image(pasted(seed, font))], font=font)
        yield Made(f"text and a pasted letter, {font}", content, "image")
        content = page(lines + placed((60, 100, 475, 170)), [image(table(seed))], font=font)
        yield Made(f"text and a scanned table, {font}", content, "image")
        content = by_fpdf((pasted(seed, font, 14), 60, 450, 470), lines=sentences(seed, 20))
        yield Made(f"text and a screenshot by fpdf2, {font}", content, "image")
        content = by_fpdf((photo(seed, 400, 300), 60, 450, 300), lines=sentences(seed, 20))
        yield Made(f"text and a photo by fpdf2, {font}", content, "")
        content = page(lines + placed(box), [image(chart(seed))], font=font)
        yield Made(f"text and a chart, {font}", content, "")
        logo = image(words_image("Harbour & Sons", 600, 160, 60))
        content = page(lines + placed((400, 790, 150, 40)), [logo], font=font)
        yield Made(f"text and a logo, {font}", content, "")
        few = photo(seed, 900, 280)
        few.paste(words_image("harbour, 1931", 260, 60, 26), (60, 180))
        content = page(lines + placed(box), [image(few)], font=font)
        yield Made(f"text and a photo with words, {font}", content, "")


def chart(seed: int) -> Image.Image:
    """A bar chart with labels at its axes."""
    draw = random.Random(seed)
    picture = Image.new("L", (1000, 300), 255)
    pen = ImageDraw.Draw(picture)
    for n in range(8):
        pen.rectangle((90 + 110 * n, 260 - draw.randrange(30, 230), 150 + 110 * n, 260), fill=90)
        picture.paste(words_image(str(1990 + n), 70, 28, 20), (88 + 110 * n, 266))
        picture.paste(words_image(str(10 * n), 40, 28, 20), (10, 240 - 32 * n))
    pen.line((80, 10, 80, 260, 980, 260), fill=0, width=2)
    return picture


def plain() -> Iterator[Made]:
    for font in FONTS:
        for size in (8, 12):
            content = page(text(sentences(size, 30), size=size), font=font)
            yield Made(f"text, {font}, {size} pt", content, "")
    white = image(Image.new("L", (800, 1100), 255))
    grid = b"".join(b"60 %d 475 .5 re f %d 60 .5 700 re f " % (60 + 35 * n, 60 + 24 * n)
                    for n in range(21))  # fmt: skip
    for name, content in {
        "blank": page(b""),
        "white image": page(placed(), [white]),
        "white image and text": page(placed() + text(sentences(1, 20)), [white]),
        "border": page(b"30 30 535 782 re S"),
        "table without text": page(grid),
        "table with text": page(grid + text(sentences(2, 20))),
        "spaces": page(text(["   "])),
        "nothing shown": page(text(sentences(1, 20), mode=3)),
    }.items():
        yield Made(name, content, "")


def drawings() -> Iterator[Made]:
    for seed in range(4):
        draw = random.Random(seed)
        lines = b"".join(
            b"%d %d m %s S "
            % (draw.randrange(595), draw.randrange(842),
               b"".join(b"%d %d l " % (draw.randrange(595), draw.randrange(842)) for _ in range(6)))
            for _ in range(900)
        )  # fmt: skip
        yield Made(f"map of lines {seed}", page(lines), "")
        yield Made(f"map of lines and text {seed}", page(lines + text(sentences(seed, 10))), "")
        dots = b"".join(dot(draw.uniform(60, 540), draw.uniform(60, 500)) for _ in range(1200))
        yield Made(f"plot of dots and text {seed}", page(dots + text(sentences(seed, 12))), "")
        wave = b"60 300 m " + b"".join(
            b"%g %g l " % (60 + n / 8, 300 + 120 * math.sin(n / (60 + 9 * seed)))
            for n in range(3800)
        )
        labels = b"".join(text([str(n)], at=(60 + 40 * n, 160), size=8) for n in range(12))
        yield Made(f"plot of a curve with labels {seed}", page(wave + b"S " + labels), "")
        tile = stream(
            dot(4, 4) + dot(9, 8),
            b"/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 12 12]/XStep 12/YStep 12"
            b"/Resources<<>>",
        )
        fill = b"/Pattern cs /P scn %d 100 400 500 re f" % (20 + 40 * seed)
        yield Made(f"pattern {seed}", page(fill, more={9: tile}), "")


def dot(x: float, y: float, radius: float = 1.5) -> bytes:
    """A circle, filled: four curves, each with two points that bend it and its end."""
    ends = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)]
    drawn = b"%.1f %.1f m " % (x + radius, y)
    for (p, q), (r, s) in pairwise(ends):
        for across, up in ((p + 0.55 * r, q + 0.55 * s), (r + 0.55 * p, s + 0.55 * q), (r, s)):
            drawn += b"%.1f %.1f " % (x + radius * across, y + radius * up)
        drawn += b"c "
    return drawn + b"f "


def photos() -> Iterator[Made]:
    for seed in range(6):
        yield Made(f"photo {seed}", page(placed(), [image(photo(seed))]), "")
        title = b"1 g " + text(["The Harbour", "A History"], at=(80, 600), size=36)
        yield Made(f"cover {seed}", page(placed() + title, [image(photo(seed))]), "")
        as_jpeg = image(photo(seed), as_jpeg=True)
        yield Made(f"photo as JPEG {seed}", page(placed((60, 300, 400, 400)), [as_jpeg]), "")


def textures() -> Iterator[Made]:
    draw = random.Random(5)
    noise = Image.frombytes("L", (800, 1100), draw.randbytes(880_000))
    squares = Image.new("L", (800, 1100), 255)
    bars, dashes = squares.copy(), squares.copy()
    for n in range(60):
        ImageDraw.Draw(bars).rectangle(
            (40 + 12 * n, 100, 40 + 12 * n + draw.randrange(2, 8), 300), fill=0
        )
        for m in range(20):
            ImageDraw.Draw(dashes).rectangle((12 * n, 50 * m, 12 * n + 7, 50 * m + 5), fill=0)
            ImageDraw.Draw(squares).rectangle((40 * m, 20 * n, 40 * m + 19, 20 * n + 9), fill=0)
    for name, picture in {"noise": noise, "squares": squares, "bars": bars, "dashes": dashes,
                          "halftone": photo(9).convert("1")}.items():  # fmt: skip
        yield Made(name, page(placed(), [image(picture)]), "")
        beside = placed((60, 100, 475, 300)) + text(sentences(1, 20))
        yield Made(f"{name} and text", page(beside, [image(picture)]), "")


def not_shown() -> Iterator[Made]:
    """Text in pictures that are not on the page, or clipped away, or that nobody could decode."""
    scan = image(letter(8))
    lines = text(sentences(3, 20))
    outside = lines + placed((700, 0, WIDTH, HEIGHT))
    yield Made("scan outside of the page", page(outside, [scan]), "")
    yield Made("only a scan outside of the page", page(placed((0, 900, 500, 700)), [scan]), "")
    clipped = lines + b"q 0 0 1 1 re W n " + placed() + b"Q"
    yield Made("scan that is clipped", page(clipped, [scan]), "")
    beyond = b"/CropBox[0 421 595 842]"
    low = lines + placed((60, 50, 475, 140))
    yield Made("letter below the crop box", page(low, [image(pasted(1))], entries=beyond), "")
    huge = stream(b"", b"/Type/XObject/Subtype/Image/Width 100000/Height 100000"
                  b"/BitsPerComponent 8/ColorSpace/DeviceGray")  # fmt: skip
    yield Made("huge image and text", page(lines + placed((60, 50, 475, 300)), [huge]), "")
    mark = b"BT /F 90 Tf .7 .7 -.7 .7 120 200 Tm .8 g (CONFIDENTIAL) Tj ET "
    yield Made("watermark", page(mark + lines), "")


Kind: TypeAlias = Callable[[], Iterator[Made]]

TRAPS: tuple[Kind, ...] = (odd_scans, layers, not_shown, letters_as_curves)
KINDS: tuple[Kind, ...] = (
    *TRAPS, scans, beside_text, plain, drawings, photos, textures
)  # fmt: skip
