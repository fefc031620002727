"""From the pages of a source to the records that are wanted: the document, or its chunks.

Runs in the last child of a source, page by page, so that no process holds a whole text.
"""

from collections import deque
from collections.abc import Callable, Iterator

from pdfingest.child.diagnosis import TooLargeError
from pdfingest.exchange.record import DocumentFacts, chunk_record, encode, facts_of
from pdfingest.exchange.said import Cut, Joined, Record
from pdfingest.exchange.spool import SEPARATORS, SpoolWriter, join_pages, pages_of, read_records
from pdfingest.job import ChunkSpec, EngineSpec, Job
from pdfingest.model import Format
from pdfingest.page.chunks import Chunk, Chunker, goes_on
from pdfingest.page.sections import Sections
from pdfingest.page.splitting import load


def assemble(job: Job, engine: EngineSpec, progress: Callable[[], None]) -> None:
    """Write the records of a source from those of its pages, of which there is at least one.

    Args:
        job: which names the spool.
        engine: that is the engine of all.
        progress: called before each chunk, as all of them may take longer than a page may.

    Raises:
        SpoolError: there is no space.
        TooLargeError: there are more than the job may write.
    """
    pages = pages_of(job.spool)
    document = facts_of(next(read_records(pages)), engine)
    with SpoolWriter(job.spool) as spool:
        if job.chunks is None:
            join_pages(pages, document, spool)
            return
        most = job.limits.output_bytes
        for record in chunk_records(pages, document, job.chunks):
            progress()
            spool.write(encode(record))
            if spool.length > most:
                raise TooLargeError(f"its chunks exceed {most:,} bytes; see --max-output")


def chunk_records(pages: str, document: DocumentFacts, spec: ChunkSpec) -> Iterator[Record]:
    """Yield the records of the chunks of a document; of one without text a single empty chunk.

    Args:
        pages: path of the records of its pages, in their order; lost pages have none.
        document: what all records of the source share.
        spec: how to cut it.
    """
    book = _Book(document, spec)
    chunks = _chunks(pages, document.format, spec, book)
    chunk = next(chunks, Chunk(0, ""))
    for following in chunks:
        yield book.record(chunk)
        chunk = following
    yield book.record(chunk, is_last=True)


def _chunks(pages: str, form: Format, spec: ChunkSpec, book: "_Book") -> Iterator[Chunk]:
    """Yield the chunks of a document, and put its pages into a book before their chunks."""
    chunker, between = Chunker(load(spec.cut), form), SEPARATORS[form]
    length, before = 0, None
    for record in read_records(pages):
        page = text = record.pop("text")
        if before is not None:
            length += len(between)
            text = between + page
        flow = " " * len(between) + page if before and goes_on(before, page) else text
        book.add(record, length, length + len(page))
        length, before = length + len(page), page
        yield from chunker.add(text, flow)
    yield from chunker.close()


class _Page:
    """A page that is not wholly in chunks yet.

    Args:
        record: of the page, without its text.
        begin: 0-based index of its first character in the text of the document.
        end: 0-based index of the first character behind it.
    """

    def __init__(self, record: Record, begin: int, end: int) -> None:
        self.record, self.begin, self.end = record, begin, end
        self.is_listed = False
        """Whether its tables, links and the like are in a chunk."""

    def share(self, chunk: Chunk) -> float:
        """Return how much of its text is in a chunk, from 0 to 1."""
        shared = min(self.end, chunk.end) - max(self.begin, chunk.start)
        return max(shared, 0) / max(self.end - self.begin, 1)


class _Book:
    """What is known of the pages that chunks are made of."""

    def __init__(self, document: DocumentFacts, spec: ChunkSpec) -> None:
        self._document = document
        self._tokenizer = spec.tokenizer.name
        self._pages = deque[_Page]()
        self._sections = Sections()
        self._number = 0

    def add(self, record: Record, begin: int, end: int) -> None:
        """Add a page, given its record without the text, and where it is in the document."""
        self._pages.append(_Page(record, begin, end))

    def record(self, chunk: Chunk, *, is_last: bool = False) -> Record:
        """Make the record of the next chunk.

        What a page has beside its text is in the chunk in which the page begins.
        """
        self._number += 1
        joined = Joined()
        here = [page for page in self._pages if page.begin < chunk.end or is_last]
        pages = [page for page in here if page.share(chunk) or not page.is_listed]
        for page in pages:
            metadata = page.record["metadata"]
            ocr_chars = round(metadata["ocr_chars"] * page.share(chunk))
            joined.said = joined.said.with_page({**metadata, "ocr_chars": ocr_chars})
            if not page.is_listed:
                joined.add_lists(page.record)
                page.is_listed = True
        joined.said = joined.said._replace(char_count=len(chunk.text))
        first = next((page for page in pages if page.share(chunk)), pages[0]).record["metadata"]
        while self._pages and self._pages[0].is_listed and self._pages[0].end <= chunk.start:
            self._pages.popleft()
        place = {name: first[name] for name in ("page", "page_label", "section")}
        if self._document.format is Format.MARKDOWN:
            place["section"] = self._sections.of(chunk) or place["section"]
        cut = Cut(self._number, chunk.start, chunk.end, self._tokenizer)
        return chunk_record(self._document, place, chunk.text, cut, joined)
