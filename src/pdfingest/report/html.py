"""Pictures of a run as one HTML file that opens offline. Only user of bokeh (extra `report`)."""

from importlib.util import find_spec
from typing import Any

from pdfingest.errors import EngineUnavailableError
from pdfingest.report.figures import Figures, FileCost
from pdfingest.text import printable

_MIB = 1 << 20
_HEIGHT = 280
_COLORS = {"ok": "#3b6fb5", "unchanged": "#7a7a7a", "partial": "#d08a1d", "failed": "#b8322a"}
_ISOLATED, _REUSED = "#3b6fb5", "#b8322a"
_STYLE = (
    ":root{font:15px/1.5 system-ui,sans-serif;color:#222}body{margin:0 auto;max-width:1100px;"
    "padding:12px;overflow-wrap:anywhere}h1{font-size:1.4rem}p{margin:.3em 0}"
    "h2{font-size:1.05rem;margin:1.4em 0 .3em}"
)
_FILTER = """
const words = input.value_input.toLowerCase(), {name, status, failure} = source.data;
return name.map((_, i) => `${name[i]} ${status[i]} ${failure[i]}`.toLowerCase().includes(words));
"""
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
    """The page.

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
    from bokeh.models import ColumnDataSource  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.markups import Div  # noqa: PLC0415 - an extra
    from bokeh.resources import INLINE  # noqa: PLC0415 - an extra
    from jinja2 import Template  # noqa: PLC0415 - comes with bokeh

    source = ColumnDataSource(_columns(figures.drawn()))
    parts: list[Any] = []
    for heading, part in (
        ("Memory over files done", _memory(figures)),
        ("Peak against file size", _scatter(source, "size", "file size in KiB", log=True)),
        ("Peak against pages", _scatter(source, "pages", "pages", log=True)),
        ("Time for each file", _time(source)),
        ("Failures by kind", _failures(figures)),
        ("Files", _table(source)),
    ):
        if part is not None:
            parts += [Div(text=f"<h2>{heading}</h2>"), part]
    return file_html(
        column(parts, sizing_mode="stretch_width"),
        INLINE,
        title,
        template=Template(_PAGE, autoescape=False),
        template_variables={"style": _STYLE, "lines": lines},
    )


def _columns(files: list[FileCost]) -> dict[str, list[Any]]:
    """The files, column by column; rounded, since ten thousand of them are in the page."""
    return {
        "name": [printable(each.source) for each in files],
        "status": [each.status for each in files],
        "failure": [each.failure for each in files],
        # A logarithmic axis has no 0.
        "size": [max(round(each.size_bytes / 1024, 1), 0.1) for each in files],
        "pages": [max(each.pages + each.pages_failed, 0.5) for each in files],
        "peak": [round(each.peak_bytes / _MIB, 1) for each in files],
        "own": [round(each.own_bytes / _MIB, 1) for each in files],
        "wall": [max(round(each.wall_s * 1000, 1), 0.1) for each in files],
        "color": [_COLORS[each.status] for each in files],
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


def _scatter(source: Any, x: str, x_label: str, *, log: bool) -> Any:
    """A point for each file, its peak above `x`."""
    plot = _figure(x_label, "peak in MiB", x_axis_type="log" if log else "linear")
    points = plot.scatter(x, "peak", source=source, size=6, color="color", alpha=0.6)
    plot.add_tools(_hover(points))
    return plot


def _time(source: Any) -> Any:
    """A point for each file, its time above its pages."""
    plot = _figure("pages", "milliseconds", x_axis_type="log", y_axis_type="log")
    points = plot.scatter("pages", "wall", source=source, size=6, color="color", alpha=0.6)
    plot.add_tools(_hover(points))
    return plot


def _hover(points: Any) -> Any:
    """The name of the file under the pointer, and its figures."""
    from bokeh.models import HoverTool  # noqa: PLC0415 - an extra

    shown = [
        ("file", "@name"),
        ("status", "@status @failure"),
        ("peak", "@peak MiB, of its own @own"),
        ("time", "@wall ms"),
        ("size", "@size KiB, @pages pages"),
    ]
    return HoverTool(renderers=[points], tooltips=shown)


def _failures(figures: Figures) -> Any:
    """A bar for each kind; None if nothing failed."""
    if not figures.failures:
        return None
    kinds, counts = map(list, zip(*figures.failures, strict=True))
    plot = _figure("files", "", y_range=kinds[::-1])
    plot.hbar(y=kinds, right=counts, height=0.7, color=_COLORS["failed"])
    plot.x_range.start = 0
    return plot


def _table(source: Any) -> Any:
    """All files; a click on a heading sorts, the field above it filters."""
    from bokeh.layouts import column  # noqa: PLC0415 - an extra
    from bokeh.models import CDSView, CustomJS, CustomJSFilter  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.inputs import TextInput  # noqa: PLC0415 - an extra
    from bokeh.models.widgets.tables import (  # noqa: PLC0415 - an extra
        DataTable,
        NumberFormatter,
        StringFormatter,
        TableColumn,
    )

    text, number = StringFormatter(), NumberFormatter(format="0,0.[0]")
    headings = {
        "name": ("file", 260, text),
        "status": ("status", 75, text),
        "failure": ("failure", 110, text),
        "peak": ("peak MiB", 75, number),
        "own": ("of its own", 75, number),
        "wall": ("ms", 75, number),
        "size": ("KiB", 75, number),
        "pages": ("pages", 60, number),
    }
    columns = [
        TableColumn(field=name, title=title, width=width, formatter=formatter)
        for name, (title, width, formatter) in headings.items()
    ]
    words = TextInput(title="Filter by name, status or failure")
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
    redraw = CustomJS(args={"source": source}, code="source.change.emit()")
    words.js_on_change("value_input", redraw)
    return column(words, table, sizing_mode="stretch_width")
