"""Safeguards: what a run refuses before it begins, to protect what earlier runs have written."""

import os
from collections.abc import Iterator, Mapping
from itertools import chain

from pdfingest.errors import InputGoneError, NoInputError, OutputError, UsageError
from pdfingest.options import IngestOptions
from pdfingest.output.layout import ledger_of, parts_of
from pdfingest.output.ledger import Ledger
from pdfingest.run.found import Found
from pdfingest.run.plan import Plan
from pdfingest.text import printable


def require_some(found: Iterator[Found], options: IngestOptions) -> Iterator[Found]:
    """Return what was found, if anything was or an earlier run may know why not.

    To be called before anything is written.

    Raises:
        NoInputError: nothing was found.
    """
    for first in found:
        return chain([first], found)
    if not options.to_stdout and os.path.exists(ledger_of(options.folder)):
        return iter(())
    raise NoInputError(NO_INPUT)


def refuse_mixture(options: IngestOptions) -> None:
    """Refuse to write shards into an output directory that was written as a whole, or vice versa.

    Raises:
        OutputError: the directory was written in the other way, so a source could be in it twice.
    """
    whole = os.path.exists(ledger_of(options.output))
    if options.shard and whole:
        raise OutputError(
            f"{options.output} was written without --shard. Name another --output for the shards."
        )
    if not options.shard and not whole and parts_of(options.output):
        raise OutputError(
            f"{options.output} was written by shards. Give --shard, or name another --output."
        )


def refuse_clash(plan: Plan, options: IngestOptions) -> None:
    """Refuse a source whose records would replace those of another file that still exists.

    Raises:
        UsageError: there is such a source.
    """
    if clash := plan.clash():
        name, path, other = map(printable, clash)
        raise UsageError(
            f"{path} would replace the records of {other}, which is still there: in "
            f"{printable(options.folder)} both are called {name}. Name the inputs of both in one "
            "run, so that their names begin with their folders, or name another --output."
        )


def refuse_loss(
    plan: Plan, ledger: Ledger, given: Mapping[str, int], options: IngestOptions
) -> None:
    """Refuse to forget sources if so many are gone that a disk may not be mounted.

    Args:
        plan: plan of the run, settled.
        ledger: ledger of the output directory.
        given: number of sources that each input gives now, by the path of the input.
        options: options of the run; `max_gone` says how many sources may be gone.

    Raises:
        InputGoneError: an input that gave sources before gives none now, or too many are gone.
        NoInputError: no input gives a source, and none ever did.
    """
    limit = options.max_gone
    if limit.is_all:
        return
    before = ledger.inputs()
    for name, sources in given.items():
        if not sources and before.get(name):
            raise InputGoneError(
                f"{printable(name)} gave {before[name]:,} files to an earlier run and gives none "
                f"now. Is a disk not mounted? Nothing was forgotten. {_CURE}"
            )
    if not plan.found:
        raise NoInputError(NO_INPUT)
    known = ledger.sources()
    if plan.gone_sources > limit.of(known):
        raise InputGoneError(
            f"{plan.gone_sources:,} of {known:,} files of earlier runs are not there any more, and "
            f"--max-gone is {limit}. Is a disk not mounted? Nothing was forgotten. {_CURE}"
        )


NO_INPUT = (
    "no PDF found. Directories are searched for names that end in .pdf; hidden entries and linked "
    "directories are left out."
)
_CURE = "If they were removed on purpose: --max-gone 100%."
