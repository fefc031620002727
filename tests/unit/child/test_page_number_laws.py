"""A page under a number is that page of the document, whatever the page tree says of itself."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from pdfingest.child.extraction import Extraction
from pdfingest.engines.registry import find_engines
from pdfingest.exchange.recorder import NOTES_BYTES, Recorder
from pdfingest.job import Job, Limits, Sandbox
from pdfingest.model import Source, Unit
from pdfingest.outcome import Cost, Extracted, Failed
from written import Node, packed_pdf, plain_pdf, tree_objects

LIMITS = Limits(1 << 40, 1 << 30, 1000)

nodes: st.SearchStrategy[Node]
kids: st.SearchStrategy[Node | str | None] = st.deferred(
    lambda: st.one_of(st.just("page"), st.just("page"), st.none(), st.just(""), nodes)
)
nodes = st.builds(
    Node, st.lists(kids, max_size=4), st.one_of(st.none(), st.none(), st.integers(0, 8))
)


def numbered(node: Node, counter: list[int]) -> Node:
    """The tree, with a text of its own for each page."""
    found: list[Node | str | None] = []
    for kid in node.kids:
        if isinstance(kid, Node):
            found.append(numbered(kid, counter))
        elif kid:
            counter[0] += 1
            found.append(f"leaf {counter[0]}")
        else:
            found.append(kid)
    return Node(found, node.count)


def extracted(pdf: bytes, engine: str) -> tuple[Extracted | Failed, dict[int, str]]:
    """How a file ends, and the text of each of its pages by number."""
    with TemporaryDirectory() as folder:
        source, spool, notes = (Path(folder) / name for name in ("source", "spool", "notes"))
        source.write_bytes(pdf)
        notes.write_bytes(bytes(NOTES_BYTES))
        job = Job(
            Source("a.pdf", str(source), len(pdf)), find_engines(engine), (), Unit.PAGE, LIMITS,
            str(spool), Sandbox.OFF,
        )  # fmt: skip
        recorder = Recorder(str(notes), 1)
        outcome = Extraction(job, recorder, Cost).run()
        recorder.close()
        assert isinstance(outcome, Extracted | Failed)
        lines = spool.read_bytes().splitlines() if spool.exists() else []
        records = [json.loads(line) for line in lines]
        return outcome, {r["metadata"]["page"]: r["text"].strip() for r in records}


def check(tree: Node, engine: str, *, packed: bool) -> tuple[dict[int, str], tuple[int, ...]]:
    """Read a tree; see that no page is under the number of another, and none is lost unsaid."""
    objects = tree_objects(tree)
    outcome, pages = extracted((packed_pdf if packed else plain_pdf)(objects), engine)
    leaves, places = tree.leaves(), tree.places()
    counted = tree.count if tree.count is not None else len(leaves)
    truth = places if counted == len(places) else leaves
    for number, text in pages.items():
        assert [text] == truth[number - 1 : number], (tree, number)
    missed = [number for number, text in enumerate(truth, 1) if text and number not in pages]
    assert set(missed) <= set(outcome.failed_pages) or not pages, tree
    if isinstance(outcome, Extracted) and engine == "auto":
        assert all(number <= len(truth) for number in outcome.failed_pages), tree
    return pages, outcome.failed_pages


@settings(max_examples=150)
@given(nodes, st.sampled_from(["auto", "pdfium", "pypdf"]), st.booleans())
def test_no_page_comes_under_the_number_of_another(tree: Node, engine: str, packed: bool) -> None:
    check(numbered(tree, [0]), engine, packed=packed)


@settings(max_examples=100)
@given(nodes, st.booleans())
def test_two_engines_together_find_every_page(tree: Node, packed: bool) -> None:
    tree = numbered(tree, [0])
    pages, _ = check(tree, "auto", packed=packed)
    assert sorted(pages.values()) == sorted(tree.leaves())


def test_pages_that_the_file_has_not_are_lost_under_their_numbers() -> None:
    tree = numbered(Node(["page", None, None, "page", "page"], count=5), [0])
    for packed in (False, True):
        pages, lost = check(tree, "auto", packed=packed)
        assert (pages, lost) == ({1: "leaf 1", 4: "leaf 2", 5: "leaf 3"}, (2, 3))


@settings(max_examples=30)
@given(st.integers(3, 12), st.data())
def test_pages_that_were_wiped_out_do_not_move_the_others(number: int, data: st.DataObject) -> None:
    objects = tree_objects(numbered(Node(["page"] * number), [0]))
    pages = [body for body in objects.values() if body.startswith(b"<</Type/Page/")]
    wiped = data.draw(st.lists(st.sampled_from(range(number)), unique=True, max_size=number - 1))
    pdf = plain_pdf(objects)
    for index in wiped:
        at = pdf.index(pages[index])
        begin, end = pdf.rindex(b"endobj", 0, at) + 7, at + len(pages[index]) + len(b"\nendobj")
        pdf = pdf[:begin] + b" " * (end - begin) + pdf[end:]
    outcome, texts = extracted(pdf, "auto")
    assert all(text == f"leaf {page}" for page, text in texts.items())
    lost = {page for page in range(1, number + 1) if page not in texts}
    assert set(outcome.failed_pages) == lost or not texts
    assert lost == {index + 1 for index in wiped} or len(wiped) > 1


def test_what_is_no_page_is_not_counted() -> None:
    tree = numbered(Node(["page", None, "page", "", "page"]), [0])
    pages, lost = check(tree, "auto", packed=False)
    assert (pages, lost) == ({1: "leaf 1", 2: "leaf 2", 3: "leaf 3"}, ())
