"""The table of files on the page: sorted by a click, filtered as one types, exported as CSV."""

from collections.abc import Sequence
from typing import Any

from bokeh.layouts import column, row
from bokeh.models import CDSView, CustomJS, CustomJSFilter
from bokeh.models.widgets.buttons import Button
from bokeh.models.widgets.inputs import TextInput
from bokeh.models.widgets.tables import (
    DataTable,
    HTMLTemplateFormatter,
    NumberFormatter,
    StringFormatter,
    TableColumn,
)

from pdfingest.report.theme import DARK

_FILTER = """
const words = input.value_input.toLowerCase(), {name, status, failure, message} = source.data;
return name.map((_, i) => `${name[i]} ${status[i]} ${failure[i]} ${message[i]}`
  .toLowerCase().includes(words));
"""
_EXPORT = """
// A spreadsheet would take a text that begins like a formula for one, which may run a program.
const safe = value => /^[=+\\-@\\t\\r]/.test(value) ? `'${value}` : `${value}`;
const quote = value => `"${safe(value).replaceAll('"', '""')}"`;
const rows = [...chosen.compute_indices(source)];
const lines = [columns.map(([_, title]) => quote(title)).join(",")];
for (const i of rows)
  lines.push(columns.map(([name, _]) => quote(source.data[name][i])).join(","));
const link = document.createElement("a");
link.href = URL.createObjectURL(new Blob([lines.join("\\r\\n") + "\\r\\n"], {type: "text/csv"}));
link.download = "files.csv";
link.click();
URL.revokeObjectURL(link.href);
"""
_WHOLE = '<span title="<%- value %>"><%- value %></span>'
"""Cell whose text is its tooltip, too; `<%-` escapes it (underscorejs.org, "template")."""
_CHAR_PX, _CELL_PX = 7, 14
"""Width of a character in a cell, and of what is around the text."""
_NAME_PX, _MESSAGE_PX = (120, 560), (70, 900)
"""Least and greatest width of the columns whose texts have any length."""


def file_table(source: Any) -> Any:
    """Return the table of the files, with a field that filters it and a button that exports it."""
    text = StringFormatter()
    whole = HTMLTemplateFormatter(template=_WHOLE)
    number = NumberFormatter(format="0,0.[0]", text_align="right")
    headings = {
        "name": ("file", _width(source.data["name"], *_NAME_PX), whole),
        "status": ("status", 70, text),
        "failure": ("failure", 105, text),
        "peak": ("peak MiB", 75, number),
        "own": ("of its own", 75, number),
        "wall": ("ms", 75, number),
        "size": ("KiB", 75, number),
        "pages": ("pages", 60, number),
        "lost": ("lost", 60, number),
        "message": ("message", _width(source.data["message"], *_MESSAGE_PX), whole),
    }
    words = TextInput(
        title="Filter by name, status, failure or message",
        stylesheets=[DARK],
        sizing_mode="stretch_width",
        max_width=420,
    )
    chosen = CustomJSFilter(args={"input": words}, code=_FILTER)
    table = DataTable(
        source=source,
        view=CDSView(filter=chosen),
        columns=[
            TableColumn(field=name, title=title, width=width, formatter=formatter)
            for name, (title, width, formatter) in headings.items()
        ],
        index_position=None,
        height=420,
        sizing_mode="stretch_width",
        autosize_mode="none",
        reorderable=False,
        stylesheets=[DARK],
    )
    # The signal of the source would do as well, but would draw all pictures again.
    redraw = CustomJS(args={"chosen": chosen}, code="chosen.change.emit()")
    words.js_on_change("value_input", redraw)
    export = Button(label="Export these as CSV", align="end", stylesheets=[DARK])
    columns = [(name, title) for name, (title, _, _) in headings.items()]
    export.js_on_click(
        CustomJS(args={"source": source, "chosen": chosen, "columns": columns}, code=_EXPORT)
    )
    return column(
        row(words, export, sizing_mode="stretch_width"), table, sizing_mode="stretch_width"
    )


def _width(texts: Sequence[str], least: int, most: int) -> int:
    """Return the width of a column in which all texts are seen in full, if there is room."""
    return min(max(least, _CHAR_PX * max(map(len, texts), default=0) + _CELL_PX), most)
