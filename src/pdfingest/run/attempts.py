"""All that is decided after a death: how the child died, and what the next one does. Pure.

    page 1 … k-1 kept ─▶ page k, next engine ─▶ … ─▶ page k given up ─▶ page k+1, first engine …

A file never costs more than the page that broke it, and what is not the text never costs a page: a
child that died on a label, on links or on the metadata is followed by one that does not read them.
Every step moves on: to less that is read, to a later engine on the same page, to a later page, or
to the same place under other limits, once. So it ends, and no page is tried twice by the same
engine under the same limits.
"""

import re
import signal
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from pdfingest.isolation.context import LOST
from pdfingest.job import Attempt, Closing, Job, PageRange
from pdfingest.model import Aside, FailureKind
from pdfingest.outcome import Death

MAX_DEATHS = 10
"""A file that kills more children than this is left alone: three pages that kill two engines each
are six."""
MAX_REPEATS = 5
"""How often a step is run again whose child died before it began or after it was done."""
_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.+)$', re.MULTILINE)
_SHOWN_FRAMES = 3
_OUT_OF_MEMORY = {"SIGABRT", "SIGSEGV", "SIGTRAP", "SIGILL", "SIGBUS"}
"""How native code ends when it is given no memory."""
_NEAR = 0.5
"""So much of the limit must have been seen in use: the allocation that failed was never seen."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Run the same step again: its child was not at fault."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Run nothing more: the source fails, as none of its pages is in the spool."""


Decision: TypeAlias = Repeat | Attempt | Closing | GiveUp


class History(NamedTuple):
    """What is known of a source when one of its children has died."""

    deaths: int = 1
    """Children at fault that have died, the last one included."""
    repeats: int = 0
    """Children that have died and were not at fault, without the last one."""
    in_time: bool = True
    """Whether the time limit of the source leaves any."""
    total_pages: int = 0
    """Page count, if any of the children that died knew it; else 0."""


def after(job: Job, death: Death, history: History) -> Decision:
    """Decide what follows a death.

    Args:
        job: what the child did; its step says where it began.
        death: how and where it died.
        history: of its source.
    """
    if not death.is_at_fault and history.repeats < MAX_REPEATS:
        return Repeat()
    if not isinstance(job.step, Attempt):
        return GiveUp()
    next_ = None
    if history.in_time and history.deaths < MAX_DEATHS:
        next_ = _next_attempt(job.step, job.pages, death, len(job.engines))
    if next_ is not None:
        return next_
    return Closing(history.total_pages, death.spool_bytes) if death.spool_bytes else GiveUp()


def _next_attempt(attempt: Attempt, pages: PageRange, death: Death, engines: int) -> Attempt | None:
    """Return the next attempt; None if all that is left to try has been tried."""
    here = attempt._replace(spool_bytes=death.spool_bytes)
    if death.aside is not None and not attempt.is_without(death.aside, death.page):
        return _without(death.aside, here, death)
    if death.page:
        return _after_page(here, pages.end or death.total_pages, death, engines)
    return _after_opening(here, death, engines)


def _without(aside: Aside, here: Attempt, death: Death) -> Attempt:
    """Go on at the same place, without what is not the text and killed the child."""
    page = death.page or here.first_page
    without = tuple(dict.fromkeys((*here.without, aside)))
    return here._replace(first_page=page, engine=death.engine, without=without)


def _after_page(here: Attempt, last_page: int, death: Death, engines: int) -> Attempt | None:
    """Try the page with more memory, then with the next engine; else go on behind it."""
    if death.kind is FailureKind.MEMORY_LIMIT and not here.alone:
        return here._replace(first_page=death.page, engine=death.engine, alone=True)
    if death.engine + 1 < engines:
        return here._replace(first_page=death.page, engine=death.engine + 1)
    if death.page < last_page:
        return here._replace(first_page=death.page + 1, engine=here.floor)
    return None


def _after_opening(here: Attempt, death: Death, engines: int) -> Attempt | None:
    """Use an engine that died while it opened the file no more."""
    if death.kind is FailureKind.MEMORY_LIMIT and not here.alone:
        return here._replace(engine=death.engine, floor=death.engine, alone=True)
    floor = death.engine + 1
    if floor >= engines:
        return None
    return here._replace(engine=floor, floor=floor)


def blamed(death: Death, *, oom_kills: int) -> Death:
    """Blame the memory limit for a SIGKILL that nobody here sent, if the kernel says it killed.

    Args:
        death: as it was seen.
        oom_kills: processes that the kernel has killed for want of memory since the last death.
    """
    if oom_kills and death.cost.signal == "SIGKILL" and death.kind is FailureKind.CRASHED:
        return death._replace(kind=FailureKind.MEMORY_LIMIT)
    return death


def explain(code: int | None, peak_bytes: int, limit_bytes: int) -> tuple[FailureKind, str, str]:
    """Say what an exit code means that nobody asked for.

    Args:
        code: as `multiprocessing.Process.exitcode`; None if not known.
        peak_bytes: highest resident set of the child that was seen.
        limit_bytes: what the child was allowed.

    Returns:
        The kind of the failure, a message, and the name of the signal; empty if there was none.
    """
    if code == LOST:
        return FailureKind.CRASHED, "the child did not start, or its zygote was ended", ""
    if code is None or code >= 0:
        return FailureKind.CRASHED, f"the child ended without an answer (exit code {code})", ""
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    message = f"the child was killed by {name}"
    if name in _OUT_OF_MEMORY and peak_bytes > _NEAR * limit_bytes:
        message += f" at {peak_bytes >> 20} MiB of {limit_bytes >> 20} MiB"
        return FailureKind.MEMORY_LIMIT, message, name
    return FailureKind.CRASHED, message, name


def innermost(stack: str) -> str:
    """Return the last frames of what `faulthandler` wrote, innermost first, on one line."""
    frames = [
        f"{match['name']} ({match['file'].rpartition('/')[2]}:{match['line']})"
        for match in _FRAME.finditer(stack)
    ]
    return " < ".join(frames[:_SHOWN_FRAMES])
