"""The page of pictures. Only user of bokeh, so only `html` imports it, and only to draw."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.models import (
    CDSView,
    ColumnDataSource,
    CustomJS,
    CustomJSFilter,
    CustomJSTransform,
    HoverTool,
    IndexFilter,
    NumeralTickFormatter,
)
from bokeh.models.widgets.inputs import TextInput
from bokeh.models.widgets.markups import Div
from bokeh.models.widgets.tables import (
    DataTable,
    HTMLTemplateFormatter,
    NumberFormatter,
    StringFormatter,
    TableColumn,
)
from bokeh.plotting import figure
from bokeh.resources import INLINE
from bokeh.transform import factor_cmap, transform
from jinja2 import Template

from pdfingest.output.layout import REPORT
from pdfingest.report.costs import LOST, Costs, FileCost, thinned
from pdfingest.report.figures import Figures
from pdfingest.text import printable

MOST_ROWS = 100_000
"""Most files in the table."""
MOST_POINTS = 10_000
"""Most files that are drawn, each as a point."""
_MESSAGE_CHARS = 300
"""Most characters of a message: some have a stack, and a browser has to open the page."""
_MIB = 1 << 20
_HEIGHT = 280
_COLORS = {"ok": "#3b6fb5", "partial": "#d08a1d", "failed": "#b8322a"}
_OTHER = "#7a7a7a"
_ISOLATED, _REUSED = "#3b6fb5", "#b8322a"
_STYLE = (
    ":root{font:15px/1.5 system-ui,sans-serif;color:#222}body{margin:0 auto;max-width:1100px;"
    "padding:12px;overflow-wrap:anywhere}h1{font-size:1.4rem}p{margin:.3em 0}"
    "h2{font-size:1.05rem;margin:1.4em 0 .3em}"
)
_FILTER = """
const words = input.value_input.toLowerCase(), {name, status, failure, message} = source.data;
return name.map((_, i) => `${name[i]} ${status[i]} ${failure[i]} ${message[i]}`
  .toLowerCase().includes(words));
"""
_WHOLE = '<span title="<%- value %>"><%- value %></span>'
"""Cell whose text is its tooltip, too; `<%-` escapes it (underscorejs.org, "template")."""
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
            parts += [Div(text=f"<h2>{heading}</h2>"), part]
    return file_html(
        column(parts, sizing_mode="stretch_width"),
        INLINE,
        title,
        template=Template(_PAGE, autoescape=False),
        template_variables={"style": _STYLE, "lines": lines},
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
    yield "Memory over files done", _memory(figures)
    yield f"Peak against file size{part}", scatter(("size", "file size in KiB"), peak)
    yield f"Peak against pages{part}", scatter(("pages", "pages"), peak)
    time = ("wall", "milliseconds")
    yield f"Time for each file{part}", scatter(("pages", "pages"), time, y_axis_type="log")
    yield "Failures by kind", _failures(costs)
    yield f"Files{_rows(len(files), costs)}", _table(source)


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


def _figure(x_label: str, y_label: str, **options: Any) -> Any:
    plot = figure(
        height=_HEIGHT,
        sizing_mode="stretch_width",
        x_axis_label=x_label,
        y_axis_label=y_label,
        toolbar_location="above",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        **options,
    )
    plot.toolbar.logo = None
    plot.toolbar.active_drag = None  # a finger that scrolls the page must not move the picture
    for axis in (plot.xaxis, plot.yaxis):
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "13px"
    return plot


def _memory(figures: Figures) -> Any:
    """Draw the memory that outlives a file, isolated and reused; None without samples."""
    curves = (("isolated", figures.held, _ISOLATED), ("reused", figures.reused, _REUSED))
    if not any(points for _, points, _ in curves):
        return None
    plot = _figure("files done", "MiB")
    plot.y_range.start = 0
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0")
    for name, points, color in curves:
        if points:
            files, held = zip(*points, strict=True)
            mebibytes = [round(each / _MIB, 2) for each in held]
            label = f"{name}: what stays between files" if name == "isolated" else "one process"
            plot.line(files, mebibytes, line_width=2, color=color, legend_label=label)
    plot.add_layout(plot.legend[0], "below")  # beside the curves it would hide one of them
    plot.add_tools(HoverTool(tooltips=[("files", "@x{0,0}"), ("MiB", "@y")], mode="vline"))
    return plot


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
    plot = _figure(x[1], y[1], x_axis_type="log", **options)
    color = factor_cmap("status", [*_COLORS.values()], [*_COLORS], nan_color=_OTHER)
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
    plot = _figure("files", "", y_range=kinds[::-1])
    plot.hbar(y=kinds, right=list(failures.values()), height=0.7, color=_COLORS["failed"])
    plot.x_range.start = 0
    return plot


def _table(source: Any) -> Any:
    """Return the table of the files; a click on a heading sorts, the field above filters."""
    text, number = StringFormatter(), NumberFormatter(format="0,0.[0]")
    whole = HTMLTemplateFormatter(template=_WHOLE)
    headings = {
        "name": ("file", 250, whole),
        "status": ("status", 75, text),
        "failure": ("failure", 110, text),
        "message": ("message", 215, whole),
        "peak": ("peak MiB", 75, number),
        "own": ("of its own", 75, number),
        "wall": ("ms", 75, number),
        "size": ("KiB", 75, number),
        "pages": ("pages", 60, number),
        "lost": ("lost", 60, number),
    }
    columns = [
        TableColumn(field=name, title=title, width=width, formatter=formatter)
        for name, (title, width, formatter) in headings.items()
    ]
    words = TextInput(title="Filter by name, status, failure or message")
    chosen = CustomJSFilter(args={"input": words}, code=_FILTER)
    table = DataTable(
        source=source,
        view=CDSView(filter=chosen),
        columns=columns,
        index_position=None,
        height=420,
        sizing_mode="stretch_width",
        autosize_mode="none",
        reorderable=False,
    )
    # The signal of the source would do as well, but would draw all pictures again.
    redraw = CustomJS(args={"chosen": chosen}, code="chosen.change.emit()")
    words.js_on_change("value_input", redraw)
    return column(words, table, sizing_mode="stretch_width")
