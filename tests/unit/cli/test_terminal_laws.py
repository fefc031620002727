"""Whatever the names, figures and terminals are: what must hold of what is shown."""

from itertools import pairwise

from hypothesis import assume, example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from pdfingest.cli.tables import LEFT, RIGHT, cut, table
from pdfingest.report.costs import FileCost, thinned
from pdfingest.text import printable

NAMES = st.text(
    st.sampled_from("ab/\u6587\u30c6\u0301\u0308\u05d0\u05d1\u0645\U0001f4c4\u2601\ufe0f")
    | st.characters(codec="utf-8"),
    max_size=60,
).map(printable)
FIGURES = st.one_of(st.integers(0, 10**15).map("{:,}".format), st.just("inconclusive"))


@given(NAMES, st.integers(1, 80))
@example("e\u0301" * 30, 20)
def test_what_is_cut_fits_and_keeps_both_its_ends(name: str, width: int) -> None:
    short = cut(name, width)
    assert cell_len(short) <= width
    if cell_len(name) <= width:
        assert short == name
        return
    head, tail = short.split("\u2026")[0], short.split("\u2026")[-1]
    assert name.startswith(head)
    assert name.endswith(tail)
    assert not tail or cell_len(tail[0]), "a mark without its letter"
    if width >= 20:
        assert width - cell_len(short) <= 3, "no more is cut than must be"


@given(st.lists(st.tuples(FIGURES, FIGURES, NAMES), max_size=5), st.none() | st.integers(1, 100))
def test_a_table_shows_every_figure_whole(
    rows: list[tuple[str, str, str]], width: int | None
) -> None:
    columns = {"peak": RIGHT, "status": LEFT, "file": LEFT}
    lines = [line.plain for line in table(columns, rows, width)]
    text = "\n".join(lines)
    for peak, status, name in rows:
        assert peak in text
        assert status in text
        if width is None:
            assert name in text
    figures = max((len(f"  status {each}") for row in rows for each in row[:2]), default=0)
    if width is not None and width >= max(figures, 20):
        assert all(cell_len(line) <= width for line in lines)


@given(st.integers(0, 300), st.integers(0, 100), st.integers(0, 100))
def test_a_sample_has_the_size_that_was_asked_for(number: int, first: int, most: int) -> None:
    sample = list(thinned(range(number), number, first, most))
    assert len(sample) == min(number, most)
    assert sample == sorted(set(sample))
    assert sample[:first] == list(range(min(number, first, most)))
    rest = sample[first:]
    if len(rest) > 1:
        steps = {after - before for before, after in pairwise(rest)}
        assert max(steps) - min(steps) <= 1, "evenly spread"


@given(st.sets(st.integers(1, 50)))
def test_lost_pages_are_told_as_ranges(pages: set[int]) -> None:
    cost = FileCost("a", "partial", "", "", 0, 0, 0, 0, 0, 0, 0, failed_pages=tuple(sorted(pages)))
    told: list[int] = []
    for part in filter(None, cost.lost_pages.split(", ")):
        first, _, last = part.partition("-")
        told += range(int(first), int(last or first) + 1)
    assert told == sorted(pages)
    assume(told)
    ends = sum(page + 1 not in pages for page in pages)
    assert cost.lost_pages.count(",") == ends - 1, "as few as there can be"
