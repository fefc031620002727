"""`--unit chunk`: records that an embedding model takes as a whole."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import Cli, make_pdf, read_lines, shape
from pdfingest.exchange.said import LISTED

pytestmark = pytest.mark.usefixtures("starts")


def chunks(cli: Cli, *args: Any) -> list[dict[str, Any]]:
    done = cli("run", *args, "-o", "-", "-q", "--unit", "chunk", "--fail-on", "never")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_chunks_say_all_that_their_document_says(cli_here: Cli, examples: Path, out: Path) -> None:
    args = ("--format", "markdown", "--tables", "--fail-on", "never")
    cli_here("run", examples, "-o", out, "--unit", "document", *args)
    found = chunks(cli_here, examples, "--chunk-tokens", "40", *args[:3])
    documents = read_lines(out / "documents.jsonl")
    assert {each["source"] for each in found} == {each["source"] for each in documents}
    assert len(found) > len(documents) + 5
    assert len({json.dumps(shape(each)) for each in found}) == 1
    assert len({each["id"] for each in found}) == len(found)
    for document in documents:
        own = [each for each in found if each["source"] == document["source"]]
        for number, chunk in enumerate(own, 1):
            metadata = chunk["metadata"]
            place = slice(metadata["chunk_start"], metadata["chunk_end"])
            assert chunk["text"] == document["text"][place]
            assert (metadata["chunk"], metadata["tokenizer"]) == (number, "gpt-4o")
            assert metadata["char_count"] == len(chunk["text"])
            page = max(metadata["page"], 1)
            assert chunk["id"] == f"{document['id']}:p{page:04d}:c{number:04d}"
            assert document["page_offsets"][page - 1] <= place.start
        for name in LISTED:
            listed = [item for each in own for item in json.loads(each[name])]
            assert listed == json.loads(document[name])
        assert [link for each in own for link in each["links"]] == document["links"]
        needs_ocr = [each["metadata"]["needs_ocr"] for each in own]
        assert any(needs_ocr) == document["metadata"]["needs_ocr"]


def test_a_chunk_names_the_page_that_it_begins_on(cli_here: Cli, pdfs: Path) -> None:
    texts = ["One ship came in.", "Two of them left.", "Three stayed here.", "All others sank."]
    found = chunks(cli_here, make_pdf(pdfs / "a.pdf", texts), "--chunk-tokens", "16")
    assert [each["metadata"]["page"] for each in found] == [1, 4]
    before, after = (each["metadata"] for each in found)
    assert before["chunk_end"] < after["chunk_start"]


def test_a_document_without_text_has_one_empty_chunk(cli_here: Cli, pdfs: Path) -> None:
    (chunk,) = chunks(cli_here, make_pdf(pdfs / "a.pdf", ["", ""]))
    assert (chunk["text"], chunk["metadata"]["page"]) == ("", 1)
    assert chunk["metadata"]["text_source"] == "none"


def test_a_page_that_kills_its_child_costs_the_chunks_its_text_alone(
    cli: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=3, page=2, fault="sigkill")
    (chunk,) = chunks(cli, path, "--engine", "faulty", "--sandbox", "require")
    assert chunk["text"] == "page 1 of a.pdf\n\npage 3 of a.pdf"


def test_the_time_of_a_page_is_not_that_of_all_chunks(
    cli: Cli, faulty: Callable[..., Path]
) -> None:
    path = faulty("a.pdf", pages=30, text="x" * 1024, times=64)  # three seconds of tokens
    found = chunks(cli, path, "--engine", "faulty", "--page-timeout", "1")
    assert found[-1]["metadata"]["page"] == 30


def test_chunks_that_exceed_the_output_are_a_failure_that_says_so(
    cli_here: Cli, pdfs: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf", ["Some words of this page, and more of them. " * 8] * 3)
    args = ("--unit", "chunk", "--chunk-tokens", "16", "--max-output", "8K")
    assert cli_here("run", pdfs, "-o", out, *args).returncode == 1
    (line,) = read_lines(out / "report.jsonl")
    assert (line["status"], line["failure"]) == ("failed", "too_large")
    assert "--max-output" in line["message"]


def tokenizer(path: Path, words: list[str]) -> Path:
    """Write a tokenizer of Hugging Face that knows some words."""
    vocabulary = {word: number for number, word in enumerate(["[UNK]", *words])}
    model = {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"}
    splits = {"type": "Whitespace"}
    path.write_text(json.dumps({"version": "1.0", "model": model, "pre_tokenizer": splits}))
    return path


def test_a_tokenizer_may_be_a_file(cli: Cli, pdfs: Path, tmp_path: Path) -> None:
    path = make_pdf(pdfs / "a.pdf", ["one two three four five " * 10])
    file = tokenizer(tmp_path / "elsewhere.json", ["one", "two"])
    args = ("--tokenizer", file, "--chunk-tokens", "20", "--sandbox", "require")
    found = chunks(cli, path, *args)
    assert [len(each["text"].split()) for each in found] == [20, 20, 10]
    assert found[0]["metadata"]["tokenizer"].startswith("elsewhere.json:")


def test_the_hash_of_a_tokenizer_counts_and_not_its_place(
    cli_here: Cli, pdfs: Path, tmp_path: Path, out: Path
) -> None:
    make_pdf(pdfs / "a.pdf", ["one two three"])

    def state(file: Path) -> str:
        cli_here("run", pdfs, "-o", out, "--unit", "chunk", "--tokenizer", file,
                 "--report-unchanged")  # fmt: skip
        return str(read_lines(out / "report.jsonl")[-1]["status"])

    (tmp_path / "other").mkdir()
    assert state(tokenizer(tmp_path / "t.json", ["one"])) == "ok"
    assert state(tokenizer(tmp_path / "other" / "t.json", ["one"])) == "unchanged"
    assert state(tokenizer(tmp_path / "t.json", ["two"])) == "ok"


@pytest.mark.parametrize(
    ("args", "code", "reason"),
    [
        (("--tokenizer", "gpt-99"), 4, "there is no tokenizer 'gpt-99'"),
        (("--tokenizer", "no/such.json"), 2, "--tokenizer: cannot be read"),
        (("--chunk-overlap", "512"), 2, "--chunk-overlap: must be less than 512"),
        (("--chunk-tokens", "15"), 2, "--chunk-tokens: must be 16 or more"),
        (("--unit", "page", "--chunk-tokens", "20"), 2, "no meaning without --unit chunk"),
    ],
)
def test_what_cannot_be_cut_is_said_before_the_first_file(
    cli: Cli, pdfs: Path, out: Path, args: tuple[str, ...], code: int, reason: str
) -> None:
    make_pdf(pdfs / "a.pdf", ["one"])
    done = cli("run", pdfs, "-o", out, "--unit", "chunk", *args)
    assert (done.returncode, reason in done.stderr) == (code, True), done.stderr
    assert not (out / "chunks.jsonl").exists() or not (out / "chunks.jsonl").read_bytes()
