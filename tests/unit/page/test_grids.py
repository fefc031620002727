"""Lines whose cells stand below each other are a table, wherever their text wraps."""

from collections.abc import Sequence

import pytest

from pdfingest.model import Format
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON
from pdfingest.pages import Span
from spans import page, span

HEAD = [span("Term", 50, 100), span("Meaning", 120, 100), span("Since", 300, 100)]


def rows(spans: Sequence[Span]) -> list[list[str]]:
    """The cells of the text of a page, row by row."""
    text = read(page(spans), NOTHING_IN_COMMON, Format.TEXT).text
    return [line.split("\t") for line in text.split("\n") if line]


def test_rows_of_one_line_each_are_a_table() -> None:
    cells = [span(text, left, 100 + 12 * row) for row, texts in enumerate(["abc", "def", "ghi"])
             for left, text in zip((50, 120, 300), texts, strict=True)]  # fmt: skip
    assert rows(cells) == [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]


@pytest.mark.parametrize(
    ("top", "beside", "middle"),
    [(120, 120, 132), (126, 126, 132), (132, 132, 132)],
    ids=["at the top", "in the middle", "at the end"],
)
def test_a_cell_may_wrap_beside_others_that_stand(top: int, beside: int, middle: int) -> None:
    first = [
        span("Habit", 50, top),
        span("a tendency to act that is", 120, 120),
        span("acquired by use", 120, middle),
        span("1809", 300, beside),
    ]
    second = [span("Custom", 50, 160), span("the same", 120, 160), span("1871", 300, 160)]
    assert rows([*HEAD, *first, *second]) == [
        ["Term", "Meaning", "Since"],
        ["Habit", "a tendency to act that is acquired by use", "1809"],
        ["Custom", "the same", "1871"],
    ]


def test_a_row_that_is_drawn_line_by_line_is_one_row() -> None:
    spans = [
        *HEAD,
        *(span("Habit", 50, 120), span("a tendency", 120, 120), span("about", 300, 120)),
        *(span("to act", 120, 132), span("1809", 300, 132)),
        *(span("Custom", 50, 160), span("the same", 120, 160), span("1871", 300, 160)),
    ]
    assert rows(spans)[1] == ["Habit", "a tendency to act", "about 1809"]


def test_empty_cells_are_there() -> None:
    spans = [*HEAD, span("Habit", 50, 120), span("1809", 300, 120), span("Custom", 50, 140),
             span("the same", 120, 140)]  # fmt: skip
    assert rows(spans) == [
        ["Term", "Meaning", "Since"], ["Habit", "", "1809"], ["Custom", "the same", ""],
    ]  # fmt: skip


def test_loose_words_of_a_cell_are_one_cell() -> None:
    loose = [span("Habit", 50, 120), span("a", 120, 120), span("long", 140, 120),
             span("tendency", 180, 120), span("1809", 300, 120)]  # fmt: skip
    second = [span("Custom", 50, 140), span("the same", 120, 140), span("1871", 300, 140)]
    assert rows([*HEAD, *loose, *second])[1] == ["Habit", "a long tendency", "1809"]


def test_numbers_that_end_below_each_other_are_a_column() -> None:
    spans = [
        *(span("North", 50, 100), span("12", 140, 100)),
        *(span("South", 50, 112), span("1,204", 125, 112)),
    ]
    assert rows(spans) == [["North", "12"], ["South", "1,204"]]


def test_text_below_a_table_is_no_row_of_it() -> None:
    table = [*HEAD, span("Habit", 50, 120), span("use", 120, 120), span("1809", 300, 120)]
    below = span("A line of text that goes across all of the columns above it.", 50, 150)
    text = read(page([*table, below]), NOTHING_IN_COMMON, Format.TEXT).text
    assert text == f"Term\tMeaning\tSince\nHabit\tuse\t1809\n\n{below.text}"


def test_one_row_is_no_table() -> None:
    spans = [span("left", 50, 100), span("right", 300, 100)]
    assert read(page(spans), NOTHING_IN_COMMON, Format.MARKDOWN).text == "left right"


def test_items_whose_marks_stand_apart_are_no_table() -> None:
    items = [span(text, left, 100 + 12 * row) for row in range(3)
             for left, text in ((50, f"{row + 1}."), (80, "sow it in spring"))]  # fmt: skip
    text = read(page(items), NOTHING_IN_COMMON, Format.MARKDOWN).text
    assert text == "\n".join(f"{row}. sow it in spring" for row in (1, 2, 3))


def test_a_short_line_far_below_a_table_is_no_row_of_it() -> None:
    table = [*HEAD, span("Habit", 50, 120), span("use", 120, 120), span("1809", 300, 120)]
    note = span("Source", 50, 170)
    text = read(page([*table, note]), NOTHING_IN_COMMON, Format.TEXT).text
    assert text.endswith("1809\n\nSource")
