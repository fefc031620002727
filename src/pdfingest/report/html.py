"""Pictures of a run as one HTML file that opens offline. Only user of bokeh (extra `report`)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from pdfingest.errors import EngineUnavailableError
from pdfingest.output.layout import REPORT
from pdfingest.report.costs import LOST, Costs, FileCost, thinned
from pdfingest.report.figures import Figures
from pdfingest.text import printable

MOST_ROWS = 100_000
"""More files than this are not in the table."""
MOST_POINTS = 10_000
"""More files than this are not drawn one by one."""
_MESSAGE_CHARS = 300
"""Some messages have a stack, and a hundred thousand of them would not open in a browser."""
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
"""A text that its column may be too narrow for; `<%-` escapes it (underscorejs.org, "template")."""
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title|e }}</title><link rel="icon" href="data:,"><style>{{ style }}</style>
{{ bokeh_css }}{{ bokeh_js }}</head>
<body><h1>{{ title|e }}</h1>{% for line in lines %}<p>{{ line|e }}</p>{% endfor %}
{{ plot_div }}{{ plot_script }}</body></html>
"""


def check() -> None:
    """See that pictures can be drawn here, before the work begins.

    Raises:
        EngineUnavailableError: the extra is not installed.
    """
    if find_spec("bokeh") is None:
        raise EngineUnavailableError(
            "pictures need the extra `report`. Install it: pip install 'pdfingest[report]'"
        )


def render(figures: Figures, title: str, lines: list[str]) -> str:
    """Draw the page.

    Args:
        figures: of the run.
        title: above it, plain text.
        lines: what is said of the run, plain text.

    Raises:
        EngineUnavailableError: the extra is not installed.
    """
    check()
    from bokeh.embed import file_html  # noqa: PLC0415 - an extra, and a second to import
    from bokeh.layouts import column  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.markups import Div  # noqa: PLC0415 - an extra
    from bokeh.resources import INLINE  # noqa: PLC0415 - an extra
    from jinja2 import Template  # noqa: PLC0415 - comes with bokeh

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
    """Heading and content of each part of the page; no content where there is nothing to show."""
    from bokeh.models import ColumnDataSource  # noqa: PLC0415 - an extra

    costs = figures.costs
    files = costs.sample(MOST_ROWS)
    source = ColumnDataSource(_columns(files))
    measured = [index for index, each in enumerate(files) if each.peak_bytes]
    drawn = set(thinned(measured, len(measured), MOST_POINTS // 2, MOST_POINTS))
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
    """Say how much of the report is not in the table, and where it is; empty if nothing is."""
    if shown == len(costs):
        return ""
    lost = f"all {costs.lost:,}" if costs.lost <= shown else f"{shown:,} of the {costs.lost:,}"
    return f": {shown:,} of {len(costs):,}, with {lost} that lost pages. {REPORT} has every file"


def _columns(files: Sequence[FileCost]) -> dict[str, list[Any]]:
    """The files, column by column; rounded, since a hundred thousand of them are in the page."""
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
    """An empty picture."""
    from bokeh.plotting import figure  # noqa: PLC0415 - an extra

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
    """What outlives a file, isolated and reused; None without samples."""
    from bokeh.models import HoverTool, NumeralTickFormatter  # noqa: PLC0415 - an extra

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
    source: Any,
    layers: Iterable[list[int]],
    x: tuple[str, str],
    y: tuple[str, str],
    **options: Any,
) -> Any:
    """Draw a point for each file.

    Args:
        source: the files.
        layers: indices of the files that are drawn, each layer over the one before.
        x: column and label of the axis, which is logarithmic.
        y: as `x`; linear unless the options say otherwise.
        options: of the picture.
    """
    from bokeh.models import CDSView, IndexFilter  # noqa: PLC0415 - an extra
    from bokeh.transform import factor_cmap  # noqa: PLC0415 - an extra

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
    """A column as a logarithmic axis can show it, which has no 0. The table shows it as it is."""
    from bokeh.models import CustomJSTransform  # noqa: PLC0415 - an extra
    from bokeh.transform import transform  # noqa: PLC0415 - an extra

    least = 0.5 if column == "pages" else 0.1
    return transform(column, CustomJSTransform(v_func=f"return xs.map(x => Math.max(x, {least}))"))


def _hover(points: list[Any]) -> Any:
    """The name of the file under the pointer, and its figures."""
    from bokeh.models import HoverTool  # noqa: PLC0415 - an extra

    shown = [
        ("file", "@name"),
        ("status", "@status @failure"),
        ("peak", "@peak MiB, of its own @own"),
        ("time", "@wall ms"),
        ("size", "@size KiB, @pages pages, @lost lost"),
    ]
    return HoverTool(renderers=points, tooltips=shown)


def _failures(costs: Costs) -> Any:
    """A bar for each kind; None if nothing failed."""
    failures = costs.failures
    if not failures:
        return None
    kinds = list(failures)
    plot = _figure("files", "", y_range=kinds[::-1])
    plot.hbar(y=kinds, right=list(failures.values()), height=0.7, color=_COLORS["failed"])
    plot.x_range.start = 0
    return plot


def _table(source: Any) -> Any:
    """All files; a click on a heading sorts, the field above it filters."""
    from bokeh.layouts import column  # noqa: PLC0415 - an extra
    from bokeh.models import CDSView, CustomJS, CustomJSFilter  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.inputs import TextInput  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.tables import (  # noqa: PLC0415 - an extra
        DataTable,
        HTMLTemplateFormatter,
        NumberFormatter,
        StringFormatter,
        TableColumn,
    )

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
    # Not the source's signal, which would draw all pictures anew.
    redraw = CustomJS(args={"chosen": chosen}, code="chosen.change.emit()")
    words.js_on_change("value_input", redraw)
    return column(words, table, sizing_mode="stretch_width")
