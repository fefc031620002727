"""Pages of spans for tests: text set in lines, as an engine finds it."""

from collections.abc import Iterable, Sequence

from pdfingest.pages import Box, Font, Page, Span

EM = 10.0
LEADING = 12.0
REGULAR, BOLD, FIXED = Font("Serif"), Font("Serif-Bold", is_bold=True), Font("Mono", is_fixed=True)
A4 = Box(0, 0, 595, 842)


def span(
    text: str, left: float = 50, baseline: float = 100, size: float = EM, font: Font = REGULAR
) -> Span:
    """A run of characters, each half an em wide."""
    return Span(text, left, left + len(text) * size / 2, baseline, size, font)


def column(
    lines: Iterable[str], left: float = 50, top: float = 100, step: float = LEADING
) -> list[Span]:
    """Lines that stand one below the other."""
    return [span(line, left, top + step * number) for number, line in enumerate(lines)]


def page(spans: Sequence[Span]) -> Page:
    """A page of A4 with spans."""
    return Page("\n".join(each.text for each in spans), spans=tuple(spans), box=A4)
