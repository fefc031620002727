"""Rules that cross enclose the cells of tables, whatever these hold; other rules change nothing."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from pdfingest.model import Format
from pdfingest.page.reading import read
from pdfingest.page.survey import NOTHING_IN_COMMON
from pdfingest.pages import Box, Page, Span
from spans import page, span

LEFTS, TOPS = (50.0, 150.0, 250.0, 350.0), (100.0, 130.0, 160.0, 190.0)


def grid(
    lefts: Sequence[float] = LEFTS,
    tops: Sequence[float] = TOPS,
    without: Sequence[tuple[str, int, int]] = (),
) -> list[Box]:
    """The rules of a table, without the sides that are named by direction, line and step."""
    flat = [
        Box(left, top, right, top)
        for n, top in enumerate(tops)
        for k, (left, right) in enumerate(pairwise(lefts))
        if ("flat", n, k) not in without
    ]
    upright = [
        Box(left, top, left, bottom)
        for n, left in enumerate(lefts)
        for k, (top, bottom) in enumerate(pairwise(tops))
        if ("upright", n, k) not in without
    ]
    return flat + upright


def cell(text: str, column: int, row: int, line: int = 0) -> Span:
    return span(text, LEFTS[column] + 5, TOPS[row] + 11 + 12 * line)


NINE = [cell(text, n % 3, n // 3) for n, text in enumerate("abcdefghi")]


def tables(spans: Sequence[Span], rules: Sequence[Box]) -> list[list[list[str]]]:
    """The rows of each table of a page, and a check that its Markdown holds the same cells."""
    made = page(spans)._replace(rules=tuple(rules))
    found = read(made, NOTHING_IN_COMMON, Format.TEXT, tables=True).tables
    marked = read(made, NOTHING_IN_COMMON, Format.MARKDOWN).text
    for table in found:
        assert f"| {' | '.join(table.rows[0])} |" in marked
    return [[list(row) for row in table.rows] for table in found]


def test_cells_that_are_enclosed_are_a_table() -> None:
    assert tables(NINE, grid()) == [[["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]]


def test_lines_of_a_cell_are_one_text_and_those_of_rows_are_not_mixed() -> None:
    spans = [*NINE[:3], cell("a text that wraps", 0, 1), cell("in its cell", 0, 1, 1),
             cell("and another one", 1, 1), cell("beside it, too", 1, 1, 1), *NINE[5:]]  # fmt: skip
    assert tables(spans, grid())[0][1] == [
        "a text that wraps in its cell", "and another one beside it, too", "f",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("without", "left_out", "rows"),
    {
        "over two columns": (
            [("upright", 1, 0)], "b", [["a", "", "c"], ["d", "e", "f"], ["g", "h", "i"]],
        ),
        "over two rows": (
            [("flat", 1, 0)], "d", [["a", "b", "c"], ["", "e", "f"], ["g", "h", "i"]],
        ),
        "over both": (
            [("flat", 1, 0), ("flat", 1, 1), ("upright", 1, 0), ("upright", 1, 1)], "bde",
            [["a", "", "c"], ["", "", "f"], ["g", "h", "i"]],
        ),
    }.values(),
)  # fmt: skip
def test_a_cell_that_spans_others_stands_in_the_first(
    without: list[tuple[str, int, int]], left_out: str, rows: list[list[str]]
) -> None:
    spans = [each for each in NINE if each.text not in left_out]
    assert tables(spans, grid(without=without)) == [rows]


def test_a_long_head_over_two_columns_is_one_cell() -> None:
    head = span("a head that stands over both", 60, 111)
    spans = [head, *(each for each in NINE if each.text not in "ab")]
    assert tables(spans, grid(without=[("upright", 1, 0)]))[0][0] == [head.text, "", "c"]


def test_cells_of_shaded_rows_have_no_sides_and_are_cells() -> None:
    shaded = [("upright", n, 1) for n in range(4)]
    assert tables(NINE, grid(without=shaded)) == [
        [["a", "b", "c"], ["d", "e", "f"], ["g", "h", "i"]]
    ]


def test_empty_cells_are_there_and_empty_rows_and_columns_are_not() -> None:
    spans = [each for each in NINE if each.text not in "bdef"]
    assert tables(spans, grid()) == [[["a", "", "c"], ["g", "h", "i"]]]


def test_a_grid_without_text_is_no_table() -> None:
    outside = span("some text", 50, 400)
    assert tables([outside], grid()) == []


def test_one_cell_is_no_table() -> None:
    assert tables([cell("a", 0, 0)], grid()) == []
    assert tables([cell("in a frame", 0, 0)], grid(LEFTS[:2], TOPS[:2])) == []


def test_a_table_within_a_cell_is_one_of_its_own() -> None:
    inner = grid((60.0, 80.0, 100.0), (134.5, 145.0, 155.5))
    spans = [*(each for each in NINE if each.text != "d"), *(
        span(text, left, top) for text, left, top in
        (("p", 65, 143), ("q", 85, 143), ("r", 65, 154), ("s", 85, 154))
    )]  # fmt: skip
    found = tables(spans, grid() + inner)
    assert sorted(found, key=len) == [
        [["p", "q"], ["r", "s"]],
        [["a", "b", "c"], ["", "e", "f"], ["g", "h", "i"]],
    ]


def test_two_tables_of_a_page_are_two() -> None:
    below = [each._replace(baseline=each.baseline + 200, text=each.text * 2) for each in NINE]
    lower = grid(tops=[top + 200 for top in TOPS])
    assert [rows[0][0] for rows in tables([*NINE, *below], grid() + lower)] == ["a", "aa"]


def test_text_around_a_table_stays_where_it_is() -> None:
    spans = [span("Before it stands this.", 50, 60), *NINE, span("After it comes that.", 50, 260)]
    made = page(spans)._replace(rules=tuple(grid()))
    parts = read(made, NOTHING_IN_COMMON, Format.MARKDOWN).text.split("\n\n")
    assert parts[0] == "Before it stands this."
    assert parts[1].startswith("| a | b | c |")
    assert parts[2] == "After it comes that."


def test_several_rows_between_two_rules_are_told_by_their_text() -> None:
    spans = [
        span(f"{column}{line}", LEFTS[column] + 5, 141 + 25 * line)
        for line in range(2)
        for column in range(3)
    ]
    found = tables([*NINE[:3], *spans], grid(tops=(100.0, 130.0, 190.0)))
    assert found == [[["a", "b", "c"], ["00", "10", "20"], ["01", "11", "21"]]]


def test_rules_that_text_runs_across_make_no_table() -> None:
    lines = [span("a line of text that runs across the rules", 60, 111 + 30 * n) for n in range(3)]
    assert tables(lines, grid()) == []


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_table_is_the_same_however_the_page_is_turned(angle: int) -> None:
    def turned(box: Box) -> Box:
        match angle:
            case 90:
                return Box(box.top, -box.right, box.bottom, -box.left)
            case 180:
                return Box(-box.right, -box.bottom, -box.left, -box.top)
            case _:
                return Box(-box.bottom, box.left, -box.top, box.right)

    spans = [each._replace(angle=angle) for each in NINE]
    made = Page("abcdefghi", spans=tuple(spans), rules=tuple(map(turned, grid())))
    (found,) = read(made, NOTHING_IN_COMMON, Format.RAW, tables=True).tables
    assert found.rows == (("a", "b", "c"), ("d", "e", "f"), ("g", "h", "i"))


def test_very_many_rules_are_a_drawing() -> None:
    many = [Box(n / 10, 0, n / 10, 500) for n in range(4000)]
    assert tables(NINE, grid() + many) == tables(NINE, [])
