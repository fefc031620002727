"""Files of object stores and of the web: what `run` does with them."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from conftest import Cli, environment, make_pdf, read_lines, wait_for
from pdfingest.remote import process

from .conftest import Buckets

pytestmark = pytest.mark.service
pytest.importorskip("obstore")


@dataclass
class Site:
    """A web server of a test."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    asked: Counter[str] = field(default_factory=Counter[str])
    """How often each path was asked for by GET."""
    statuses: dict[str, int] = field(default_factory=dict[str, int])
    heads: dict[str, int] = field(default_factory=dict[str, int])
    """What a path answers to HEAD, where that is not what it answers to GET."""
    stalled: set[str] = field(default_factory=set[str])
    """Paths that begin to answer, and then say nothing more."""


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of files, which counts."""
    served = Site()
    goes_on = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._begin(served.heads.get(self.path.partition("?")[0]))

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            served.asked[self.path] += 1
            content = self._begin()
            if path in served.stalled:
                self.wfile.write(content[:100])
                self.wfile.flush()
                goes_on.wait(60)
            else:
                self.wfile.write(content)

        def _begin(self, status: int | None = None) -> bytes:
            path = self.path.partition("?")[0]
            content = served.files.get(path, b"")
            known = served.statuses.get(path, 200 if content else 404)
            self.send_response(status or known)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hash(content)}"')
            self.end_headers()
            return content

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield served
    goes_on.set()
    server.shutdown()
    server.server_close()


def pdf(folder: Path, *texts: str) -> bytes:
    return make_pdf(folder / "made.pdf", texts).read_bytes()


def states(out: Path) -> dict[str, str]:
    """How each source ended last."""
    lines = read_lines(out / "report.jsonl")
    return {line["source"]: line["failure"] or line["status"] for line in lines}


@pytest.fixture
def bucket(buckets: Buckets, tmp_path: Path) -> str:
    """A bucket with a folder of PDFs, and what does not count."""
    name = buckets.make()
    for key in ("in/a.pdf", "in/sub/b.PDF", "in/sub/c ü%20.pdf", "in/.hidden.pdf", "in/.x/d.pdf",
                "in/text.txt", "in2/other.pdf"):  # fmt: skip
        buckets.put(name, key, pdf(tmp_path, f"This is {key.partition('.')[0]}"))
    return name


def test_objects_are_ingested_as_files_of_a_directory_are(
    cli: Cli, bucket: str, out: Path, tmp_path: Path
) -> None:
    done = cli("run", f"s3://{bucket}/in", "-o", out, "--sandbox", "auto")
    assert done.returncode == 0, done.stderr
    assert states(out) == dict.fromkeys(["a.pdf", "sub/b.PDF", "sub/c ü%20.pdf"], "ok")
    local = tmp_path / "local"
    make_pdf(local / "a.pdf", ["This is in/a"])
    make_pdf(local / "sub" / "b.PDF", ["This is in/sub/b"])
    cli("run", local, "-o", tmp_path / "other")
    texts = {record["source"]: record["text"] for record in read_lines(out / "pages.jsonl")}
    for record in read_lines(tmp_path / "other" / "pages.jsonl"):
        assert texts[record["source"]] == record["text"]


def test_what_is_unchanged_is_not_downloaded_and_what_is_gone_is_forgotten(
    cli: Cli, bucket: str, buckets: Buckets, out: Path, tmp_path: Path
) -> None:
    run = ("run", f"s3://{bucket}/in/", "-o", out, "--report-unchanged")
    cli(*run)
    # Where nothing is to be downloaded, no room for it is needed.
    assert cli(*run, "--scratch", "1").returncode == 0
    assert set(states(out).values()) == {"unchanged"}
    buckets.put(bucket, "in/a.pdf", pdf(tmp_path, "This is new"))
    buckets.delete(bucket, "in/sub/b.PDF")
    assert cli(*run).returncode == 0
    assert states(out) == {"a.pdf": "ok", "sub/b.PDF": "gone", "sub/c ü%20.pdf": "unchanged"}


def test_sources_of_another_place_are_not_gone(
    cli: Cli, bucket: str, buckets: Buckets, out: Path, pdfs: Path
) -> None:
    make_pdf(pdfs / "here.pdf")
    cli("run", f"s3://{bucket}/in/", "-o", out)
    assert cli("run", pdfs, "-o", out).returncode == 0
    assert cli("run", f"s3://{bucket}/in2/", "-o", out, "--report-unchanged").returncode == 0
    assert "gone" not in states(out).values()
    for key in ("in/a.pdf", "in/sub/b.PDF", "in/sub/c ü%20.pdf"):
        buckets.delete(bucket, key)
    done = cli("run", f"s3://{bucket}/in/", "-o", out)
    assert (done.returncode, "Nothing was forgotten" in done.stderr) == (4, True)


def test_a_bucket_that_cannot_be_listed_ends_the_run_before_it_begins(
    cli: Cli, buckets: Buckets, out: Path
) -> None:
    del buckets
    done = cli("run", "s3://no-such-bucket/in/", "-o", out)
    assert (done.returncode, "cannot be listed" in done.stderr) == (4, True)
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


def test_lists_name_objects_and_files_of_the_web_and_each_is_accounted_for(
    cli: Cli, bucket: str, site: Site, pdfs: Path, out: Path, tmp_path: Path
) -> None:
    local = make_pdf(pdfs / "here.pdf")
    site.files = {"/a.pdf": pdf(tmp_path, "web"), "/closed.pdf": b"x"}
    site.statuses = {"/closed.pdf": 403}
    wanted = {
        f"s3://{bucket}/in/a.pdf": "ok",
        f"s3://{bucket}/in/none.pdf": "unreadable",
        f"s3://{bucket}/../up.pdf": "unreadable",
        f"{site.url}/a.pdf": "ok",
        f"{site.url}/closed.pdf": "unreadable",
        f"{site.url}/none.pdf": "unreadable",
    }
    names = tmp_path / "names"
    names.write_text("\n".join([*wanted, str(local), "http://u:secret@127.0.0.1/x.pdf"]))
    done = cli("run", "--files-from", names, "-o", out)
    assert done.returncode == 1
    found = states(out)
    assert found.pop(str(local)) == "ok"
    assert found.pop("http://127.0.0.1/x.pdf") == "unreadable"
    assert b"secret" not in (out / "report.jsonl").read_bytes()
    assert found == wanted
    assert "404" in done.stderr
    assert "403" in done.stderr


def test_a_file_of_the_web_that_is_unchanged_is_not_asked_for_again(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    site.files = {"/a.pdf": pdf(tmp_path, "web")}
    for _ in range(2):
        assert cli("run", f"{site.url}/a.pdf", "-o", out).returncode == 0
    assert site.asked == {"/a.pdf": 1}
    site.files = {"/a.pdf": pdf(tmp_path, "new")}
    assert cli("run", f"{site.url}/a.pdf", "-o", out).returncode == 0
    assert site.asked == {"/a.pdf": 2}
    assert read_lines(out / "pages.jsonl")[-1]["text"] == "new"


def test_a_signature_reaches_the_server_and_no_output(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    site.files = {"/a b.pdf": b"", "/a%20b.pdf": pdf(tmp_path, "web")}
    urls = [f"{site.url}/a%20b.pdf?secret-{each}" for each in ("one%2F", "two")]
    done = cli("run", *urls, "-o", out)
    assert done.returncode == 0, done.stderr
    assert site.asked == {f"/a%20b.pdf?secret-{each}": 1 for each in ("one%2F", "two")}
    shown = [*(out / each for each in ("pages.jsonl", "report.jsonl", "summary.json"))]
    assert not any(b"secret" in each.read_bytes() for each in shown)
    assert len(states(out)) == 2


def test_a_download_that_hangs_costs_no_other_file(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    content = pdf(tmp_path, "web")
    site.files = {f"/{n}.pdf": content for n in range(20)}
    site.stalled = {"/7.pdf"}
    urls = [f"{site.url}{path}" for path in site.files]
    done = cli("run", *urls, "-o", out, "--timeout", "5")
    assert done.returncode == 1
    failed = {name: how for name, how in states(out).items() if how != "ok"}
    assert failed.keys() == {f"{site.url}/7.pdf"}
    assert set(failed.values()) <= {"store", "timeout"}
    assert len(states(out)) == 20


def test_what_has_no_room_is_too_large_and_the_others_wait_for_it(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    small = pdf(tmp_path, "web")
    site.files = {f"/{n}.pdf": small + b"\n" * n for n in range(12)}
    site.files["/large.pdf"] = small + b"\n" * 9000
    urls = [f"{site.url}{path}" for path in site.files]
    done = cli("run", *urls, "-o", out, "--scratch", str(3 * len(small)))
    assert done.returncode == 1
    assert {name for name, how in states(out).items() if how == "too_large"} == {
        f"{site.url}/large.pdf"
    }
    assert Counter(states(out).values())["ok"] == 12
    assert "--scratch" in done.stderr


def test_a_file_of_unknown_size_is_read_as_far_as_there_is_room(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    content = pdf(tmp_path, "web")
    site.files = {"/a.pdf": content, "/b.pdf": content + b"\n" * len(content)}
    site.heads = {"/a.pdf": 405, "/b.pdf": 403}
    urls = [f"{site.url}{path}" for path in site.files]
    cli("run", *urls, "-o", out, "--scratch", f"{4 * len(content) + 40}")
    assert states(out) == {urls[0]: "ok", urls[1]: "too_large"}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_more_is_begun_than_there_is_room_for(site: Site, out: Path, tmp_path: Path) -> None:
    content = pdf(tmp_path, "web")
    site.files = {f"/{n}.pdf": content for n in range(9)}
    site.stalled = set(site.files)
    urls = [f"{site.url}{path}" for path in site.files]
    with begun(*urls, "-o", out, "--scratch", str(3 * len(content))) as run:
        wait_for(lambda: site.asked.total() >= 3)
        time.sleep(0.5)
        run.kill()
    assert site.asked.total() == 3


def test_two_places_may_not_write_records_of_one_name(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    site.files = dict.fromkeys(("/a.pdf", "/sub/a.pdf"), pdf(tmp_path, "web"))
    assert cli("run", f"{site.url}/a.pdf", "-o", out).returncode == 0
    done = cli("run", f"{site.url}/sub/a.pdf", "-o", out)
    assert (done.returncode, "would replace the records" in done.stderr) == (2, True)


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, resource.RLIM_INFINITY))


def test_a_disk_without_room_for_a_copy_ends_the_run(
    cli: Cli, site: Site, out: Path, tmp_path: Path
) -> None:
    site.files = {"/a.pdf": pdf(tmp_path, "web") + b"\n" * (200 << 10)}
    done = cli("run", f"{site.url}/a.pdf", "-o", out, preexec_fn=limit_files)
    assert (done.returncode, "no room for a download" in done.stderr) == (4, True), done.stderr


def network(parent: int) -> list[int]:
    """The processes of a run that talk to the network."""
    found = []
    for each in Path("/proc").iterdir():
        try:
            words = (each / "cmdline").read_bytes().split(b"\0")
            above = int((each / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if above == parent and b"pdfingest.remote.network" in words and b"get" in words:
            found.append(int(each.name))
    return found


def copies(folder: Path) -> list[Path]:
    return [*folder.glob("pdfingest-scratch-*/sources/*.pdf")]


def begun(*args: str | Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "pdfingest", "run", *map(str, args)],
        env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def slow(site: Site, tmp_path: Path, files: int) -> list[str]:
    """Have a site with one file that stalls; gives the URLs."""
    content = pdf(tmp_path, "web")
    site.files = {f"/{n}.pdf": content + b"\n" * n for n in range(files)}
    site.stalled = {"/0.pdf"}
    return [f"{site.url}{path}" for path in site.files]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_death_of_the_process_that_downloads_costs_no_file(
    site: Site, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    urls = slow(site, tmp_path, 8)
    with begun(*urls, "-o", out, "--timeout", "20") as run:
        wait_for(lambda: site.asked["/0.pdf"] and network(run.pid))
        wait_for(lambda: len(copies(tmp_path)) == 1)  # those that are read are deleted
        site.stalled.clear()
        os.kill(network(run.pid)[0], signal.SIGKILL)
        _, told = run.communicate(timeout=60)
    assert run.returncode == 0, told
    assert Counter(states(out).values()) == {"ok": 8}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_downloads_no_more_is_ended_and_the_rest_goes_on(
    site: Site, out: Path, tmp_path: Path
) -> None:
    urls = slow(site, tmp_path, 20)
    with begun(*urls, "-o", out, "--timeout", "2") as run:
        wait_for(lambda: site.asked["/0.pdf"] and network(run.pid))
        os.kill(network(run.pid)[0], signal.SIGSTOP)
        site.stalled.clear()
        run.communicate(timeout=60)
    ended = Counter(states(out).values())
    assert ended.total() == 20
    assert set(ended) <= {"ok", "timeout"}
    assert 0 < ended["timeout"] <= 16


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_after_a_run_that_was_ended_nothing_is_left_and_the_next_accounts_for_all(
    site: Site, cli: Cli, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: int
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    urls = slow(site, tmp_path, 8)
    with begun(*urls, "-o", out, "--timeout", "50") as run:
        wait_for(lambda: site.asked["/0.pdf"] and network(run.pid))
        helper = network(run.pid)[0]
        began_s = time.monotonic()
        run.send_signal(how)
        run.wait(20)
    assert time.monotonic() - began_s < 5
    wait_for(lambda: not Path(f"/proc/{helper}").exists(), 5)
    site.stalled.clear()
    done = cli("run", *urls, "-o", out, "--report-unchanged")
    assert done.returncode == 0, done.stderr
    assert len(states(out)) == 8
    assert set(states(out).values()) <= {"ok", "unchanged"}
    assert not [each for each in tmp_path.iterdir() if "scratch" in each.name]


def test_an_output_must_be_here_and_says_why(cli_here: Cli, pdfs: Path) -> None:
    done = cli_here("run", pdfs, "-o", "s3://bucket/out")
    assert (done.returncode, "no object can be cut" in done.stderr) == (2, True)


def test_the_leak_test_compares_files_of_this_machine(cli_here: Cli) -> None:
    done = cli_here("bench", "s3://bucket/in/")
    assert (done.returncode, "bench reads files of this machine" in done.stderr) == (2, True)


def test_without_the_extra_it_says_what_to_install(
    cli_here: Cli, monkeypatch: pytest.MonkeyPatch, out: Path
) -> None:
    monkeypatch.setattr(process, "is_installed", lambda: False)
    done = cli_here("run", "s3://bucket/in/", "-o", out)
    assert (done.returncode, "pip install 'pdfingest[cloud]'" in done.stderr) == (4, True)
