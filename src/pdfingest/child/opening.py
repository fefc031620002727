"""Which engine reads a document as a whole, and which of its pages has which number.

A record under a page number must be that page of the document. Where the page tree is not in order,
engines differ in how they count pages. So the first engine that finds all pages reads the document,
or else the one that finds most, and a page is taken from another engine only if both count the
same. A page that no engine surely finds under its number is reported as lost.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pdfingest.child.ranges import Ranges
from pdfingest.engines.abilities import (
    has_attachments,
    has_layers,
    has_outline,
    has_picture,
    has_ranges,
    has_tables,
    has_traits,
    knows_layout,
)
from pdfingest.engines.engine import (
    Document,
    EncryptedError,
    MalformedError,
    load_engine,
    tolerate,
)
from pdfingest.engines.layers import hidden_layers
from pdfingest.engines.page_tree import PageTree, read_page_tree
from pdfingest.engines.raw_objects import has_syntax, is_damaged, read_stream
from pdfingest.errors import EngineUnavailableError
from pdfingest.exchange.recorder import Recorder
from pdfingest.job import Job
from pdfingest.model import Aside, Format
from pdfingest.ocr.engine import Picture
from pdfingest.outcome import NO_TRAITS, Traits
from pdfingest.pages import Page, Title

_MOST_BLANK_PAGES = 32
"""Most pages that are found to be blank, as each look takes a pass over the file."""


class Opening:
    """The file of a job, as opened by its engines. Runs in the child."""

    def __init__(self, job: Job, recorder: Recorder) -> None:
        self.job, self.recorder = job, recorder
        self.first = job.attempt.floor
        """0-based index of the engine that reads the document; until then, of the first to try."""
        self.total_pages = 0
        self._documents: dict[int, Document] = {}
        self._tree: PageTree | None = None
        self._ranges = Ranges()
        self._blank_pages = 0
        """Pages that show nothing, and have nothing that would."""
        self._found = 0
        """Pages that the chosen engine surely finds under their numbers."""

    def open(self) -> None:
        """Open the file, and choose the engine that reads it.

        Raises:
            Exception: no engine can open it; this is what the first raised.
            EngineUnavailableError: an engine cannot be imported.
        """
        self.recorder.note(self.job.attempt.floor, spool_bytes=self.job.attempt.spool_bytes)
        is_whole = any(engine.needs.is_whole for engine in self.job.engines)
        self._tree = tree = None if is_whole else read_page_tree(self.job.source.path)
        reason: Exception | None = None
        chosen: int | None = None
        for index in range(self.job.attempt.floor, len(self.job.engines)):
            try:
                found = self._pages_found(self.document(index))
            except (EngineUnavailableError, MemoryError):
                raise
            except Exception as error:  # noqa: BLE001 - the next engine may know better
                reason = reason or error
                if isinstance(error, EncryptedError) and not self.job.passwords:
                    break  # another engine would need the password as well
                if isinstance(error, MalformedError) and not has_syntax(self.job.source.path):
                    break  # another engine would say so as well, after its import
                continue
            if chosen is None or found > self._found:
                chosen, self._found = index, found
            if tree is None or found >= tree.leaves:
                break
        if chosen is None:
            assert reason is not None, "a job has at least one engine"
            raise reason
        self.first = chosen
        self.total_pages = count = self._documents[chosen].page_count
        self._hide_layers(self.document(chosen))
        if tree is not None:
            finds_all = self._found >= tree.leaves
            self.total_pages = tree.total_pages if finds_all else max(count, tree.total_pages)

    def _hide_layers(self, document: Document) -> None:
        """Tell an engine that reads all layers which of them are off."""
        catalog = self._tree.catalog if self._tree else b""
        if catalog and has_layers(document):
            look = partial(hidden_layers, self.job.source.path, catalog)
            names = tolerate(Aside.LAYERS, look, frozenset[bytes]())
            document.hide_layers(names)

    def page(self, index: int, number: int) -> Page:
        """Read a page, by its 1-based number, with an engine, by its 0-based index.

        Raises:
            Exception: the engine raised it.
            MalformedError: the engine may not find that page under its number.
        """
        page = self._read(index, number)
        if not page.ink and not page.text.strip() and self._is_damaged(number):
            raise MalformedError("the content of the page cannot be decoded")
        return page

    def _is_damaged(self, number: int) -> bool:
        """Whether a page that shows nothing has content, which is damaged."""
        tree = self._tree
        if tree is None or not tree.is_in_order or number > len(tree.pages):
            return False
        if self._blank_pages >= _MOST_BLANK_PAGES:
            return False
        look = partial(is_damaged, self.job.source.path, tree.pages[number - 1])
        has_damage = tolerate(Aside.INK, look, default=False)
        self._blank_pages += not has_damage
        return has_damage

    def _read(self, index: int, number: int) -> Page:
        document = self.document(index)
        return self._page(document, self._place(document, number))

    def picture(self, number: int, dpi: float, angle: float) -> Picture:
        """Return a page as a picture, by the first engine that can draw it.

        Args:
            number: of the page, 1-based.
            dpi: pixels an inch; fewer where there would be too many.
            angle: degrees by which it is turned, clockwise, beyond what the document says.

        Raises:
            MalformedError: no engine can draw it.
        """
        for index in range(self.first, len(self.job.engines)):
            document = self.document(index)
            if has_picture(document):
                return document.picture(self._place(document, number), dpi, angle)
        raise MalformedError("no engine draws it")

    def _place(self, document: Document, number: int) -> int:
        """Return the number by which an engine knows a page.

        Raises:
            MalformedError: the engine may not find that page under its number.
        """
        if document.page_count != self._documents[self.first].page_count:
            raise MalformedError("the engines do not count its pages alike")
        tree = self._tree
        if tree is None:
            return number
        if not tree.total_pages:
            raise MalformedError("it has no pages")
        place = number
        if document.page_count == tree.leaves:  # the engine leaves out what is not there
            place -= sum(hole < number for hole in tree.holes)
        if number in tree.holes or place > self._found:
            raise MalformedError(f"the page tree is damaged: page {number} cannot be found")
        return place

    @property
    def has_layout(self) -> bool:
        """Whether the engine that reads the document is asked where text stands, and knows it."""
        return self._wants_layout and knows_layout(self.document(self.first))

    @property
    def _wants_layout(self) -> bool:
        return self.job.format is not Format.RAW or self.job.tables

    def _page(self, document: Document, number: int) -> Page:
        """Read a page, with where its text stands if that is asked for and the engine knows it."""
        if not self._wants_layout or not knows_layout(document):
            page = self._by_itself(document, number)
        else:
            marked = self.job.format is Format.MARKDOWN
            page = document.layout(number, marked=marked, ruled=marked or self.job.tables)
        if self.job.tables and not page.spans and has_tables(document):
            tables = tolerate(Aside.TABLES, lambda: tuple(document.tables(number)), page.tables)
            page = page._replace(tables=tables)
        if not page.internal_links:
            return page
        numbers = self._numbers(document)
        links = tuple(each._replace(number=numbers(each.number)) for each in page.internal_links)
        return page._replace(internal_links=links)

    def _by_itself(self, document: Document, number: int) -> Page:
        """Read a page as its engine gives it, alone or with those behind it."""
        if not has_ranges(document):
            return document.page(number)
        return self._ranges.page(document, number, self.job.pages.end or document.page_count)

    def outline(self) -> list[Title]:
        """Return the titles of the outline; none where the engine does not know it."""
        document = self.document(self.first)
        if not has_outline(document):
            return []
        numbers = self._numbers(document)
        return [title._replace(number=numbers(title.number)) for title in document.outline()]

    def traits(self) -> Traits:
        """Return what the document is, as far as the engine knows."""
        document = self.document(self.first)
        return document.traits() if has_traits(document) else NO_TRAITS

    def sized_traits(self) -> Traits:
        """Return what the document is, with the sizes of its attachments."""
        traits, document = self.traits(), self.document(self.first)
        if not has_attachments(document):
            return traits
        sized = [*traits.attachments]
        for index, each in enumerate(sized):
            with suppress(MalformedError):  # then its size stays unknown
                sized[index] = each._replace(size_bytes=len(document.attachment(index)))
        return traits._replace(attachments=tuple(sized))

    def _numbers(self, document: Document) -> Callable[[int], int]:
        """Return what makes of the place of a page, as an engine counts, its number; 0 of none."""
        tree = self._tree
        if tree is None or not tree.holes or document.page_count != tree.leaves:
            return int
        there = [0, *(n for n in range(1, tree.total_pages + 1) if n not in tree.holes)]
        return lambda place: there[place] if place < len(there) else 0

    def xmp(self) -> bytes:
        """Return the XMP packet of the document; empty if there is none that can be seen."""
        number = self._tree.metadata if self._tree else 0
        return read_stream(self.job.source.path, number) if number else b""

    def document(self, index: int) -> Document:
        """Return the document as opened by one of the engines, which opens it once."""
        if index not in self._documents:
            if not self.total_pages:
                self.recorder.note(index, spool_bytes=self.job.attempt.spool_bytes)
            open_document = load_engine(self.job.engines[index])
            self._documents[index] = open_document(self.job.source.path, self.job.passwords)
        return self._documents[index]

    def close(self) -> None:
        """Release all documents."""
        while self._documents:
            self._documents.popitem()[1].close()

    def _pages_found(self, document: Document) -> int:
        """Count the pages, from the first, that an engine surely finds under their numbers."""
        tree, count = self._tree, document.page_count
        if tree is None or (tree.is_in_order and count == tree.leaves):
            return count
        goes_through = not getattr(document, "goes_by_count", False)
        if goes_through and count in (tree.leaves, tree.total_pages):
            return count
        return min(tree.sure, count)
