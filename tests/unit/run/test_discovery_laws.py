import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from pdfingest.model import Order
from pdfingest.options import IngestOptions
from pdfingest.output.ledger import Ledger
from pdfingest.run.discover import discover
from pdfingest.run.plan import Plan

# Any name that the file system takes, invalid UTF-8, control characters and wildcards included.
NAMES = st.binary(min_size=1, max_size=12).filter(
    lambda name: b"/" not in name and b"\0" not in name and not name.startswith(b".")
)
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map(b"/".join), st.booleans(), max_size=8
)


def make_tree(root: bytes, files: dict[bytes, bool]) -> set[bytes]:
    """Make empty files, half of them PDFs by name; gives the paths of the PDFs that could be."""
    pdfs = set()
    for name, is_pdf in files.items():
        path = os.path.join(root, name + (b".PDF" if is_pdf else b".txt"))
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "xb"):
                pass
        except OSError:
            continue
        if is_pdf or path.lower().endswith(b".pdf"):
            pdfs.add(path)
    return pdfs


def names(*inputs: str, listed: list[str] | None = None) -> dict[str, bytes]:
    """Name and path of each source, in the order of the plan."""
    with Ledger("") as ledger, Plan(ledger) as plan:
        plan.fill(discover(inputs, listed))
        plan.settle(IngestOptions(order=Order.NAME), "")
        found = [(source.name, os.fsencode(source.path)) for source in plan.changed()]
        assert plan.sources == len(found)
    assert len(dict(found)) == len(found), "two sources share a name"
    assert [name for name, _ in found] == sorted(name for name, _ in found)
    return dict(found)


@given(FILES)
def test_a_directory_gives_each_of_its_pdfs_once_in_a_stable_order(
    files: dict[bytes, bool],
) -> None:
    with TemporaryDirectory() as root:
        pdfs = make_tree(os.fsencode(root), files)
        once = names(root)
        assert set(once.values()) == pdfs
        for name in once:
            name.encode("utf-8")
        assert list(names(root)) == list(once)


@given(FILES, st.randoms(use_true_random=False))
def test_inputs_that_overlap_give_the_same_sources_in_any_order(
    files: dict[bytes, bool], random: Random
) -> None:
    with TemporaryDirectory() as root:
        pdfs = [os.fsdecode(path) for path in make_tree(os.fsencode(root), files)]
        inputs = [root, root + "/", *pdfs]
        random.shuffle(inputs)
        assert names(*inputs) == names(root)


@given(FILES)
def test_a_list_gives_what_its_directory_gives(files: dict[bytes, bool]) -> None:
    with TemporaryDirectory() as root:
        pdfs = [os.fsdecode(path) for path in make_tree(os.fsencode(root), files)]
        assert set(names(listed=pdfs).values()) == set(names(root).values())


@given(FILES)
def test_a_glob_of_everything_gives_what_the_directory_gives(files: dict[bytes, bool]) -> None:
    with TemporaryDirectory() as root:
        make_tree(os.fsencode(root), files)
        whole = names(root)
        assert names(f"{root}/**") == whole
        assert names(f"{root}/**/*.[pP][dD][fF]") == whole


@given(FILES)
def test_discovery_does_not_change_what_it_looks_at(files: dict[bytes, bool]) -> None:
    with TemporaryDirectory() as root:
        make_tree(os.fsencode(root), files)
        before = sorted(Path(root).rglob("*"))
        names(root)
        assert sorted(Path(root).rglob("*")) == before
