"""What a bench found: its legs, whether it passes, and how that is said in words and in JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from pdfingest.bench.legs import Leg
from pdfingest.bench.server import THREADS
from pdfingest.measure.flatness import Verdict
from pdfingest.report.figures import ISOLATED, Figures, percentiles
from pdfingest.text import counted

SCHEMA = 2
"""Version of the document that `pdfingest bench --json` writes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """The legs of a bench, and the figures of its files."""

    engine: str
    """Engines of the run, as the user named them."""
    control_engine: str
    leak_bytes: int
    """What the leg `leaking` leaks for every file."""
    load: float
    """Load of the machine in the minute before the loop: processes that run or wait for a CPU."""
    isolated: Leg
    loop: Leg
    leaking: Leg
    control: Leg | None
    figures: Figures
    """Figures of the files in the isolated leg."""

    @property
    def legs(self) -> list[Leg]:
        """All legs, in the order in which a reader needs them."""
        return [self.isolated, self.leaking, *([self.control] if self.control else []), self.loop]

    @property
    def pictured(self) -> Figures:
        """The figures, with those of the legs that stand beside the isolated one in pictures."""
        beside = [leg for leg in (self.control, self.leaking) if leg and leg.points]
        others = {self.names[leg.name]: leg.points for leg in beside}
        return replace(self.figures, others=others)

    @property
    def has_passed(self) -> bool:
        """Whether memory is seen to be flat, by a test that is seen to find a leak."""
        verdicts = self.isolated.trend.verdict, self.leaking.trend.verdict
        return self.has_read and verdicts == (Verdict.FLAT, Verdict.GROWS)

    @property
    def has_read(self) -> bool:
        """Whether any file could be read: failures alone are no evidence."""
        return self.isolated.failed < self.isolated.files

    @property
    def price_ratio(self) -> float:
        """Time of a file when isolated, over its time in a loop of one process."""
        return self.isolated.lane_ms / max(self.loop.lane_ms, 1e-9)

    @property
    def names(self) -> dict[str, str]:
        """What each leg that is judged does, in some words."""
        return {
            "isolated": ISOLATED,
            "leaking": f"the same, leaking {self.leak} a file on purpose",
            "control": f"a server: {self.control_engine} in {THREADS} threads of one process",
        }

    @property
    def leak(self) -> str:
        """What is leaked for every file, in words."""
        return f"{self.leak_bytes / 1024:,.3g} KiB"

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield the verdict on each leg, for a log: its name, and what was seen."""
        for leg in self.legs:
            if leg is not self.loop:
                failed = f", {counted(leg.failed, 'file')} not read" if leg.failed else ""
                died = f", ended {counted(leg.deaths, 'time')}" if leg.deaths else ""
                said = f"{leg.trend.verdict.upper()}: {leg.trend}; {self.names[leg.name]}"
                yield leg.name, f"{said}{failed}{died}"
        price = (
            f"{self.isolated.lane_ms:,.1f} ms of a worker for a file, {self.price_ratio:,.1f} times"
        )
        alone = f"the {self.loop.lane_ms:,.1f} ms of one process that reads file after file"
        yield "price", f"{price} {alone} (load of the machine: {self.load:,.1f})"

    def conclusion(self) -> str:
        """Return what was proven, or what was not, in one sentence."""
        trend = self.isolated.trend
        if not self.has_read:
            return "FAILED: no file could be read, so nothing was measured"
        if trend.verdict is Verdict.GROWS:
            return f"FAILED: memory grows with the files: {trend}"
        if trend.verdict is Verdict.INCONCLUSIVE:
            return f"FAILED: it cannot be told whether memory grows: {trend}"
        if not self.has_passed:
            return f"FAILED: the leak of {self.leak} a file was not seen: {self.leaking.trend}"
        return (
            f"PASSED: with {self.names['isolated']}, memory stayed flat over {trend.files:,} files "
            f"({trend.grown_bytes / 1024:+,.0f} KiB), and a leak of {self.leak} a file was found"
            f"{self._contrast()}"
        )

    def _contrast(self) -> str:
        """Say what the server did meanwhile."""
        if self.control is None:
            return ""
        trend, server = self.control.trend, f"; a server that reads with {self.control_engine}"
        if self.control.deaths:  # what it would have come to, nobody knows
            return f"{server} died or had to be ended {counted(self.control.deaths, 'time')}"
        match trend.verdict:
            case Verdict.GROWS:
                growth = f"{trend.grown_bytes / 2**20:+,.1f} MiB over {trend.files:,} files"
                return f"{server} grew ({growth})"
            case Verdict.FLAT:
                return f"{server} did not grow on these files"
            case Verdict.INCONCLUSIVE:
                return f"{server} may grow, which so many files do not tell"

    def to_json(self) -> dict[str, Any]:
        """Return the figures as `--json` writes them.

        `legs` has what each leg took and held, by name, with its trend as `memory` and all samples
        as `points`: pairs of files done and bytes held. `isolation_ratio` is the time of a lane for
        a file, isolated over loop, and `isolation_ms_per_file` the difference.
        """
        return {
            "schema": SCHEMA,
            "passed": self.has_passed,
            "conclusion": self.conclusion(),
            "engine": self.engine,
            "control_engine": self.control_engine,
            "injected_leak_bytes": self.leak_bytes,
            "load": round(self.load, 2),
            "isolation_ratio": round(self.price_ratio, 3),
            "isolation_ms_per_file": round(self.isolated.lane_ms - self.loop.lane_ms, 3),
            "peak_rss_bytes": percentiles(self.figures.costs.peaks or [0]),
            "legs": {leg.name: leg.to_json() for leg in self.legs},
        }
