"""The page of pictures. Only user of bokeh, so only `html` imports it, and only to draw."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from html import escape
from typing import Any

from bokeh.document import Document
from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import (
    CDSView,
    ColumnDataSource,
    CustomJSTransform,
    HoverTool,
    IndexFilter,
    NumeralTickFormatter,
    Plot,
)
from bokeh.models.widgets.markups import Div
from bokeh.resources import INLINE
from bokeh.transform import factor_cmap, transform
from jinja2 import Template

from pdfingest.output.layout import REPORT
from pdfingest.report.costs import LOST, Costs, FileCost, thinned
from pdfingest.report.curves import memory_parts
from pdfingest.report.figures import Figures
from pdfingest.report.file_table import file_table
from pdfingest.report.style import STYLE
from pdfingest.report.theme import HEADING, OTHER, paint, picture
from pdfingest.text import printable

MOST_ROWS = 100_000
"""Most files in the table."""
MOST_POINTS = 10_000
"""Most files that are drawn, each as a point."""
_MESSAGE_CHARS = 300
"""Most characters of a message: some have a stack, and a browser has to open the page."""
_MIB = 1 << 20
_BAR_BASE, _BAR = 110, 26
"""Height of the picture of failures, and of each bar in it."""
_COLORS = {"ok": "#3b6fb5", "partial": "#d08a1d", "failed": "#b8322a"}
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title|e }}</title><link rel="icon" href="data:,"><style>{{ style }}</style>
{{ bokeh_css }}{{ bokeh_js }}</head>
<body><h1>{{ title|e }}</h1>{% for line in lines %}<p>{{ line|e }}</p>{% endfor %}
{{ plot_div }}{{ plot_script }}</body></html>
"""


def page_of(figures: Figures, title: str, lines: list[str]) -> str:
    """Return the HTML of the page; `title` and `lines` are plain text."""
    parts: list[Any] = []
    for heading, part in _parts(figures):
        if part is not None:
            parts += [Div(text=f'<h2 style="{HEADING}">{escape(heading)}</h2>'), part]
    document = Document(title=title)
    document.add_root(column(parts, sizing_mode="stretch_width"))
    document.js_on_event("document_ready", paint([p for p in parts if isinstance(p, Plot)]))
    return file_html(
        document,
        INLINE,
        title,
        template=Template(_PAGE, autoescape=False),
        template_variables={"style": STYLE, "lines": lines},
    )


def _parts(figures: Figures) -> Iterator[tuple[str, Any]]:
    """Yield heading and content of each part of the page; None is a part with nothing to show."""
    costs = figures.costs
    files = costs.sample(MOST_ROWS)
    source = ColumnDataSource(_columns(files))
    # Sources without a process, such as unchanged ones, have no peak and no time to draw.
    measured = [index for index, each in enumerate(files) if each.peak_bytes]
    drawn = set(thinned(measured, len(measured), MOST_POINTS // 2, MOST_POINTS))
    # Losses are the last layer, so that no other point hides one.
    lost = {index for index in drawn if files[index].status in LOST}
    scatter = partial(_scatter, source, (sorted(drawn - lost), sorted(lost)))
    part = f": {len(drawn):,} of {len(costs):,} files" if len(drawn) == MOST_POINTS else ""
    peak = ("peak", "peak in MiB")
    yield from memory_parts(figures)
    yield f"Peak against file size{part}", scatter(("size", "file size in KiB"), peak)
    yield f"Peak against pages{part}", scatter(("pages", "pages"), peak)
    time = ("wall", "milliseconds")
    yield f"Time for each file{part}", scatter(("pages", "pages"), time, y_axis_type="log")
    yield "Failures by kind", _failures(costs)
    yield f"Files{_rows(len(files), costs)}", file_table(source)


def _rows(shown: int, costs: Costs) -> str:
    """Return how much of the report is in the table, and where the rest is; empty if all is."""
    if shown == len(costs):
        return ""
    lost = f"all {costs.lost:,}" if costs.lost <= shown else f"{shown:,} of the {costs.lost:,}"
    return f": {shown:,} of {len(costs):,}, with {lost} that lost pages. {REPORT} has every file"


def _columns(files: Sequence[FileCost]) -> dict[str, list[Any]]:
    """Return the files, column by column; rounded, because the page may have 100,000 of them."""
    return {
        "name": [printable(each.source) for each in files],
        "status": [each.status for each in files],
        "failure": [each.failure for each in files],
        "message": [printable(each.message, _MESSAGE_CHARS) for each in files],
        "size": [round(each.size_bytes / 1024, 1) for each in files],
        "pages": [each.document_pages for each in files],
        "lost": [each.pages_failed for each in files],
        "peak": [round(each.peak_bytes / _MIB, 1) for each in files],
        "own": [round(each.own_bytes / _MIB, 1) for each in files],
        "wall": [round(each.wall_s * 1000, 1) for each in files],
    }


def _scatter(
    source: Any, layers: Iterable[list[int]], x: tuple[str, str], y: tuple[str, str], **options: Any
) -> Any:
    """Draw a point for each file.

    Args:
        source: the files, column by column.
        layers: indices of the files to draw, each layer on top of the one before.
        x: column and label of the horizontal axis, which is logarithmic.
        y: column and label of the vertical axis, which is linear unless the options differ.
        options: more arguments of the picture.
    """
    plot = picture(x[1], y[1], x_axis_type="log", **options)
    plot.xaxis.formatter = plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[0]")
    color = factor_cmap("status", [*_COLORS.values()], [*_COLORS], nan_color=OTHER)
    points = [
        plot.scatter(
            _above_0(x[0]),
            _above_0(y[0]),
            source=source,
            view=CDSView(filter=IndexFilter(indices=layer)),
            size=6,
            color=color,
            alpha=0.6,
        )
        for layer in layers
    ]
    plot.add_tools(_hover(points))
    return plot


def _above_0(column: str) -> Any:
    """Return a column for a logarithmic axis, which has no 0; the table shows the true values."""
    least = 0.5 if column == "pages" else 0.1
    return transform(column, CustomJSTransform(v_func=f"return xs.map(x => Math.max(x, {least}))"))


def _hover(points: list[Any]) -> Any:
    shown = [
        ("file", "@name"),
        ("status", "@status @failure"),
        ("peak", "@peak MiB, of its own @own"),
        ("time", "@wall ms"),
        ("size", "@size KiB, @pages pages, @lost lost"),
    ]
    return HoverTool(renderers=points, tooltips=shown)


def _failures(costs: Costs) -> Any:
    failures = costs.failures
    if not failures:
        return None
    kinds = list(failures)
    height = _BAR_BASE + _BAR * len(kinds)
    plot = picture("files", "", height, y_range=kinds[::-1])
    plot.hbar(y=kinds, right=list(failures.values()), height=0.7, color=_COLORS["failed"])
    plot.x_range.start = 0
    return plot
