"""The main job, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import CORPUS, ROOT, Cli, make_pdf, read_lines, shape
from pdfingest.exchange.record import record_id

EXAMPLES = ROOT / "examples" / "pdfs"
ENCRYPTED = ROOT / "examples" / "broken" / "encrypted.pdf"
PASSWORD = "correct horse"
STORY = (
    "The lighthouse keeper wrote down every ship that passed the northern cape. Some nights there "
    "were none, and he wrote that down as well, because an empty line is also an observation."
)
WORDS = {
    ("pages.pdf", 1): f"This is the first page, number 1. {STORY}",
    ("pages.pdf", 2): f"This is the second page, number 2. {STORY}",
    ("pages.pdf", 3): f"This is the third page, number 3. {STORY} Harbour office",
    ("pages.pdf", 4): "",
    ("scan.pdf", 1): "",
    ("outline.pdf", 1): "Preface of the labelled book",
    ("outline.pdf", 2): "Contents of the labelled book",
    ("outline.pdf", 3): "Chapter one of the labelled book",
    ("outline.pdf", 4): "Chapter two of the labelled book",
    ("outline.pdf", 5): "Appendix of the labelled book",
    ("encrypted.pdf", 1): "Nobody reads this without the password.",
    ("form.pdf", 1): "Name of the ship: Halcyon",
    ("scripts.pdf", 1): (
        "Смотритель маяка записывал каждый корабль. Ο φύλακας του φάρου έγραφε κάθε πλοίο. "
        "Strażnik latarni, naïve façade, Ærøskøbing 灯台守はすべての船を記録した "
        "燈塔看守人記下了每一艘船"
    ),
    ("table.pdf", 1): "Month Ships Tons January 17 40210 February 9 18450 March 23 61875",
}
"""What went in, in reading order."""
COLUMNS = f"Left column begins here. {STORY} {STORY} {STORY} Right column begins here. {STORY}"


@pytest.mark.parametrize("engine", ["auto", "pdfium", "pypdf", "pdfplumber"])
def test_the_words_of_the_examples_come_out(
    cli: Cli, examples: Path, out: Path, engine: str
) -> None:
    done = cli("run", examples, "-o", out, "--engine", engine, "--password", PASSWORD)
    assert done.returncode == 1
    records = {
        (record["source"], record["metadata"]["page"]): record
        for record in read_lines(out / "pages.jsonl")
    }
    # Chinese and Japanese have no spaces, which some engines have at line ends all the same.
    words = {key: "".join(record["text"].split()) for key, record in records.items()}
    del words["columns.pdf", 1]
    assert words == {key: "".join(text.split()) for key, text in WORDS.items()}
    columns = records["columns.pdf", 1]["text"]
    assert sorted(columns.split()) == sorted(COLUMNS.split())
    assert [records["outline.pdf", page]["metadata"]["page_label"] for page in range(1, 6)] == [
        "i", "ii", "1", "2", "A-1",
    ]  # fmt: skip
    needs_ocr = {key for key, record in records.items() if record["metadata"]["needs_ocr"]}
    assert needs_ocr == {("scan.pdf", 1)}
    assert records["pages.pdf", 3]["links"] == ["https://example.org/harbour"]
    first = records["pages.pdf", 1]["metadata"]
    assert (first["title"], first["author"]) == ("The keeper's log", "Ada Example")
    assert (first["created"], first["language"]) == ("2026-01-02T03:04:05Z", "en-GB")
    assert first["total_pages"] == 4
    failures = {
        line["source"]: line["failure"]
        for line in read_lines(out / "report.jsonl")
        if line["failure"]
    }
    assert failures == {"broken.pdf": "malformed", "not-a-pdf.pdf": "not_pdf"}


def test_an_encrypted_file_says_whether_a_password_was_tried(cli_here: Cli, out: Path) -> None:
    cli_here("run", ENCRYPTED, "-o", out)
    (line,) = read_lines(out / "report.jsonl")
    assert (line["failure"], "none given" in line["message"]) == ("encrypted", True)
    cli_here("run", ENCRYPTED, "-o", out, "--password", "wrong", "--password", "also wrong")
    _, line = read_lines(out / "report.jsonl")
    assert (line["failure"], "2 tried" in line["message"]) == ("encrypted", True)
    for name in ("report.jsonl", "summary.json"):
        assert "also wrong" not in (out / name).read_text()


@pytest.mark.parametrize(
    ("env", "toml"),
    [
        ({"PDFINGEST_PASSWORD": PASSWORD}, ""),
        ({"PDFINGEST_PASSWORD": f"wrong\n{PASSWORD}\n"}, ""),
        ({}, f'password = "{PASSWORD}"'),
        ({}, f'password = ["wrong", "{PASSWORD}"]'),
        ({}, 'password-file = "passwords.txt"'),
    ],
    ids=["variable", "variable of two lines", "file", "list in a file", "file of passwords"],
)
def test_a_password_may_have_blanks_wherever_it_comes_from(
    cli_here: Cli, tmp_path: Path, env: dict[str, str], toml: str
) -> None:
    (tmp_path / "cwd" / "pdfingest.toml").write_text(toml)
    (tmp_path / "cwd" / "passwords.txt").write_text(f"{PASSWORD}\n", encoding="utf-8-sig")
    assert cli_here("run", ENCRYPTED, "-q", env=env).returncode == 0


def test_a_flag_from_the_environment_is_as_good_as_one_on_the_command_line(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf")
    done = cli_here("run", pdfs, "-o", out, env={"PDFINGEST_DRY_RUN": "1"})
    assert (done.stdout, out.exists()) == ("a.pdf\n", False)
    assert cli_here("run", pdfs, "-o", out, env={"PDFINGEST_QUIET": "true"}).stderr == ""
    done = cli_here(
        "run", pdfs, "-o", out, env={"PDFINGEST_FORCE": "yes", "PDFINGEST_VERBOSE": "on"}
    )
    assert "status=ok" in done.stderr
    done = cli_here("run", pdfs, "-o", out, "-v", env={"PDFINGEST_RETRY_FAILED": "timeout,crashed"})
    assert "planned sources=0" in done.stderr


def test_a_rerun_gives_the_same_records(cli: Cli, out: Path) -> None:
    def records() -> list[bytes]:
        assert cli("run", EXAMPLES, "-o", out, "--fail-on", "never").returncode == 0
        return sorted((out / "pages.jsonl").read_bytes().splitlines())

    assert records() == records()


def test_a_document_record_holds_its_pages_at_their_offsets(cli_here: Cli, out: Path) -> None:
    done = cli_here("run", EXAMPLES, "-o", out, "--unit", "document", "--fail-on", "never")
    assert done.returncode == 0
    cli_here("run", EXAMPLES, "-o", out, "--fail-on", "never")
    pages = read_lines(out / "pages.jsonl")
    documents = read_lines(out / "documents.jsonl")
    assert {d["source"] for d in documents} == {p["source"] for p in pages}
    for document in documents:
        assert document["id"] == record_id(document["source"], document["metadata"]["sha256"])
        assert document["metadata"]["page"] == 0
        assert document["metadata"]["char_count"] == len(document["text"])
        ends = [*document["page_offsets"][1:], len(document["text"]) + 2]
        texts = [
            document["text"][start : end - 2]
            for start, end in zip(document["page_offsets"], ends, strict=True)
        ]
        own = [page["text"] for page in pages if page["source"] == document["source"]]
        assert texts == own
    assert len({json.dumps(shape(document)) for document in documents}) == 1


def test_a_lost_page_keeps_its_place_in_the_offsets_of_a_document(
    cli: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=3, page=2, fault="raises")
    done = cli("run", path, "-o", "-", "--unit", "document", "--engine", "faulty", "-q")
    document = json.loads(done.stdout)
    assert document["text"] == "page 1 of a.pdf\n\npage 3 of a.pdf"
    assert document["page_offsets"] == [0, 17, 17]  # empty, where the next one starts


def test_auto_asks_pypdf_where_pdfium_cannot_open_the_file(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    # Without %PDF- PDFium refuses the file; pypdf reads it all the same.
    whole = make_pdf(pdfs / "a.pdf").read_bytes()
    (pdfs / "a.pdf").write_bytes(b"%QDF-" + whole[5:])
    assert cli_here("run", pdfs, "-o", out).returncode == 0
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["engine"]) == ("ok", "pypdf")
    (record,) = read_lines(out / "pages.jsonl")
    assert (record["metadata"]["engine"], record["text"].strip()) == ("pypdf", "Hello")


def test_stdout_carries_records_only(cli: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf", ["one", "two"])
    done = cli("run", pdfs, "-o", "-")
    texts = [json.loads(line)["text"].strip() for line in done.stdout.splitlines()]
    assert texts == ["one", "two"]
    assert "ok" in done.stderr
    assert list((pdfs.parent / "cwd").iterdir()) == []


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["run"], 2, "INPUT"),
        (["run", "--nonsense", "."], 2, "nonsense"),
        (["run", "nowhere.pdf"], 2, "nowhere.pdf"),
        (["run", "--workers", "0", "."], 2, "workers"),
        (["run", "--files-from", "nowhere.txt"], 2, "nowhere.txt"),
        (["run", "--password-file", "nowhere.txt", "."], 2, "nowhere.txt"),
        (["run", "."], 3, "no PDF found"),
        (["run", "*.pdf"], 3, "no PDF found"),
        (["run", str(EXAMPLES), "--engine", "nonsuch"], 4, "nonsuch"),
        (["run", str(EXAMPLES), "--engine", "absent"], 4, "module_that_is_not_there"),
        (["run", str(EXAMPLES), "-o", "/dev/null/out"], 4, "/dev/null/out"),
    ],
)
def test_what_cannot_work_says_so_and_exits_with_its_code(
    cli_here: Cli, args: list[str], code: int, message: str
) -> None:
    done = cli_here(*args)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_spool_that_cannot_grow_stops_the_run(
    cli: Cli, faulty: Callable[..., Path], out: Path
) -> None:
    resource = pytest.importorskip("resource")
    path = faulty("a.pdf", text="x" * 1000, times=1000)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = cli("run", path, "-o", out, "--engine", "faulty", preexec_fn=limit)
    assert done.returncode == 4
    assert "cannot write the spool" in done.stderr
    assert (out / "pages.jsonl").read_bytes() == b""


def test_a_dry_run_lists_and_writes_nothing(cli_here: Cli, pdfs: Path, out: Path) -> None:
    make_pdf(pdfs / "b.pdf")
    make_pdf(pdfs / "sub" / "a\n.pdf")
    done = cli_here("run", pdfs, "-o", out, "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["b.pdf", "sub/a\\n.pdf"]
    assert "2 files" in done.stderr
    assert not out.exists()


def test_sources_are_named_relative_to_what_their_inputs_share(cli_here: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / "x" / "same.pdf")
    make_pdf(pdfs / "y" / "deep" / "same.pdf")

    def names(*inputs: str | Path) -> list[str]:
        listing: str = cli_here("run", *inputs, "--dry-run").stdout
        return listing.splitlines()

    assert names(pdfs) == ["x/same.pdf", "y/deep/same.pdf"]
    assert names(pdfs / "x", pdfs / "y") == ["x/same.pdf", "y/deep/same.pdf"]
    assert names(pdfs / "x" / "same.pdf") == ["same.pdf"]
    assert names(f"{pdfs}/**/*.pdf") == ["x/same.pdf", "y/deep/same.pdf"]
    assert names(f"{pdfs}/y/**/*.pdf") == ["deep/same.pdf"]
    assert names(f"{pdfs}/*") == ["x/same.pdf", "y/deep/same.pdf"]


def test_a_flag_goes_before_the_environment_and_that_before_a_file(
    cli_here: Cli, pdfs: Path
) -> None:
    make_pdf(pdfs / "a.pdf")
    (pdfs.parent / "cwd" / "pdfingest.toml").write_text('output = "from-file"\n')

    def outputs(*args: str, **env: str) -> set[str]:
        cli_here("run", pdfs, *args, env=env)
        return {path.name for path in (pdfs.parent / "cwd").iterdir()} - {"pdfingest.toml"}

    assert outputs() == {"from-file"}
    assert outputs(PDFINGEST_OUTPUT="from-env") == {"from-file", "from-env"}
    assert outputs("-o", "flag", PDFINGEST_OUTPUT="x") == {"from-file", "from-env", "flag"}


def test_log_lines_can_be_json(cli_here: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    done = cli_here("run", pdfs, "--log-format", "json", "--verbose")
    events = [json.loads(line) for line in done.stderr.splitlines()]
    assert [event["event"] for event in events] == ["planned", "finished", "summary"]
    assert events[-1]["ok"] == 1


def test_quiet_says_nothing(cli: Cli, pdfs: Path) -> None:
    make_pdf(pdfs / "a.pdf")
    done = cli("run", pdfs, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_summary_adds_up(cli_here: Cli, examples: Path, out: Path) -> None:
    cli_here("run", examples, "-o", out)
    summary = json.loads((out / "summary.json").read_text())
    report = read_lines(out / "report.jsonl")
    assert summary["sources"] == len(report) == summary["ok"] + summary["failed"]
    assert summary["pages"] == len(read_lines(out / "pages.jsonl"))
    assert summary["chars"] == sum(line["chars"] for line in report)
    assert summary["peak_rss_bytes"]["max"] == max(line["peak_rss_bytes"] for line in report)
    for line in report:
        assert line["peak_rss_bytes"] >= line["baseline_rss_bytes"] > 0


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS.exists(), reason=f"{CORPUS} is not there")
def test_real_files_all_have_their_line_and_every_line_one_shape(cli: Cli, out: Path) -> None:
    folders = (CORPUS / "real", CORPUS / "tests")
    done = cli("run", *folders, "-o", out, timeout=300)
    assert done.returncode in (0, 1)
    assert "Traceback" not in done.stderr
    found = sum(path.suffix.lower() == ".pdf" for folder in folders for path in folder.rglob("*"))
    report = read_lines(out / "report.jsonl")
    assert len(report) == len({line["source"] for line in report}) == found
    assert done.returncode == any(line["failure"] for line in report)
    records = read_lines(out / "pages.jsonl")
    assert len(records) == sum(line["pages"] for line in report)
    for lines in (report, records):
        assert len({json.dumps(shape(line)) for line in lines}) == 1
    for record in records:
        assert not set("\x00\ufffe") & set(record["text"])
        record["text"].encode("utf-8")
