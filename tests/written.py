"""PDFs written by hand, object by object (ISO 32000-2, 7.5), as no library would write them."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Objects: TypeAlias = dict[int, bytes]
"""The body of each object, by number."""


def stream(content: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(content), content)


def plain_pdf(objects: Objects, trailer: bytes = b"") -> bytes:
    """A file with a table of its objects; the catalog is object 1."""
    pdf, offsets = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        offsets[number] = len(pdf)
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    size = max(objects) + 1
    table = b"".join(
        b"%010d 00000 n \n" % offsets[number] if number in offsets else b"0000000000 65535 f \n"
        for number in range(size)
    )
    end = b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(pdf))
    return pdf + b"xref\n0 %d\n%s%s" % (size, table, end)


def packed_pdf(objects: Objects) -> bytes:
    """The same, with all objects that are no streams in one object stream (7.5.7, 7.5.8)."""
    inside = {number: body for number, body in objects.items() if b"stream" not in body}
    outside = {number: body for number, body in objects.items() if number not in inside}
    container = max(objects) + 100  # a number that no reference has
    table = container + 1
    pairs, bodies = [], b""
    for number, body in inside.items():
        pairs.append(b"%d %d" % (number, len(bodies)))
        bodies += body + b" "
    head = b" ".join(pairs) + b" "
    packed = zlib.compress(head + bodies)
    entries = b"/Type/ObjStm/N %d/First %d/Filter/FlateDecode" % (len(inside), len(head))
    outside[container] = stream(packed, entries)

    pdf, rows = b"%PDF-1.7\n", {0: (0, 0, 65535)}
    for number, body in outside.items():
        rows[number] = (1, len(pdf), 0)
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    rows |= {number: (2, container, index) for index, number in enumerate(inside)}
    rows[table] = (1, len(pdf), 0)
    content = b"".join(
        struct.pack(">BIH", *rows.get(number, (0, 0, 65535))) for number in range(table + 1)
    )
    entries = b"/Type/XRef/Size %d/W[1 4 2]/Root 1 0 R/Filter/FlateDecode" % (table + 1)
    body = stream(zlib.compress(content), entries)
    return pdf + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, body, len(pdf))


@dataclass
class Node:
    """A node of a page tree; a kid is a node, a text for a page, or what is no page."""

    kids: Sequence["Node | str | None"] = ()
    """None is a reference to an object that is not there; an empty text is `null`."""
    count: int | None = None
    """What /Count says; None for the truth, by which what is not there does not count."""

    def leaves(self) -> list[str]:
        """The texts of the pages below, in order."""
        found: list[str] = []
        for kid in self.kids:
            if isinstance(kid, Node):
                found += kid.leaves()
            elif kid:
                found.append(kid)
        return found

    def places(self) -> list[str | None]:
        """The same, with None where the tree names an object that is not there."""
        found: list[str | None] = []
        for kid in self.kids:
            if isinstance(kid, Node):
                found += kid.places()
            elif kid != "":
                found.append(kid)
        return found


@dataclass
class _Writer:
    """Makes the objects of a tree."""

    objects: Objects = field(default_factory=Objects)
    next: int = 10

    def number(self) -> int:
        """A number that is free."""
        self.next += 1
        return self.next

    def node(self, node: Node, number: int, parent: int) -> None:
        """Write a node and all below it."""
        kids = []
        for kid in node.kids:
            if kid == "":
                kids.append(b"null")
                continue
            at = self.number()
            kids.append(b"%d 0 R" % at)
            if isinstance(kid, Node):
                self.node(kid, at, number)
            elif kid is not None:
                self.page(kid, at, number)
        count = len(node.leaves()) if node.count is None else node.count
        up = b"/Parent %d 0 R" % parent if parent else b""
        body = b"<</Type/Pages%s/Count %d/Kids[%s]>>" % (up, count, b" ".join(kids))
        self.objects[number] = body

    def page(self, text: str, number: int, parent: int) -> None:
        """Write a page."""
        content = self.number()
        self.objects[content] = stream(b"BT /F1 12 Tf 72 700 Td (%s) Tj ET" % text.encode())
        self.objects[number] = (
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
            b"/Resources<</Font<</F1 3 0 R>>>>>>" % (parent, content)
        )


def tree_objects(tree: Node, catalog: bytes = b"") -> Objects:
    """The objects of a document with a page tree.

    Args:
        tree: its root.
        catalog: further entries of the catalog.
    """
    writer = _Writer()
    writer.objects[1] = b"<</Type/Catalog/Pages 2 0 R%s>>" % catalog
    writer.objects[3] = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    writer.node(tree, 2, 0)
    return writer.objects
