"""A picture of times: bars by kind of files and by way, as SVG for light and dark pages."""

from collections.abc import Mapping
from html import escape

ROW, GAP, LEFT, WIDTH = 20, 34, 130, 720


def draw(times: Mapping[str, Mapping[str, float]]) -> str:
    """Bars for each kind of files; the slowest way fills the width.

    Args:
        times: seconds, by title and by way.
    """
    rows: list[str] = []
    y = 10
    for title, ways in times.items():
        y += GAP
        rows.append(f'<text x="10" y="{y - 8}" class="title">{escape(title)}</text>')
        longest = max(ways.values())
        for way, seconds in sorted(ways.items(), key=lambda item: item[1]):
            bar = max((WIDTH - LEFT - 90) * seconds / longest, 1)
            own = "own" if way == "pdfingest" else "other"
            rows += [
                f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(way)}</text>',
                f'<rect x="{LEFT}" y="{y + 3}" width="{bar:.1f}" height="14" class="{own}"/>',
                f'<text x="{LEFT + bar + 6:.1f}" y="{y + 14}">{seconds:.2f} s</text>',
            ]
            y += ROW
    style = (
        "text{font:12px sans-serif;fill:#24292f}.title{font-weight:bold}"
        ".own{fill:#2da44e}.other{fill:#8c959f}rect.back{fill:#fff}"
    )
    height = y + 14
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}"><style>{style}</style>'
        f'<rect class="back" width="{WIDTH}" height="{height}"/>' + "".join(rows) + "</svg>\n"
    )
