"""What charts show, whatever the values: in the width, to scale, and readable without colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pdfingest.cli.charts import Curve, change_chart, curves, memory_chart

KIB, MIB = 1 << 10, 1 << 20
POINTS = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(-(10**10), 10**10)), min_size=1, max_size=50
).map(sorted)


def drawn(*series: Curve, width: int = 80, rows: int = 12, unit: str = "KiB") -> list[str]:
    """The lines of a chart."""
    return [text.plain for text in curves(series, width, rows, unit)]


@given(POINTS, POINTS, st.integers(50, 200), st.integers(4, 20), st.sampled_from(["KiB", "MiB"]))
def test_a_chart_keeps_to_its_width_and_height(
    one: list[tuple[int, int]], two: list[tuple[int, int]], width: int, rows: int, unit: str
) -> None:
    lines = drawn(Curve("a", one, "o", "blue"), Curve("b", two, "+", "red"),
                  width=width, rows=rows, unit=unit)  # fmt: skip
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= rows + 4
    assert any("+" in line for line in lines)


@given(POINTS)
def test_each_curve_is_seen_and_has_its_legend(points: list[tuple[int, int]]) -> None:
    *_, legend = lines = drawn(Curve("the name", points, "o", "blue"))
    assert legend.strip() == "o the name"
    assert sum(line.count("o") for line in lines if "|" in line) >= 1


@given(st.integers(1, 10**9))
def test_what_does_not_change_lies_on_zero(last: int) -> None:
    lines = drawn(Curve("a", [(0, 0), (last, 0)], "o", "blue"))
    (line,) = [line for line in lines if "|" in line and "o" in line]
    assert line.startswith("0 KiB |oooo")


def test_values_stand_at_their_labels() -> None:
    points = [(files, (files - 30) * 10 * KIB) for files in range(0, 101, 10)]
    lines = drawn(Curve("a", points, "o", "blue"))
    labelled = {line.partition("|")[0].strip(): line for line in lines if "KiB |" in line}
    assert "o" in labelled["0 KiB"]
    assert [*labelled] == ["600 KiB", "300 KiB", "0 KiB", "-300 KiB"]
    rows = [line.index("o") for line in lines if "|" in line and "o" in line]
    assert rows == sorted(rows, reverse=True), "it rises"


def test_the_limit_of_the_verdict_is_drawn_beside_what_is_judged() -> None:
    flat = [(files, 40 * MIB) for files in range(0, 2001, 20)]
    grows = [(files, 40 * MIB + 2000 * files) for files in range(0, 2001, 20)]
    lines = [text.plain for text in change_chart({"one": flat, "two": grows}, 80)]
    assert "o one: +0 KiB" in "\n".join(lines)
    assert "+ two: +2,734 KiB" in "\n".join(lines)
    assert "- limit: 512 bytes a file, +740 KiB" in "\n".join(lines)
    assert any("----" in line for line in lines if "|" in line)
    assert "520 " in next(line for line in lines if "2,000 files" in line), "behind the warm-up"


def test_all_memory_is_drawn_from_zero() -> None:
    points = [(files, 40 * MIB) for files in range(0, 2001, 20)]
    lines = [text.plain for text in memory_chart({"one": points}, 80)]
    assert "o one: at most 40.0 MiB" in "\n".join(lines)
    assert any(line.startswith(" 0 MiB |") for line in lines)


@pytest.mark.parametrize("chart", [change_chart, memory_chart])
def test_nothing_is_drawn_of_nothing(chart: object) -> None:
    assert callable(chart)
    assert [*chart({}, 80)] == []
    assert [*chart({"one": []}, 80)] == []
