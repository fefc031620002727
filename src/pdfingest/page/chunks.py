"""Where the text of a document is cut into chunks.

Runs in the child; pure. Along headings and paragraphs, also over the border of two pages where a
paragraph goes on; no chunk is larger than it may be, and none ends with a heading, whose text is in
the next. Only white space between two chunks is in none. The text comes piece by piece, and a
window of some chunks is held of it.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from pdfingest.model import Format
from pdfingest.page.splitting import Splitters

HEADING = re.compile(r"#{1,6} ")
"""Begins a heading; what a text says like this itself is escaped in Markdown."""
HEADINGS = re.compile(r"(?:#{1,6} [^\n]*(?:\n+|$))+")
"""Headings that follow each other."""
_SENTENCE_ENDS = re.compile("[.:;?!…。！？\n]")
_ALL = re.compile(".", re.DOTALL)
_TITLE_CHARS = 80
_WINDOW_CHARS = 32
"""Characters in the window for each token of a chunk: some eight chunks of English."""
_LEAST_WINDOW, _MOST_WINDOW = 4 << 10, 1 << 20


class Chunk(NamedTuple):
    """A piece of a document's text."""

    start: int
    """0-based index of its first character in the text of the document."""
    text: str

    @property
    def end(self) -> int:
        """Index behind its last character."""
        return self.start + len(self.text)


def goes_on(before: str, after: str) -> bool:
    """Return whether a paragraph goes on from the end of one page to the begin of the next."""
    last = before[before.rfind("\n") + 1 :]
    if not last or HEADING.match(last):
        return False
    ends, begins = last[-1], after[:1]
    return (ends.isalnum() or ends in ",-–—") and begins.isalpha() and not begins.isupper()


class Chunker:
    """Cuts a document, given piece by piece.

    Args:
        splitters: of the size that is wanted.
        format: of the text.
    """

    def __init__(self, splitters: Splitters, format: Format) -> None:  # noqa: A002 - as the option
        self._splitters = splitters
        self._is_markdown = format is Format.MARKDOWN
        if self._is_markdown:
            self._splitter = splitters.markdown()
        else:
            self._splitter = splitters.plain(overlaps=True)
        window = splitters.size * _WINDOW_CHARS
        self._window = min(max(window, _LEAST_WINDOW), _MOST_WINDOW)
        self._full = self._window  # length at which to cut
        self._text = self._flow = ""
        self._begin = 0  # where they begin in the document
        self._end = 0  # of the last chunk

    def add(self, text: str, flow: str = "") -> Iterator[Chunk]:
        """Add a piece of the document, and yield the chunks that are sure by now.

        Args:
            text: the piece.
            flow: the same, of the same length, with spaces for line ends within a paragraph.
        """
        flow = flow or text
        for at in range(0, len(text), self._window):
            self._text += text[at : at + self._window]
            self._flow += flow[at : at + self._window]
            if len(self._text) >= self._full:
                yield from self._cut(is_end=False)
                # What is left may be much, where chunks are large: not cut again at each piece.
                self._full = max(self._window, 2 * len(self._text))

    def close(self) -> Iterator[Chunk]:
        """Yield the rest of the chunks."""
        yield from self._cut(is_end=True)

    def _cut(self, *, is_end: bool) -> Iterator[Chunk]:
        """Cut the window; unless it is the end, its last piece stays, as it may go on."""
        is_whole = False
        while not is_whole:
            pieces = self._splitter.chunk_indices(self._flow)
            is_whole, last = True, len(pieces) - 1
            for index, (start, proposed) in enumerate(pieces):
                if index == last and not is_end:
                    self._forget(start)
                    break
                begin = start if self._begins_line(start) else self._behind_spaces(start)
                piece = proposed[begin - start :]
                length = self._length(begin, piece, is_last=index == last)
                chunk = Chunk(self._begin + begin, self._text[begin : begin + length])
                if chunk.end > self._end:  # else it is all overlap
                    self._end = chunk.end
                    yield chunk
                if length != len(piece):
                    self._forget(self._behind_spaces(begin + length))
                    is_whole = False
                    break

    def _begins_line(self, at: int) -> bool:
        """Whether a line begins at an index, or the window, so that spaces there are its indent."""
        return at == 0 or self._flow[at - 1] == "\n"

    def _behind_spaces(self, at: int) -> int:
        """Return the index behind the spaces that are at an index."""
        rest = self._flow[at:]
        return at + len(rest) - len(rest.lstrip(" "))

    def _forget(self, before: int) -> None:
        """Drop the window up to an index."""
        self._text, self._flow = self._text[before:], self._flow[before:]
        self._begin += before

    def _length(self, start: int, piece: str, *, is_last: bool) -> int:
        """Return how much of the window is the chunk that begins with a piece of it.

        Args:
            start: index of the piece.
            piece: what the splitter proposes.
            is_last: whether nothing follows it in the document.
        """
        length = len(piece) if is_last else self._before_heading(piece)
        if length == 0:
            return self._with_heading(start) or len(piece)
        flow = self._flow[start : start + length]
        return length if self._fits(start, flow) else self._fitting(start, flow) or length

    def _before_heading(self, piece: str) -> int:
        """Return the length of a piece without the headings that end it; 0 if it has only such."""
        if not self._is_markdown:
            return _before_title(piece)
        end = len(piece)
        while end:
            begin = piece.rfind("\n", 0, end) + 1
            if not HEADING.match(piece, begin):
                break
            end = len(piece[:begin].rstrip())
        return end

    def _with_heading(self, start: int) -> int:
        """Return the length of headings and what fits of the block behind them; 0 if none does."""
        headings = HEADINGS.match(self._flow, start)
        if headings is None:
            return 0
        rest = self._flow[headings.end() :]
        # Without what ends sentences, or words, it is one with what follows to a splitter.
        for ends, instead in ((_SENTENCE_ENDS, " "), (_ALL, "_")):
            length = self._fitting(start, ends.sub(instead, headings[0]) + rest)
            if length > len(headings[0].rstrip()):
                return length
        return 0

    def _fitting(self, start: int, flow: str) -> int:
        """Return the length of the largest first piece that fits; 0 if none does.

        Args:
            start: where it begins in the window.
            flow: what to cut, with spaces for line ends where it should not be cut.
        """
        # With other characters it may have less tokens than what is written, so it is made smaller.
        for spare in (0, *(1 << n for n in range(self._splitters.size.bit_length() - 1))):
            indent, piece = self._splitters.plain(spare).chunk_indices(flow)[0]
            text = self._text[start : start + indent + len(piece)]
            length = self._before_heading(text) or len(text)
            if self._fits(start, flow[:length]):
                return length
        return 0

    def _fits(self, start: int, flow: str) -> bool:
        """Whether what is written of the window is as small as the flow that was cut."""
        text = self._text[start : start + len(flow)]
        is_as_cut = text == flow and self._begins_line(start)
        return is_as_cut or len(self._splitters.plain().chunk_indices(text)) <= 1


def _before_title(piece: str) -> int:
    """Return the length of a piece of plain text without the line at its end that is a title."""
    begin = piece.rfind("\n\n") + 2
    title = piece[begin:]
    is_title = (
        begin > 1
        and "\n" not in title
        and len(title) <= _TITLE_CHARS
        and title[-1].isalnum()
        and (title[0].isupper() or title[0].isdigit())
    )
    return len(piece[:begin].rstrip()) if is_title else len(piece)
