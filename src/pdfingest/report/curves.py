"""The curves of memory on the page: how it changed, which is judged, and all of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bokeh.models import HoverTool, NumeralTickFormatter

from pdfingest.measure.flatness import THRESHOLD_BYTES, Point, changes
from pdfingest.report.figures import ISOLATED, Figures, growth_heading
from pdfingest.report.theme import OTHER, picture

_COLORS = ("#3b6fb5", "#b8322a", "#d08a1d")
"""Of at most three legs, on light and on dark."""
_KIB, _MIB = 1 << 10, 1 << 20


def memory_parts(figures: Figures) -> Iterator[tuple[str, Any]]:
    """Yield heading and picture of each part; nothing without samples."""
    held = figures.held
    if not held:
        return
    legs = {ISOLATED: held}
    heading = growth_heading(held)
    if not figures.others:
        yield heading, _growth(legs)
    for name, points in figures.others.items():
        yield f"{heading}, beside {name}", _growth({**legs, name: points})
    memory = _lines({**legs, **figures.others}, "MiB", _MIB)
    memory.y_range.start = 0
    yield "All memory that outlives a file", memory


def _growth(legs: Mapping[str, Sequence[Point]]) -> Any:
    """Draw how memory changed behind the warm-up, and the limit of the verdict."""
    grown = {name: changes(points) for name, points in legs.items() if points}
    plot = _lines(grown, "KiB", _KIB)
    first = min(points[0][0] for points in grown.values())
    last = max(points[-1][0] for points in grown.values())
    label = f"limit: {THRESHOLD_BYTES} bytes a file"
    ends = [0, THRESHOLD_BYTES * (last - first) / _KIB]
    plot.line([first, last], ends, line_dash="dashed", color=OTHER, legend_label=label)
    return plot


def _lines(legs: Mapping[str, Sequence[Point]], unit: str, unit_bytes: int) -> Any:
    """Draw a line for each leg, over the files done."""
    plot = picture("files done", unit)
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0,0")
    for index, (name, points) in enumerate(legs.items()):
        files, values = zip(*points, strict=True)
        units = [round(value / unit_bytes, 2) for value in values]
        plot.line(files, units, line_width=2, color=_COLORS[index], legend_label=name)
    plot.legend.background_fill_color = plot.legend.border_line_color = None
    plot.add_layout(plot.legend[0], "below")  # beside the curves it would hide one of them
    plot.add_tools(HoverTool(tooltips=[("files", "@x{0,0}"), (unit, "@y{0,0.0}")], mode="vline"))
    return plot
