"""From what an engine read of a page to what its record says, in the format that was asked for.

Runs in the child; pure. Pages whose engine does not know where text stands keep its text.
"""

from collections.abc import Sequence

from pdfingest.model import Format
from pdfingest.page.block import Block
from pdfingest.page.blocks import blocks_of
from pdfingest.page.body import body_of
from pdfingest.page.furniture import split
from pdfingest.page.headings import Look
from pdfingest.page.markdown import linked, markdown
from pdfingest.page.order import reading_order
from pdfingest.page.plain import block_text, plain_text
from pdfingest.page.survey import Survey
from pdfingest.page.tables import tables_of
from pdfingest.page.words import Words
from pdfingest.pages import Page
from pdfingest.text import composed


def read(page: Page, survey: Survey, wanted: Format, *, tables: bool = False) -> Page:
    """Return a page with its text as it is read, its furniture, its section and its tables.

    Args:
        page: as the engine has it.
        survey: of its document.
        wanted: what its text is to be.
        tables: whether its tables are wanted.
    """
    if not page.spans or (wanted is Format.RAW and not tables):
        return page
    spans, furniture = split(page, survey.places)
    lines = reading_order(spans)
    words = survey.words or Words([line.text for line in lines])
    body = survey.body if survey.body.size else body_of([lines])
    ruled = blocks = blocks_of(lines, body, page.rules)
    if page.rules and (wanted is Format.TEXT or not page.section):
        blocks = blocks_of(lines, body)
    look = Look(body, page.titles)
    if not page.section:
        page = page._replace(section=_first_heading(blocks, look, words))
    if tables:
        page = page._replace(tables=tables_of(ruled, page.box, words))
    if wanted is Format.RAW:
        return page
    if wanted is Format.MARKDOWN:
        text = linked(markdown(ruled, look, words), page)
    else:
        text = plain_text(blocks, words)
    return page._replace(text=composed(text), furniture=composed(furniture))


def _first_heading(blocks: Sequence[Block], look: Look, words: Words) -> str:
    """Return the text of the first heading; empty if there is none."""
    found = next(filter(look.level, blocks), None)
    return "" if found is None else composed(" ".join(block_text(found, words).split()))
