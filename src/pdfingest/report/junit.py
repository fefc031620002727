"""The files of a run as JUnit XML, the format in which CI systems take what failed.

The format has no standard. This module keeps to what its readers share: a `testsuite` with counts,
a `testcase` for each file, and in it `failure` with `type`, `message` and a text (GitLab shows the
text alone, Jenkins all three), or `skipped`. No library writes it, because those hold all files as
a tree, and write control characters, which XML 1.0 cannot carry and its parsers refuse.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape, quoteattr

from pdfingest.report.costs import LOST, Costs, FileCost
from pdfingest.text import printable

_GONE = "gone"


def junit(costs: Costs, name: str) -> Iterator[str]:
    """Yield the document, piece by piece."""
    suite = _attributes(
        name=name,
        tests=len(costs),
        failures=costs.lost,
        errors=0,
        skipped=costs.statuses.get(_GONE, 0),
        time=f"{sum(costs.times):.3f}",
    )
    yield f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites>\n<testsuite{suite}>\n'
    for cost in costs:
        case = _attributes(name=cost.source, classname="pdfingest", time=f"{cost.wall_s:.3f}")
        yield f"<testcase{case}>{_outcome(cost)}</testcase>\n"
    yield "</testsuite>\n</testsuites>\n"


def _attributes(**values: object) -> str:
    """Return attributes, each value as one line of characters that XML 1.0 can carry."""
    return "".join(f" {name}={quoteattr(printable(str(value)))}" for name, value in values.items())


def _outcome(cost: FileCost) -> str:
    """Return the content of a test case; empty for a file that lost nothing."""
    if cost.status == _GONE:
        return f"<skipped{_attributes(message='the file is gone; an earlier run ingested it')}/>"
    if cost.status not in LOST:
        return ""
    lines = f"{cost.loss}\n{cost.stack}".rstrip().split("\n")
    text = escape("\n".join(map(printable, lines)))
    return f"<failure{_attributes(type=cost.failure, message=cost.loss)}>{text}</failure>"
