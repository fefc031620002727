"""What to do after a death: a pure function, from what is known of a source to its next attempt.

    page 1 … k-1 kept ─▶ page k, next engine ─▶ … ─▶ page k given up ─▶ page k+1, first engine …

A file never costs more than the page that broke it. Every step moves on: to a later engine on the
same page, to a later page, or to the same place under other limits, once. So it ends, and no page
is tried twice by the same engine under the same limits.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from pdfingest.model import Attempt, Death, FailureKind

MAX_DEATHS = 10
"""A file that kills more children than this is left alone: three pages that kill two engines each
are six."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No further attempt; the pages in the spool are all there will be."""

    spool_bytes: int


Decision: TypeAlias = Attempt | GiveUp


def after(attempt: Attempt, death: Death, *, engines: int, deaths: int, in_time: bool) -> Decision:
    """The next attempt after a death.

    Args:
        attempt: the one that the child died on.
        death: where it died.
        engines: how many the job has.
        deaths: of this source so far, this one included.
        in_time: whether the source's time limit leaves any.
    """
    if not in_time or deaths >= MAX_DEATHS:
        return GiveUp(death.spool_bytes)
    here = replace(attempt, number=attempt.number + 1, spool_bytes=death.spool_bytes)
    if death.page == 0:
        return _after_opening(here, death, engines)
    if death.kind is FailureKind.MEMORY_LIMIT and not attempt.alone:
        return replace(here, first_page=death.page, engine=death.engine, alone=True)
    if death.engine + 1 < engines:
        return replace(here, first_page=death.page, engine=death.engine + 1)
    if death.page < (attempt.end or death.total_pages):
        return replace(here, first_page=death.page + 1, engine=attempt.floor)
    return GiveUp(death.spool_bytes)


def _after_opening(here: Attempt, death: Death, engines: int) -> Decision:
    """An engine that dies on opening is not used for the file again."""
    if death.kind is FailureKind.MEMORY_LIMIT and not here.alone:
        return replace(here, engine=death.engine, floor=death.engine, alone=True)
    floor = death.engine + 1
    if floor >= engines:
        return GiveUp(death.spool_bytes)
    return replace(here, engine=floor, floor=floor)
