"""Lines come in the order in which they are read, whatever the order in which they were drawn."""

import random
from collections.abc import Sequence

import pytest

from pdfingest.page.order import MOST_SPANS, reading_order
from pdfingest.pages import Span
from spans import column, span

LEFT = [f"left column, its line of text {n}" for n in range(8)]
RIGHT = [f"right column, its line of text {n}" for n in range(8)]
TITLE = span("A title that is wider than any of the columns below it, by far", baseline=60)
COLUMNS = [*column(LEFT), *column(RIGHT, left=300)]


def texts(spans: Sequence[Span]) -> list[str]:
    return [line.text for line in reading_order(spans)]


def by_turns(*columns: Sequence[Span]) -> list[Span]:
    """Columns drawn row by row."""
    return [each for row in zip(*columns, strict=True) for each in row]


@pytest.mark.parametrize(
    "spans",
    [
        COLUMNS,
        [*column(RIGHT, left=300), *column(LEFT)],
        by_turns(column(LEFT), column(RIGHT, left=300)),
        by_turns(column(RIGHT, left=300), column(LEFT)),
        sorted(COLUMNS, key=lambda _: random.Random(3).random()),
    ],
    ids=["in order", "right one first", "row by row", "row by row from the right", "shuffled"],
)
def test_columns_of_text_are_read_one_after_the_other(spans: list[Span]) -> None:
    assert texts(spans) == [*LEFT, *RIGHT]


def test_what_is_wider_than_the_columns_is_read_above_and_below_them() -> None:
    end = span(
        "A note below both columns that is as wide as the title of the page is", baseline=300
    )
    assert texts([end, *COLUMNS, TITLE]) == [TITLE.text, *LEFT, *RIGHT, end.text]


def test_three_columns_are_read_from_the_left() -> None:
    third = [f"third column, its line of text {n}" for n in range(8)]
    columns = column(LEFT, left=30), column(RIGHT, left=220), column(third, left=410)
    assert texts(by_turns(*columns)) == [*LEFT, *RIGHT, *third]


def test_the_rows_of_a_table_stay_rows() -> None:
    names, numbers = ["North", "South", "East", "West"], ["12", "7", "31", "5"]
    rows = by_turns(column(names), column(numbers, left=200))
    assert texts(rows) == ["North\t12", "South\t7", "East\t31", "West\t5"]


def test_what_is_filled_into_a_form_stands_by_its_label_though_drawn_last() -> None:
    labels = column(["Name", "Place", "Year"], step=30)
    values = column(["Ada Example", "Harbour Street 1", "1859"], left=150, top=102, step=30)
    found = texts([*labels, *values])
    assert found == ["Name\tAda Example", "Place\tHarbour Street 1", "Year\t1859"]


def test_cells_of_several_lines_are_read_cell_by_cell_as_they_were_drawn() -> None:
    cells = [
        span("Habit"),
        span("a tendency to act that is", 120, 100),
        span("acquired by use", 120, 112),
        span("1809", 300, 100),
        span("Reversion", 50, 130),
        span("the return of a character", 120, 130),
        span("1868", 300, 130),
    ]
    text = " ".join(texts(cells)).replace("\t", " ")
    assert text.index("acquired by use") < text.index("1809") < text.index("Reversion")


def test_digits_that_are_set_one_by_one_make_one_number() -> None:
    assert texts([span(digit, 50 + 5 * n) for n, digit in enumerate("1000")]) == ["1000"]


def test_what_is_set_small_above_a_line_belongs_to_it() -> None:
    line = [span("25 km"), span("2", 75, 96, size=7), span(", and more", 79)]
    assert texts(line) == ["25 km2, and more"]


def test_a_power_is_not_run_together_with_its_number() -> None:
    assert texts([span("2"), span("64", 55, 96, size=7)]) == ["2 64"]


def test_digits_of_about_one_size_are_one_number() -> None:
    assert texts([span("2"), span("6", 55, size=9.9)]) == ["26"]


def test_a_line_that_is_drawn_last_is_read_where_it_stands() -> None:
    lines = column(["one", "two", "three"])
    assert texts([*lines[1:], lines[0]]) == ["one", "two", "three"]


def test_what_is_turned_is_read_after_the_rest() -> None:
    stamp = span("a stamp")._replace(angle=90)
    assert texts([stamp, *column(LEFT)]) == [*LEFT, "a stamp"]


def test_a_page_of_very_many_spans_keeps_the_order_in_which_it_was_drawn() -> None:
    spans = [span(str(n), n % 7 * 80, 900 - n / 100) for n in range(MOST_SPANS + 1)]
    assert texts(spans) == [each.text for each in spans]
