"""Pictures of a run as one HTML file that opens offline; drawn by bokeh (extra `report`)."""

from importlib.util import find_spec

from pdfingest.errors import EngineUnavailableError
from pdfingest.report.figures import Figures


def check() -> None:
    """Check, before the work begins, that pictures can be drawn here.

    Raises:
        EngineUnavailableError: the extra `report` is not installed.
    """
    if find_spec("bokeh") is None:
        raise EngineUnavailableError(
            "pictures need the extra `report`. Install it: pip install 'pdfingest[report]'"
        )


def render(figures: Figures, title: str, lines: list[str]) -> str:
    """Return the HTML of the page.

    Raises:
        EngineUnavailableError: the extra `report` is not installed.
    """
    check()
    from pdfingest.report.plots import page_of  # noqa: PLC0415 - an extra, and a second to import

    return page_of(figures, title, lines)
