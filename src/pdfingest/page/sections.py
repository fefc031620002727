"""Which headings of a Markdown text a place in it stands under. Runs in the child; pure."""

import re
from collections import deque

from pdfingest.page.chunks import HEADINGS, Chunk
from pdfingest.page.outline import as_section, as_title

_HEADING = re.compile(r"(#{1,6}) +([^\n]*)")
_FENCE = "```"
_ESCAPED = re.compile(r"\\(.)")


class Sections:
    """The headings of a document, which is given chunk by chunk."""

    def __init__(self) -> None:
        self._found: deque[tuple[int, tuple[str, ...]]] = deque([(0, ())])
        """Where sections begin, and the titles of each, outermost first."""
        self._read = 0
        self._is_code = False

    def of(self, chunk: Chunk) -> str:
        """Return the titles under which a chunk begins, its own first ones included; or nothing.

        Args:
            chunk: the one that follows the last one that was asked for; they may overlap.
        """
        self._read_on(chunk)
        headings = HEADINGS.match(chunk.text)
        begin = chunk.start + (headings.end() - 1 if headings else 0)
        while len(self._found) > 1 and self._found[1][0] <= begin:
            self._found.popleft()
        return as_section(self._found[0][1])

    def _read_on(self, chunk: Chunk) -> None:
        """Note the headings of what has not been read yet."""
        at = max(self._read, chunk.start)
        for line in chunk.text[at - chunk.start :].splitlines(keepends=True):
            heading = _HEADING.match(line)
            if line.startswith(_FENCE):
                self._is_code = not self._is_code
            elif heading and not self._is_code:
                above = list(self._found[-1][1][: len(heading[1]) - 1])
                above += [""] * (len(heading[1]) - 1 - len(above))
                title = _ESCAPED.sub(r"\1", heading[2])
                self._found.append((at, (*above, as_title(title))))
            at += len(line)
        self._read = max(self._read, chunk.end)
