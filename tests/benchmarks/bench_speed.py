"""What a fresh process per file costs, beside its alternatives and its peers, in one run.

    nox -s bench
    python tests/benchmarks/bench_speed.py sizes real --rounds 3 --ways pdfingest,bound,pdftotext

Interleaved rounds over the same files with two workers:

    bound          long-lived workers, the same engine and the same records: the lower bound
    pdfingest      the program, as a user starts it
    pdftotext      `xargs -P2`, a process per file
    liteparse      `lit batch-parse` without OCR, to Markdown
    opendataloader `opendataloader-pdf`, to Markdown, without pictures
    pdf_oxide      PDF Oxide in long-lived workers, to Markdown
    docling_parse  docling-parse in long-lived workers, to lines of text
    spawned        a new interpreter for each file, and pypdf; only if it is named, as it is slow

pdfingest and bound are there with `-markdown` and `-raw` too. Files: `one-page` (2,000 of them),
`few` (40), `real` (those of PDFINGEST_TEST_CORPUS), `sizes` (made, with the sizes that people
have), `long`, or any folder; `worker` reads one file of 1,000 pages by one worker and by two,
`forks` measures a raw fork. What is not installed is left out, and a way that does not write what
it should ends the benchmark. Prints Markdown tables of medians: wall and CPU time of all processes,
the highest memory (PSS) of the tree, seen in a round of its own, files lost, and how fast a way is,
as medians of the ratios of each round: 1 is as fast as the lower bound, or as pdftotext. Draws a
picture into the file that `PDFINGEST_BENCH_SVG` names. Judges nothing: absolute times are the
machine's. Linux only.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from costs import Cost, adopt_orphans, peak_mib, timed
from files import link_files, long_files, make_files, make_long, real_files
from picture import draw
from sizes import make_sizes
from ways import WORKERS, Batch, Way, WayError, by_pdfingest, check, count_run, round_of, ways

ROUNDS = int(os.environ.get("PDFINGEST_BENCH_ROUNDS", "7"))
FORKS = 500
MAKE: dict[str, Callable[[Path], object]] = {
    "one-page": partial(make_files, files=2000),
    "few": partial(make_files, files=40),
    "real": real_files,
    "sizes": make_sizes,
    "long": long_files,
}
OTHERS = ("worker", "forks")
SLOW = "spawned"


@dataclass
class Row:
    """What was measured of one way."""

    costs: list[Cost] = field(default_factory=list[Cost])
    peak_mib: float = 0.0
    lost: int = 0
    """Files without a text."""

    @property
    def wall_s(self) -> float:
        """Median of the wall times."""
        return statistics.median(cost.wall_s for cost in self.costs)

    @property
    def cpu_s(self) -> float:
        """Median of the CPU times."""
        return statistics.median(cost.cpu_s for cost in self.costs)

    def times_as_fast_as(self, other: "Row") -> float:
        """Return the median of the ratios of the rounds."""
        pairs = zip(other.costs, self.costs, strict=True)
        return statistics.median(theirs.wall_s / ours.wall_s for theirs, ours in pairs)


def compare(title: str, batch: Batch, chosen: Mapping[str, Way], rounds: int) -> dict[str, float]:
    """Print the table of the ways over the files, and return the seconds of each.

    Raises:
        WayError: a way did not write what it should.
    """
    files = len(batch.paths)
    _, expected = round_of(ways(Path(sys.executable))["pdfingest"], batch, timed)
    rows = {name: Row() for name in chosen}
    for name, way in chosen.items():  # what is read and compiled for the first time, is here
        rows[name].peak_mib, output = round_of(way, batch, peak_mib)
        rows[name].lost = files - output.files
        check(name, output, expected)
    for _ in range(rounds):
        for name, way in chosen.items():
            cost, output = round_of(way, batch, timed)
            check(name, output, expected)
            rows[name].costs.append(cost)
    load = f"{rounds} rounds, load {os.getloadavg()[0]:.1f}"
    print(f"\n{title}: {files:,} files, {expected.records:,} pages, {load}\n")
    print_table(rows, files)
    return {name: row.wall_s for name, row in rows.items()}


def print_table(rows: Mapping[str, Row], files: int) -> None:
    """Print Markdown, and what isolation costs a file for each format."""
    print("| way | wall s | least | ms/file | CPU s | MiB | lost | bound | pdftotext |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        form = name.removeprefix("pdfingest").removeprefix("bound") if "-" in name else ""
        against = [rows.get(f"bound{form}"), rows.get("pdftotext")]
        fast = [f"{row.times_as_fast_as(each):.2f}" if each else "" for each in against]
        least_s = min(cost.wall_s for cost in row.costs)
        seconds = f"{row.wall_s:6.2f} | {least_s:6.2f} | {row.wall_s / files * 1e3:7.2f}"
        rest = f"{row.cpu_s:6.2f} | {row.peak_mib:5.0f} | {row.lost:4}"
        print(f"| {name:18} | {seconds} | {rest} | {fast[0]:>5} | {fast[1]:>9} |", flush=True)
    for form in ("", "-markdown", "-raw"):
        if (product := rows.get(f"pdfingest{form}")) and (bound := rows.get(f"bound{form}")):
            price_ms = (product.wall_s - bound.wall_s) / files * 1e3
            print(f"\nisolation costs pdfingest{form} {price_ms:.2f} ms a file", flush=True)


def compare_workers(rounds: int) -> None:
    """Read one large file by one worker and by two."""
    with tempfile.TemporaryDirectory() as name:
        make_long(Path(name) / "long.pdf", 1000)
        batch = Batch.of(Path(name))
        reading = {
            workers: Way(partial(by_pdfingest, "text", workers=workers), count_run)
            for workers in (1, 2)
        }
        seconds = [
            [round_of(way, batch, timed)[0].wall_s for way in reading.values()]
            for _ in range(rounds)
        ]
    one, two = (statistics.median(each) for each in zip(*seconds, strict=True))
    print(
        f"\none file of 1,000 pages: {one:.2f} s by one worker, {two:.2f} s by two: {one / two:.2f}"
    )


def raw_forks(rounds: int) -> None:
    """Measure a fork, an exit and a wait of the image, in as many lanes as there are workers."""
    command = [sys.executable, str(Path(__file__).with_name("raw_fork.py")), str(FORKS)]
    medians: list[float] = []
    for _ in range(rounds):
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)
        ]
        seconds = [float(process.communicate()[0]) for process in running]
        medians.append(max(seconds) / FORKS / WORKERS * 1000)
    print(f"\na raw fork and exit of the image: {statistics.median(medians):.2f} ms a file")


def main() -> None:
    """Do the parts that the command line names, or all of them."""
    parser = argparse.ArgumentParser(description="Speed of pdfingest, its bound and its peers.")
    parser.add_argument("parts", nargs="*", default=[*MAKE, *OTHERS], help="parts, or folders")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--ways", help="names, separated by commas; all but the slow one")
    parser.add_argument(
        "--peers", type=Path, default=Path(sys.executable), help="Python that has the peers"
    )
    options = parser.parse_args()
    known = ways(options.peers)
    names = options.ways.split(",") if options.ways else [name for name in known if name != SLOW]
    if absent := [name for name in names if name not in known]:
        parser.error(f"no way {', '.join(absent)}; there are {', '.join(known)}")
    chosen = {name: known[name] for name in names}
    adopt_orphans()
    print(f"{WORKERS} workers, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    drawn: dict[str, dict[str, float]] = {}
    folders = {part: Path(part) for part in options.parts if Path(part).is_dir()}
    made = {part: partial(link_files, folder) for part, folder in folders.items()} | MAKE
    for part in options.parts:
        if part == "worker":
            compare_workers(options.rounds)
        elif part == "forks":
            raw_forks(options.rounds)
        elif part in made:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name) / "pdfs"
                made[part](folder)
                drawn[part] = compare(part, Batch.of(folder), chosen, options.rounds)
        else:
            parser.error(f"{part} is no folder, and none of {', '.join((*MAKE, *OTHERS))}")
    if picture := os.environ.get("PDFINGEST_BENCH_SVG"):
        Path(picture).write_text(draw(drawn), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except WayError as error:
        sys.exit(str(error))
