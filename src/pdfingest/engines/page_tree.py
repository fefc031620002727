"""The page tree as the bytes of a file have it, to check how an engine counts pages.

PDFium finds pages by the /Count of the nodes (ISO 32000-2, 7.7.3), which may be wrong. Then a page
comes under the number of another, twice, or not at all, without an error. Opening each file with a
second engine would take longer than reading it. So this module walks through the nodes that are in
the bytes (`raw_objects`). Where it cannot see the tree, as in encrypted object streams, the engine
is believed.
"""

import re
import zlib
from typing import NamedTuple

from pdfingest.engines.raw_objects import Objects, UnclearError

_MOST_DEPTH = 64
_MOST_UNKNOWN = 16

_KIDS = re.compile(rb"/Kids\s*\[([^\]]*)\]")
_KID = re.compile(rb"(\d{1,10})\s+\d{1,5}\s+R|(null)")
_COUNT = re.compile(rb"/Count\s+(\d{1,10})\b(?!\s+\d+\s+R)")
_PAGES = re.compile(rb"/Pages\s+(\d{1,10})\s+\d{1,5}\s+R")
_METADATA = re.compile(rb"/Metadata\s+(\d{1,10})\s+\d{1,5}\s+R")


class PageTree(NamedTuple):
    """What the nodes of a page tree say."""

    leaves: int
    """Number of pages that are there."""
    sure: int
    """Number of leaves before the first place where the tree is not as its nodes say. An engine
    that goes by /Count finds these, and perhaps no others, under their numbers."""
    holes: tuple[int, ...] = ()
    """1-based numbers of lost pages: objects that the tree names, and the /Count of the root
    includes, but that are not there."""
    pages: tuple[int, ...] = ()
    """Number of the object of each page that is there, in the order of pages."""
    metadata: int = 0
    """Number of the object with the XMP of the document (14.3.2); 0 if there is none."""
    catalog: bytes = b""
    """Text of the catalog, if the document has layers."""

    @property
    def total_pages(self) -> int:
        """Number of pages of the document, lost pages included."""
        return self.leaves + len(self.holes)

    @property
    def is_in_order(self) -> bool:
        """Whether an engine that goes by /Count finds each page under its number."""
        return self.sure == self.leaves and not self.holes


def read_page_tree(path: str) -> PageTree | None:
    """Read the page tree of a file. Runs in the child.

    Returns:
        None where the bytes do not show the tree.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        try:
            return _Walk(Objects(file.fileno())).tree()
        except (UnclearError, zlib.error):
            return None


class _Walk:
    """A walk through the tree, from the root to the leaves, in the order of pages."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.entries: list[bool] = []
        """For each place of a page in the tree, whether the page is there."""
        self.pages: list[int] = []
        """Number of the object of each page that is there."""
        self.sure: int | None = None
        """Number of pages before the first irregularity; None while there is none."""
        self.visited = set[int]()
        self.unknown = 0

    def tree(self) -> PageTree:
        """Walk through the whole tree, and return what it says."""
        catalog = self.objects.text(self.objects.root)
        pages, metadata = _PAGES.search(catalog), _METADATA.search(catalog)
        if not pages:
            raise UnclearError
        xmp = int(metadata[1]) if metadata else 0
        layered = catalog if b"/OCProperties" in catalog else b""
        root = int(pages[1])
        self._visit(root, 0)
        leaves = sum(self.entries)
        sure = leaves if self.sure is None else self.sure
        count = _COUNT.search(self.objects.text(root))
        if not count or int(count[1]) != len(self.entries):
            return PageTree(leaves, sure, (), (*self.pages,), xmp, layered)
        holes = tuple(number for number, there in enumerate(self.entries, 1) if not there)
        return PageTree(leaves, sure, holes, (*self.pages,), xmp, layered)

    def _visit(self, number: int, depth: int) -> None:
        if number in self.objects.leaves:
            self.entries.append(True)
            self.pages.append(number)
        elif number not in self.objects.nodes:
            self._miss(number)
        elif number in self.visited or depth > _MOST_DEPTH:
            raise UnclearError
        else:
            self.visited.add(number)
            self._visit_kids(number, depth)

    def _visit_kids(self, number: int, depth: int) -> None:
        """Walk through the kids of a node, and compare their number with its /Count."""
        text = self.objects.text(number)
        kids = _KIDS.search(text)
        if not kids and b"/Kids" in text:
            raise UnclearError  # they are in an object of their own
        before = len(self.entries)
        sure_before = sum(self.entries)
        for kid in _KID.finditer(kids[1] if kids else b""):
            if kid[2]:
                self._doubt(sum(self.entries))
            else:
                self._visit(int(kid[1]), depth + 1)
        count = _COUNT.search(text)
        if depth and (not count or int(count[1]) != len(self.entries) - before):
            self._doubt(sure_before)

    def _miss(self, number: int) -> None:
        self.unknown += 1
        if self.unknown > _MOST_UNKNOWN or self.objects.exists(number):
            raise UnclearError
        self._doubt(sum(self.entries))
        self.entries.append(False)

    def _doubt(self, sure: int) -> None:
        """Note that behind this number of pages the tree is not as its nodes say."""
        self.sure = sure if self.sure is None else min(self.sure, sure)
