"""What several engines made of the same files: what each cost, and how their texts differ."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, groupby
from operator import attrgetter
from typing import Any, TypeAlias

from pdfingest.compare.texts import Row, Texts
from pdfingest.compare.words import Difference, difference, words_of
from pdfingest.report.figures import Figures, percentile

SCHEMA = 1
"""Version of the document that `pdfingest compare --json` writes."""
_SHOWN_FILES = 10
_SHOWN_PAGES = 3
"""Pages of such a file that are shown."""
_LEAST_WORDS = 20
"""Words that both texts of a file have together, at least, to be among those that differ most."""

_Pair: TypeAlias = tuple[int, int]
"""Indexes of two engines."""


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """What one engine did with the files, and what it cost."""

    name: str
    ok: int
    partial: int
    failed: int
    failures: dict[str, int]
    """Files that lost pages, by kind of failure."""
    pages: int
    wall_s: float
    """Of the whole run."""
    cpu_s: float
    """Of its children."""
    peaks: tuple[int, int]
    """Median and highest of the peaks, in bytes."""
    chars: int = 0
    """Characters of all texts."""

    @property
    def page_ms(self) -> float:
        """CPU time of a page, in milliseconds."""
        return 1000 * self.cpu_s / max(self.pages, 1)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as `--json` has them."""
        p50, highest = self.peaks
        return {
            "engine": self.name,
            "ok": self.ok,
            "partial": self.partial,
            "failed": self.failed,
            "failures": self.failures,
            "pages": self.pages,
            "chars": self.chars,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "page_ms": round(self.page_ms, 3),
            "peak_rss_bytes": {"p50": p50, "max": highest},
        }


@dataclass(frozen=True, slots=True)
class FileDifference:
    """A file that two engines read most differently."""

    source: str
    pair: _Pair
    difference: Difference
    pages: tuple[Row, ...]
    """Those that differ most."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several engines side by side."""

    engines: Sequence[EngineFigures]
    pairs: dict[_Pair, Difference]
    """How the texts of two engines differ, on the pages that both have read."""
    files: Sequence[FileDifference]
    """Those that differ most, the most first."""

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as `--json` has it."""
        return {
            "schema": SCHEMA,
            "engines": [each.to_json() for each in self.engines],
            "pairs": [
                {**self._names(pair), **_to_json(found)} for pair, found in self.pairs.items()
            ],
            "files": [
                {"source": each.source, **self._names(each.pair), **_to_json(each.difference)}
                for each in self.files
            ],
        }

    def _names(self, pair: _Pair) -> dict[str, str]:
        return {"one": self.engines[pair[0]].name, "other": self.engines[pair[1]].name}


def _to_json(found: Difference) -> dict[str, Any]:
    one, other = found.shares
    return {
        "words_one": found.words[0],
        "words_other": found.words[1],
        "only_one": round(one, 5),
        "only_other": round(other, 5),
        "same_order": round(found.order, 5),
    }


def figures_of(name: str, figures: Figures, wall_s: float) -> EngineFigures:
    """Return what an engine cost, given the report of its run.

    Args:
        name: of the engine.
        figures: of its report.
        wall_s: time of the whole run.
    """
    costs = figures.costs
    peaks = costs.peaks or [0]
    ok, partial, failed = (costs.statuses.get(each, 0) for each in ("ok", "partial", "failed"))
    return EngineFigures(
        name,
        ok=ok,
        partial=partial,
        failed=failed,
        failures=costs.failures,
        pages=costs.pages()[0],
        wall_s=wall_s,
        cpu_s=sum(each.cpu_s for each in costs),
        peaks=(percentile(peaks, 0.5), peaks[-1]),
    )


def compared(engines: Sequence[EngineFigures], texts: Texts) -> Comparison:
    """Compare the texts of engines, file by file.

    Args:
        engines: in the order of the runs of the texts.
        texts: of all of them.
    """
    pairs = dict.fromkeys(combinations(range(len(engines)), 2), Difference())
    chars = [0] * len(engines)
    most: list[tuple[float, str, _Pair, _File]] = []
    for source, pages in groupby(texts, attrgetter("source")):
        file = _read(pages, texts, chars)
        for pair, found in file.pairs.items():
            pairs[pair] = pairs[pair].plus(found)
        if (widest := file.widest()) is not None:
            heapq.heappush(most, (file.pairs[widest].share, source, widest, file))
            if len(most) > _SHOWN_FILES:
                heapq.heappop(most)
    shown = [
        FileDifference(source, pair, file.pairs[pair], file.worst(pair))
        for _, source, pair, file in sorted(most, key=lambda each: each[:3], reverse=True)
    ]
    counted = [replace(each, chars=count) for each, count in zip(engines, chars, strict=True)]
    return Comparison(counted, pairs, shown)


@dataclass(slots=True)
class _File:
    """How the texts of one file differ."""

    pairs: dict[_Pair, Difference] = field(default_factory=dict[_Pair, Difference])
    pages: dict[_Pair, list[tuple[float, Row]]] = field(
        default_factory=dict[_Pair, list[tuple[float, Row]]]
    )
    """Pages that differ most, with their shares."""

    def add(self, pair: _Pair, found: Difference, page: Row) -> None:
        """Add a page."""
        self.pairs[pair] = self.pairs.get(pair, Difference()).plus(found)
        if found.share > 0:
            worst = [*self.pages.get(pair, []), (found.share, page)]
            self.pages[pair] = heapq.nlargest(_SHOWN_PAGES, worst, key=lambda each: each[0])

    def widest(self) -> _Pair | None:
        """Return the engines that differ most on the file; None if none do, or it says little."""
        found = {
            pair: each.share
            for pair, each in self.pairs.items()
            if each.share > 0 and sum(each.words) >= _LEAST_WORDS
        }
        return max(found, key=found.__getitem__, default=None)

    def worst(self, pair: _Pair) -> tuple[Row, ...]:
        """Return the pages on which two engines differ most."""
        return tuple(page for _, page in self.pages.get(pair, ()))


def _read(pages: Iterator[Row], texts: Texts, chars: list[int]) -> _File:
    """Read the pages of one file, tell how they differ, and count the characters of each run."""
    file = _File()
    for page in pages:
        found = texts.read(page)
        for run, text in found.items():
            chars[run] += len(text)
        words = {run: words_of(text) for run, text in found.items()}
        for pair in combinations(sorted(words), 2):
            one, other = pair
            file.add(pair, difference(words[one], words[other]), page)
    return file
