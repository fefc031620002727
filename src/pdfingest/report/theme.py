"""What all pictures of the page share: size, type, and colours for light and dark screens."""

from collections.abc import Sequence
from typing import Any

from bokeh.models import CustomJS
from bokeh.plotting import figure

OTHER = "#7a7a7a"
"""Colour of what is neither good nor bad, on light and on dark."""
HEADING = "font-size:1.05rem;margin:1.4em 0 .3em"
_HEIGHT = 280
# The pictures are drawn by script, which no style sheet reaches. Their ground is that of the page.
_PAINT = """
const dark = matchMedia("(prefers-color-scheme: dark)");
function paint() {
  const [ink, line] = dark.matches ? ["#ddd", "#4a4a4a"] : ["#222", "#ddd"];
  for (const plot of plots) {
    plot.outline_line_color = line;
    for (const part of [...plot.left, ...plot.below, ...plot.above, ...plot.center]) {
      if (part.type.endsWith("Axis")) {
        part.axis_label_text_color = part.major_label_text_color = ink;
        part.axis_line_color = part.major_tick_line_color = part.minor_tick_line_color = ink;
      } else if (part.type == "Grid") {
        part.grid_line_color = line;
      } else if (part.type == "Legend") {
        part.label_text_color = ink;
      }
    }
  }
}
paint();
dark.addEventListener("change", paint);
"""
DARK = """
@media (prefers-color-scheme: dark) {
  :host, label, input, button { color: #ddd !important; background: #181818 !important; }
  .slick-row, .slick-cell, .slick-header, .slick-header-columns, .slick-header-column {
    color: #ddd !important; background: #181818 !important; border-color: #4a4a4a !important;
  }
  .slick-row.odd .slick-cell { background: #242424 !important; }
}
"""
"""Style sheet of the parts that are not drawn."""


def picture(x_label: str, y_label: str, height: int = _HEIGHT, **options: Any) -> Any:
    """Return an empty picture, as wide as the page."""
    plot = figure(
        height=height,
        sizing_mode="stretch_width",
        x_axis_label=x_label,
        y_axis_label=y_label,
        toolbar_location="above",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        background_fill_color=None,
        border_fill_color=None,
        **options,
    )
    plot.toolbar.logo = None
    plot.toolbar.active_drag = None  # a finger that scrolls the page must not move the picture
    for axis in (plot.xaxis, plot.yaxis):
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "13px"
        axis.axis_label_text_font_style = "normal"
    return plot


def paint(plots: Sequence[Any]) -> CustomJS:
    """Return what colours the pictures as the reader's screen is, and again when that changes."""
    return CustomJS(args={"plots": plots}, code=_PAINT)
