"""A comparison as one HTML file that opens offline: its tables, and pages side by side."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from pdfingest.compare.comparison import Comparison, FileDifference
from pdfingest.compare.texts import Row, Texts
from pdfingest.compare.words import WORD
from pdfingest.report.style import STYLE
from pdfingest.text import mib, printable

_MOST_CHARS = 6000
"""Characters of a page that are shown."""
_STYLE = (
    "h2{font-size:1.15rem;margin:1.6em 0 .4em}h3{font-size:1rem;margin:1.2em 0 .3em}"
    ".wide{overflow-x:auto}table{border-collapse:collapse}"
    "th,td{padding:.25em .8em .25em 0;text-align:right;white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}td.name{white-space:normal;text-align:left}"
    "tr+tr{border-top:1px solid #8884}"
    ".pages{display:grid;grid-auto-flow:column;grid-auto-columns:minmax(18em,1fr);gap:12px;"
    "overflow-x:auto}"
    ".pages pre{white-space:pre-wrap;font:13px/1.45 system-ui,sans-serif;margin:0;padding:8px;"
    "border:1px solid #8886;border-radius:4px;max-height:75vh;overflow-y:auto}"
    "mark{background:#ffd54a;color:#222;border-radius:2px}"
    "@media(prefers-color-scheme:dark){mark{background:#8a6d00;color:#fff}}"
)
_ENGINES = (
    *("engine", "ok", "partial", "failed", "pages", "characters", "s", "CPU s", "CPU ms a page"),
    *("median peak", "highest peak"),
)
_PAIRS = ("engines", "only the one has", "only the other has", "words in the same order")


def render(comparison: Comparison, texts: Texts) -> Iterator[str]:
    """Yield the HTML of the page, piece by piece."""
    names = [each.name for each in comparison.engines]
    title = f"{', '.join(names)}: the same files"
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1>"
    )
    yield from _table(_ENGINES, [_figures(comparison, index) for index in range(len(names))])
    for each in comparison.engines:
        if each.failures:
            kinds = ", ".join(f"{kind} {count:,}" for kind, count in each.failures.items())
            yield f"<p>{escape(each.name)} lost {escape(kinds)}</p>"
    yield "<h2>How their texts differ</h2><p>Share of the words of an engine that the other does "
    yield "not have on the same page, and share of the words that stand once in both which are in "
    yield "the same order.</p>"
    rows = [
        [f"{names[one]}, {names[other]}", *_shares(found.shares), _percent(found.order)]
        for (one, other), found in comparison.pairs.items()
    ]
    yield from _table(_PAIRS, rows)
    if comparison.files:
        yield "<h2>Files that differ most</h2><p>Words that not all engines have are marked.</p>"
    for file in comparison.files:
        yield from _file(file, names, texts)
    yield "</body></html>\n"


def _figures(comparison: Comparison, index: int) -> list[str]:
    each = comparison.engines[index]
    return [
        each.name,
        *(f"{count:,}" for count in (each.ok, each.partial, each.failed, each.pages, each.chars)),
        f"{each.wall_s:.1f}",
        f"{each.cpu_s:.1f}",
        f"{each.page_ms:.1f}",
        *map(mib, each.peaks),
    ]


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield '<div class="wide"><table><tr>'
    yield "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    for row in rows:
        yield "</tr><tr>" + "".join(f"<td>{escape(printable(cell))}</td>" for cell in row)
    yield "</tr></table></div>"


def _file(file: FileDifference, names: Sequence[str], texts: Texts) -> Iterator[str]:
    one, other = (names[index] for index in file.pair)
    shares = " and ".join(_shares(file.difference.shares))
    yield f"<h3><bdi>{escape(printable(file.source))}</bdi></h3>"
    yield f"<p>{escape(one)} and {escape(other)}: only the one has {shares} of its words.</p>"
    for page in file.pages:
        yield from _page(page, names, texts)


def _page(page: Row, names: Sequence[str], texts: Texts) -> Iterator[str]:
    found = texts.read(page)
    if page.number:
        yield f"<h3>Page {page.number}</h3>"
    yield '<div class="pages">'
    for run, text in found.items():
        yield f'<div>{escape(names[run])}<pre dir="auto">'
        yield from _marked(text, _common(found))
        yield "</pre></div>"
    yield "</div>"


def _common(texts: Mapping[int, str]) -> Counter[str]:
    """Return how often a word is in each of some texts, at least."""
    counts = [Counter(WORD.findall(text.casefold())) for text in texts.values()]
    common = counts[0]
    for each in counts[1:]:
        common &= each
    return common


def _marked(text: str, common: Counter[str]) -> Iterator[str]:
    """Yield a text in which the words are marked that are in no other, or more often in this."""
    seen: Counter[str] = Counter()
    end = 0
    for match in WORD.finditer(text[:_MOST_CHARS]):
        word = match[0].casefold()
        seen[word] += 1
        if seen[word] > common[word]:
            yield escape(text[end : match.start()])
            yield f"<mark>{escape(match[0])}</mark>"
            end = match.end()
    yield escape(text[end:_MOST_CHARS])
    if len(text) > _MOST_CHARS:
        yield f"… {len(text) - _MOST_CHARS:,} characters more"


def _shares(shares: tuple[float, float]) -> list[str]:
    return [_percent(share) for share in shares]


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
