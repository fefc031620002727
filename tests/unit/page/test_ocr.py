"""What was read from a picture, as spans of a page."""

import pytest

from pdfingest.engines.frames import Frame
from pdfingest.model import Format
from pdfingest.ocr.engine import Line, Word
from pdfingest.page.ocr import read_page, spans_of, with_ocr
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON
from pdfingest.pages import Box, Page, Span
from seen import line, transcript
from spans import A4, page, span

LETTERS = ("The keeper wrote every", "evening in a book that", "was bound in cloth.")
OTHERS = ("Oil for the lamp, rope,", "flour and salted fish", "were paid in June.")


def text_of(found: Page) -> str:
    return read(found, NOTHING_IN_COMMON, Format.TEXT).text


def test_a_line_is_a_span() -> None:
    (found,) = spans_of(transcript(line("The keeper wrote", 50, 100, gap=0.5)), A4, 0)
    assert found == Span("The keeper wrote", 50, 130, 100, 10)


def test_a_wide_gap_ends_a_span() -> None:
    found = spans_of(transcript(line("oil 38.50", gap=3)), A4, 0)
    assert [each.text for each in found] == ["oil", "38.50"]


def test_chinese_has_no_blanks_and_what_is_beside_it_has() -> None:
    (found,) = spans_of(transcript(line("灯塔 的 看 守 人 ， 1897 年 OCR 好")), A4, 0)
    assert found.text == "灯塔的看守人， 1897 年 OCR 好"


def test_sizes_that_are_as_good_as_one_are_one() -> None:
    sizes = (18, 10.8, 10, 9.2, 11.2, 8)
    lines = [line("words of a line", 50, 100 + 20 * n, size) for n, size in enumerate(sizes)]
    assert [each.size for each in spans_of(transcript(*lines), A4, 0)] == [18, 10, 10, 10, 10, 8]


def test_a_page_has_the_texts_of_its_spans_in_their_order() -> None:
    lines = [line(text, 50, 100 + 12 * n) for n, text in enumerate(LETTERS)]
    found = read_page(page([]), transcript(*lines))
    assert found.text == "\n".join(LETTERS) == "\n".join(each.text for each in found.spans)
    assert text_of(found) == " ".join(LETTERS)


def test_columns_are_read_one_after_the_other() -> None:
    lines = [
        line(text, left, 100 + 12 * n)
        for n, pair in enumerate(zip(LETTERS, OTHERS, strict=True))
        for text, left in zip(pair, (50, 300), strict=True)
    ]
    assert text_of(read_page(page([]), transcript(*lines))) == (
        f"{' '.join(LETTERS)}\n\n{' '.join(OTHERS)}"
    )


def test_a_word_that_lines_divide_is_joined() -> None:
    texts = ("Die Auseinanderset-", "zung in der Ge-", "meinde um einen Salz-", "Zoll 1897-", "98")
    lines = [line(text, 50, 100 + 12 * n) for n, text in enumerate(texts)]
    found = read_page(page([]), transcript(*lines))
    assert found.text == (
        "Die Auseinanderset\ufffezung in der Ge\ufffemeinde um einen Salz-\nZoll 1897-\n98"
    )
    assert text_of(found).startswith("Die Auseinandersetzung in der Gemeinde um einen Salz-")


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_spans_stand_where_an_engine_finds_text_that_is_drawn_so(turn: int) -> None:
    # The shown part of a page, as the file has it, and a word in it, as its reader sees it.
    box = Box(-10, -700, 90, -500)
    width, height = (100, 200) if turn % 180 == 0 else (200, 100)
    found = transcript(Line((Word("word", 30, 40, 70, 50, 1.0),), 50, 10))
    (seen,) = spans_of(found._replace(width=width, height=height), box, turn)
    assert seen.angle == turn
    # Where the reader's right is, in the file: the baseline's ends, y growing upwards.
    left, top = {0: (-10, 700), 90: (-10, 500), 180: (90, 500), 270: (90, 700)}[turn]
    along, down = {
        0: ((1, 0), (0, -1)),
        90: ((0, 1), (1, 0)),
        180: ((-1, 0), (0, 1)),
        270: ((0, -1), (-1, 0)),
    }[turn]
    begin = (left + 30 * along[0] + 50 * down[0], top + 30 * along[1] + 50 * down[1])
    assert seen.baseline == pytest.approx(Frame(turn).baseline(*begin))
    end = (begin[0] + 40 * along[0], begin[1] + 40 * along[1])
    ends = sorted(Frame(turn + 90).baseline(*each) for each in (begin, end))
    assert (seen.left, seen.right) == pytest.approx(tuple(ends))


def test_a_line_on_its_side_is_a_span_on_its_side() -> None:
    # It reads from the top down at x = 80; turned by 270 clockwise, its baseline is at y = -80.
    words = (Word("down", 80, 100, 90, 140, 1.0), Word("wards", 80, 143, 90, 193, 1.0))
    (found,) = spans_of(transcript(Line(words, -80, 10, 270)), A4, 0)
    assert found == Span("down wards", 100, 193, -80, 10, angle=270)


def test_what_a_page_says_is_not_read_twice() -> None:
    own = page([span("Native text of the page", 50, 100), span("and more", 50, 112)])
    seen = transcript(
        line("Native text of the page", 51, 101, 9),
        line("ar1d more", 50, 112),
        line("Only in the picture", 50, 300),
    )
    found = with_ocr(own, seen)
    assert found.text == f"{own.text}\nOnly in the picture"
    assert found.spans[:2] == own.spans
    assert [each.text for each in found.spans[2:]] == ["Only in the picture"]


def test_a_page_that_says_it_all_is_the_same() -> None:
    own = page([span("Native text of the page", 50, 100)])
    assert with_ocr(own, transcript(line("Native text of the page"))) is own


def test_a_word_beside_text_in_its_line_is_kept() -> None:
    own = page([span("Name:", 50, 100)])
    found = with_ocr(own, transcript(line("Name: Hoover", 50, 100)))
    assert found.text == "Name:\nHoover"


def test_a_layer_that_is_shifted_is_told_by_what_it_says() -> None:
    own = page([span("The keeper wrote every evening", 50, 100)])
    assert with_ocr(own, transcript(line("the keeper wrote", 50, 140))) is own
    kept = with_ocr(own, transcript(line("every", 50, 140)))
    assert kept.text.endswith("every")


def test_text_under_a_watermark_is_kept() -> None:
    own = page([span("DRAFT", 20, 105, 200)])
    assert with_ocr(own, transcript(line("below the mark", 50, 100))).text.endswith("the mark")


def test_text_of_a_page_that_is_turned_is_not_read_twice() -> None:
    # The file has it upwards, and its reader sees the page turned by 90 degrees.
    own = page([Span("Native text", 200, 255, 80, 10, angle=90)])
    own = Page(own.text, spans=own.spans, box=Box(0, -842, 595, 0), turn=90)
    assert with_ocr(own, transcript(line("Native text", 200, 80))) is own
    assert with_ocr(own, transcript(line("Other words", 200, 180))) is not own


def test_text_on_its_side_is_not_read_twice() -> None:
    # It reads upwards at x = 80; turned by 90 clockwise, it stands from -400 to -300.
    own = Page("Beside the page", spans=(Span("Beside the page", -400, -300, 80, 10, angle=90),))
    word = Word("Beslde", 72, 340, 82, 400, 0.9)
    assert with_ocr(own, transcript(Line((word,), 80, 10, 90))) is own
