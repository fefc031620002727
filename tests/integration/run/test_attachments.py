"""With --attachments, PDFs within PDFs are sources of their own: none is lost, and limits hold."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from conftest import Cli, read_lines
from pdfingest.model import Source
from pdfingest.outcome import Attachment
from pdfingest.run.attached import MOST_LEVELS, MOST_SOURCES, members, top


def pdf(text: str, *attached: tuple[str, bytes]) -> bytes:
    """A PDF of one page, with files within it."""
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.add_page()
    made.text(20, 20, text)
    for name, content in attached:
        made.embed_file(bytes=content, basename=name)
    return bytes(made.output())


def run(cli_here: Cli, pdfs: Path, out: Path, *options: str, code: int = 0) -> dict[str, Any]:
    """Run over the PDFs, and return the summary."""
    done = cli_here("run", pdfs, "-o", out, "--attachments", *options)
    assert done.returncode == code, done.stderr
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary


def lines(out: Path) -> dict[str, dict[str, Any]]:
    return {line["source"]: line for line in read_lines(out / "report.jsonl")}


def texts(out: Path) -> dict[str, str]:
    return {record["source"]: record["text"] for record in read_lines(out / "pages.jsonl")}


NESTED = pdf("outer", ("b.pdf", pdf("middle", ("c.pdf", pdf("inner")))), ("note.txt", b"no PDF"))


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_pdfs_within_pdfs_are_sources(cli_here: Cli, pdfs: Path, out: Path, sandbox: str) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    summary = run(cli_here, pdfs, out, "--sandbox", sandbox)
    assert texts(out) == {
        "a.pdf": "outer",
        "a.pdf!/b.pdf": "middle",
        "a.pdf!/b.pdf!/c.pdf": "inner",
    }
    assert (summary["sources"], summary["ok"]) == (3, 3)
    named = json.loads(lines(out)["a.pdf"]["attachments"])
    assert [(each["name"], each["is_pdf"]) for each in named] == [
        ("b.pdf", True),
        ("note.txt", False),
    ]
    assert named[1]["bytes"] == len(b"no PDF")


def test_nobody_reads_them_by_default(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    assert cli_here("run", pdfs, "-o", out).returncode == 0
    assert list(texts(out)) == ["a.pdf"]


def test_they_are_unchanged_as_long_as_their_file_is(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    run(cli_here, pdfs, out)
    again = run(cli_here, pdfs, out)
    assert (again["sources"], again["unchanged"], again["ok"]) == (3, 3, 0)
    (pdfs / "a.pdf").touch()  # another time, and the same content
    again = run(cli_here, pdfs, out)
    assert (again["sources"], again["unchanged"], again["ok"]) == (3, 3, 0)
    assert len(read_lines(out / "pages.jsonl")) == 3


def test_they_are_found_in_a_file_that_was_ingested_without_them(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    assert cli_here("run", pdfs, "-o", out).returncode == 0
    summary = run(cli_here, pdfs, out)
    assert (summary["sources"], summary["unchanged"], summary["ok"]) == (3, 1, 2)
    assert len(texts(out)) == 3


def test_they_are_gone_when_their_file_has_them_no_more_or_is_gone(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    (pdfs / "a.pdf").write_bytes(pdf("one", ("b.pdf", pdf("b")), ("c.pdf", pdf("c"))))
    (pdfs / "other.pdf").write_bytes(pdf("other"))
    run(cli_here, pdfs, out)
    (pdfs / "a.pdf").write_bytes(pdf("two", ("c.pdf", pdf("c"))))
    summary = run(cli_here, pdfs, out)
    assert summary["gone"] == 1
    assert lines(out)["a.pdf!/b.pdf"]["status"] == "gone"
    assert summary["sources"] == summary["ok"] + summary["unchanged"] == 3
    (pdfs / "a.pdf").unlink()
    summary = run(cli_here, pdfs, out, "--max-gone", "90%")
    assert (summary["sources"], summary["gone"]) == (1, 2)


def test_one_that_cannot_be_read_costs_no_other(cli_here: Cli, pdfs: Path, out: Path) -> None:
    attached = (
        ("bad.pdf", b"no PDF at all"),
        ("good.pdf", pdf("good")),
        ("cut.pdf", b"%PDF-1.7 nothing"),
    )
    (pdfs / "a.pdf").write_bytes(pdf("outer", *attached))
    summary = run(cli_here, pdfs, out, code=1)
    assert (summary["ok"], summary["failed"]) == (2, 2)
    assert lines(out)["a.pdf!/bad.pdf"]["failure"] == "not_pdf"
    retried = run(cli_here, pdfs, out, "--retry-failed", code=1)
    assert (retried["sources"], retried["failed"]) == (2, 2)


def test_a_nested_one_that_failed_is_tried_again(cli_here: Cli, pdfs: Path, out: Path) -> None:
    (pdfs / "a.pdf").write_bytes(pdf("o", ("b.pdf", pdf("m", ("bad.pdf", b"no PDF")))))
    run(cli_here, pdfs, out, code=1)
    retried = run(cli_here, pdfs, out, "--retry-failed", code=1)
    assert (retried["sources"], retried["failed"]) == (1, 1)


def test_attachments_stay_where_their_file_is_read_by_an_engine_that_knows_none(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    run(cli_here, pdfs, out)
    summary = run(cli_here, pdfs, out, "--engine", "pypdf")
    assert (summary["gone"], summary["ok"]) == (0, 1)


def test_names_that_are_the_same_or_hostile_are_told_apart(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    names = ("same.pdf", "samf.pdf", "../../up.pdf", "x!/y.pdf")
    content = pdf("o", *((name, pdf(f"{n}")) for n, name in enumerate(names)))
    (pdfs / "a.pdf").write_bytes(content.replace(b"samf.pdf", b"same.pdf"))
    summary = run(cli_here, pdfs, out)
    assert summary["ok"] == 5
    assert set(texts(out)) == {
        "a.pdf", "a.pdf!/same.pdf", "a.pdf!/same.pdf~2", "a.pdf!/../../up.pdf",
        r"a.pdf!/x!\x2fy.pdf",
    }  # fmt: skip
    assert not list(pdfs.parent.glob("**/up.pdf"))


def test_levels_beyond_the_limit_are_reported(cli_here: Cli, pdfs: Path, out: Path) -> None:
    content = pdf("deepest")
    for level in range(MOST_LEVELS + 1):
        content = pdf(f"level {level}", ("in.pdf", content))
    (pdfs / "a.pdf").write_bytes(content)
    summary = run(cli_here, pdfs, out, code=1)
    assert (summary["ok"], summary["failed"]) == (1 + MOST_LEVELS, 1)
    (lost,) = [line for line in lines(out).values() if line["status"] == "failed"]
    assert lost["failure"] == "too_large"
    assert lost["message"].startswith("1 attachment not read")


def test_those_of_an_encrypted_file_are_read_by_its_password(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    made = FPDF()
    made.add_page()
    made.embed_file(bytes=pdf("secret"), basename="in.pdf")
    made.set_encryption(owner_password="o", user_password="u")
    made.output(str(pdfs / "a.pdf"))
    run(cli_here, pdfs, out, "--password", "u")
    assert [*texts(out).values()] == ["", "secret"]


def test_records_come_without_a_directory_and_by_document_too(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    (pdfs / "a.pdf").write_bytes(NESTED)
    done = cli_here("run", pdfs, "-o", "-", "-q", "--attachments")
    sources = [json.loads(line)["source"] for line in done.stdout.splitlines()]
    assert sources == ["a.pdf", "a.pdf!/b.pdf", "a.pdf!/b.pdf!/c.pdf"]
    run(cli_here, pdfs, out, "--unit", "document")
    assert len(read_lines(out / "documents.jsonl")) == 3
    assert not list((out / ".pdfingest").glob("spool/*"))


def test_a_file_that_is_called_like_an_attachment_costs_it_nothing(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    (pdfs / "a.pdf").write_bytes(pdf("outer", ("b.pdf", pdf("within"))))
    (pdfs / "a.pdf!").mkdir()
    (pdfs / "a.pdf!" / "b.pdf").write_bytes(pdf("beside"))
    assert run(cli_here, pdfs, out)["ok"] == 3
    assert sorted(texts(out).values()) == ["beside", "outer", "within"]
    again = run(cli_here, pdfs, out)
    assert (again["unchanged"], again["gone"]) == (3, 0)


def attachments(count: int) -> Sequence[Attachment]:
    return [Attachment(f"{n % 7}.pdf", n, is_pdf=n % 3 != 0) for n in range(count)]


@pytest.mark.parametrize("room", [0, 5, MOST_SOURCES])
def test_of_the_attached_pdfs_as_many_as_there_is_room_for_are_sources(room: int) -> None:
    source = Source("dir!/a.pdf", "a.pdf")
    found = list(members(source, attachments(60), room))
    assert len([each for each in found if not each.error]) == min(room, 40)
    assert len([each for each in found if each.error]) == (room < 40)
    assert max(Counter(each.name for each in found).values()) == 1
    assert all(top(each) == source.name for each in found if not each.error)
    assert all(attachments(60)[each.inside[0]].is_pdf for each in found if not each.error)
