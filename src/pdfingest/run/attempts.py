"""What to do after a death: a pure function, from what is known of a source to its next attempt.

    page 1 … k-1 kept ─▶ page k, next engine ─▶ … ─▶ page k given up ─▶ page k+1, first engine …

A file never costs more than the page that broke it, and what is not the text never costs a page: a
child that died on a label, on links or on the metadata is followed by one that does not read them.
Every step moves on: to less that is read, to a later engine on the same page, to a later page, or
to the same place under other limits, once. So it ends, and no page is tried twice by the same
engine under the same limits.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

from pdfingest.model import Aside, Attempt, Death, FailureKind

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
    if death.aside is not None and death.aside not in attempt.without:
        return _without(death.aside, here, death)
    step = _after_page if death.page else _after_opening
    return step(here, death, engines)


def _without(aside: Aside, here: Attempt, death: Death) -> Attempt:
    """Go on at the same place, without what is not the text and killed the child."""
    page = death.page or here.first_page
    return replace(here, first_page=page, engine=death.engine, without=(*here.without, aside))


def _after_page(here: Attempt, death: Death, engines: int) -> Decision:
    """Try the page with more memory, then with the next engine; else leave it."""
    if death.kind is FailureKind.MEMORY_LIMIT and not here.alone:
        return replace(here, first_page=death.page, engine=death.engine, alone=True)
    if death.engine + 1 < engines:
        return replace(here, first_page=death.page, engine=death.engine + 1)
    if death.page < (here.end or death.total_pages):
        return replace(here, first_page=death.page + 1, engine=here.floor)
    return GiveUp(death.spool_bytes)


def _after_opening(here: Attempt, death: Death, engines: int) -> Decision:
    """An engine that dies on opening is not used for the file again."""
    if death.kind is FailureKind.MEMORY_LIMIT and not here.alone:
        return replace(here, engine=death.engine, floor=death.engine, alone=True)
    floor = death.engine + 1
    if floor >= engines:
        return GiveUp(death.spool_bytes)
    return replace(here, engine=floor, floor=floor)
