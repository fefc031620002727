"""A store gives back what it was given, whole, by its own keys only, and forgets what is old.

It is made where nothing else is, and whatever else comes there later it leaves alone.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from conftest import environment
from pdfingest.errors import OutputError, UsageError
from pdfingest.service.contents import FOLDERS, MARK, result_key, upload_key
from pdfingest.service.store import Store, open_store
from pdfingest.service.ticket import new_id

from .conftest import PROGRAM, Buckets, none_is_open

pytestmark = pytest.mark.service
DAY_S = 86_400


@dataclass(frozen=True)
class Place:
    """Where a store is, or shall be, and a way to see and to change what is there."""

    address: str
    put: Callable[[str, bytes], None]
    delete: Callable[[str], None]
    names: Callable[[], list[str]]

    def open(self) -> Store:
        return open_store(self.address)


def directory(path: Path) -> Place:
    def put(key: str, content: bytes) -> None:
        (path / key).parent.mkdir(parents=True, exist_ok=True)
        (path / key).write_bytes(content)

    def names() -> list[str]:
        return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())

    return Place(str(path), put, lambda key: (path / key).unlink(), names)


def prefix(buckets: Buckets, folder: str) -> Place:
    bucket, start = buckets.make(), f"{folder}/" if folder else ""
    return Place(
        f"s3://{bucket}/{folder}",
        lambda key, content: buckets.put(bucket, f"{start}{key}", content),
        lambda key: buckets.delete(bucket, f"{start}{key}"),
        lambda: [key.removeprefix(start) for key in buckets.keys(bucket)],
    )


@pytest.fixture(params=["directory", "s3", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Nothing yet: a directory that is not there, a prefix, and a whole bucket."""
    if request.param == "directory":
        return directory(tmp_path / "store")
    return prefix(
        request.getfixturevalue("buckets"), "a folder/50%" if request.param == "s3" else ""
    )


@pytest.fixture
def store(place: Place) -> Store:
    return place.open()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a store."""
    open_store(str(tmp_path / "store"))
    return tmp_path / "store"


def put(store: Store, key: str, content: bytes = b"content") -> None:
    path = os.path.join(store.scratch, new_id())
    Path(path).write_bytes(content)
    store.put(key, path)
    assert not os.path.exists(path)


def make_old(path: Path) -> Path:
    if not os.path.lexists(path):
        path.write_bytes(b"")
    long_ago = time.time() - 2 * DAY_S
    os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    return path


def test_what_was_put_is_read_and_fetched(store: Store, tmp_path: Path) -> None:
    key, content = result_key(new_id()), os.urandom(3 << 20)
    put(store, key, content)
    assert b"".join(store.read(key)) == content
    assert Path(store.fetch(key, str(tmp_path / "copy"))).read_bytes() == content
    put(store, key, b"newer")
    assert b"".join(store.read(key)) == b"newer"


def test_what_was_deleted_is_not_there(store: Store, tmp_path: Path) -> None:
    key = upload_key(new_id())
    put(store, key)
    store.delete(key)
    store.delete(key)
    with pytest.raises(FileNotFoundError):
        store.read(key)
    with pytest.raises(FileNotFoundError):
        store.fetch(key, str(tmp_path / "copy"))


def test_what_is_old_is_deleted_and_what_is_new_stays(store: Store) -> None:
    keys = [result_key(new_id()), result_key(new_id()), upload_key(new_id())]
    for key in keys:
        put(store, key)
    assert store.expire(60, none_is_open) == 0
    assert store.expire(-60, none_is_open) == 3
    assert store.expire(-60, none_is_open) == 0
    for key in keys:
        with pytest.raises(FileNotFoundError):
            store.read(key)


def test_a_store_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    (tmp_path / "store" / "results").rmdir()
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(OutputError, match="cannot store results/"):
        store.put(result_key(new_id()), str(tmp_path / "a"))
    with pytest.raises(OutputError, match="cannot look through the store"):
        store.expire(60, none_is_open)


@pytest.mark.parametrize(
    "key",
    [
        *("../secret", "/etc/passwd", "uploads/../../x.pdf", "results/a", MARK, "scratch/clock"),
        f"scratch/{'0' * 32}",
        *(f"other/{'0' * 32}.pdf", f"uploads/{'0' * 32}.jsonl", f"uploads/{'0' * 32}.pdf\n"),
    ],
)
def test_no_other_key_is_read_or_deleted(place: Place, key: str) -> None:
    store = place.open()
    before = place.names()
    with pytest.raises(FileNotFoundError):
        store.read(key)
    store.delete(key)
    assert place.names() == before


OTHERS = [
    *("report.pdf", "uploads/report.pdf", f"uploads/{'A' * 32}.pdf", f"uploads/{'0' * 33}.pdf"),
    *(f"uploads/{'0' * 32}.jsonl", f"results/{'0' * 32}.pdf", f"results/in/{'0' * 32}.jsonl"),
    *(
        "scratch/notes.txt",
        "scratch/job-notes/a.txt",
        f"{'0' * 32}.pdf",
        f"in/uploads/{'0' * 32}.pdf",
    ),
]


def test_files_of_others_are_never_deleted(place: Place) -> None:
    store = place.open()
    for key in OTHERS:
        place.put(key, b"theirs")
    put(store, upload_key(new_id()))
    assert store.expire(-60, none_is_open) == 1
    assert set(OTHERS) <= set(place.names())
    place.open()  # it has its mark


@pytest.mark.parametrize(
    "key",
    ["report.pdf", ".hidden", "uploads/report.pdf", upload_key("0" * 32), "a/b/c", "results/x"],
)
def test_a_place_that_holds_something_else_is_refused_and_left_as_it_is(
    place: Place, key: str
) -> None:
    place.put(key, b"theirs")
    with pytest.raises(UsageError, match="not empty and not a store of pdfingest") as refusal:
        place.open()
    assert f"{place.address.rstrip('/')}/pdfingest-store" in str(refusal.value)
    assert place.names() == [key]


def test_a_bucket_with_a_key_that_cannot_be_a_path_is_refused(buckets: Buckets) -> None:
    place = prefix(buckets, "in")
    place.put("a//b", b"theirs")
    with pytest.raises(UsageError, match="not empty"):
        place.open()
    assert place.names() == ["a//b"]


def test_a_store_is_marked_when_it_is_made(place: Place) -> None:
    place.open()
    assert place.names() == [MARK]
    place.open()
    assert place.names() == [MARK]


def test_a_store_of_an_earlier_version_is_taken_over(place: Place) -> None:
    kept = [upload_key("0" * 32), result_key("1" * 32)]
    for key in kept:
        place.put(key, b"earlier")
    if not place.address.startswith("s3://"):
        place.put("scratch/left", b"")
    store = place.open()
    assert MARK in place.names()
    assert [b"".join(store.read(key)) for key in kept] == [b"earlier"] * 2


def test_a_new_volume_counts_as_empty(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    open_store(str(tmp_path))
    assert (tmp_path / MARK).is_file()


def test_folders_that_a_console_made_count_as_empty(buckets: Buckets) -> None:
    place = prefix(buckets, "in")
    for key in ("", "uploads/", "results/"):
        place.put(key, b"")
    place.open()
    assert MARK in place.names()


def test_many_may_make_the_same_store_at_the_same_time(place: Place) -> None:
    def begin(_: int) -> None:
        put(place.open(), upload_key(new_id()))

    with ThreadPoolExecutor(8) as parts:
        list(parts.map(begin, range(24)))
    keys = place.names()
    assert (min(keys), len(keys)) == (MARK, 25)


@pytest.mark.parametrize("made", range(len(FOLDERS) + 1))
def test_a_store_that_was_half_made_is_made(tmp_path: Path, made: int) -> None:
    for name in FOLDERS[:made]:
        (tmp_path / name).mkdir()
    if made == len(FOLDERS):
        (tmp_path / "scratch" / new_id()).write_bytes(b"half a mark")
    open_store(str(tmp_path))
    assert (tmp_path / MARK).is_file()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"1", b"{}", b"\xff", b"[" * 100_000])
def test_a_damaged_mark_is_a_usage_error_until_it_is_deleted(place: Place, content: bytes) -> None:
    place.put(MARK, content)
    with pytest.raises(UsageError, match=f"{MARK} in .* is damaged.*delete that file"):
        place.open()
    place.delete(MARK)
    place.open()


def test_a_store_of_a_newer_version_is_refused(place: Place) -> None:
    place.put(MARK, json.dumps({"pdfingest_store": 2}).encode())
    with pytest.raises(UsageError, match=r"has format 2, .* knows format 1\."):
        place.open()


def test_a_mark_need_not_be_written_twice(folder: Path) -> None:
    (folder / MARK).chmod(0o400)
    written = (folder / MARK).stat()
    open_store(str(folder))
    found = (folder / MARK).stat()  # to read it may change st_atime, and nothing else
    assert (found.st_ino, found.st_size) == (written.st_ino, written.st_size)
    assert (found.st_mtime_ns, found.st_ctime_ns) == (written.st_mtime_ns, written.st_ctime_ns)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_that_is_a_link_is_refused_and_not_followed(
    tmp_path: Path, folder: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    ending = {"uploads": ".pdf", "results": ".jsonl"}.get(name, "")
    theirs = make_old(elsewhere / f"{new_id()}{ending}")
    store = open_store(str(folder))
    (folder / name).rmdir()
    (folder / name).symlink_to(elsewhere)
    with pytest.raises(OutputError, match=f"{name} is a link"):
        store.expire(DAY_S, none_is_open)
    with pytest.raises(OutputError, match=f"{name} is a link"):
        open_store(str(folder))
    assert theirs.exists()


def test_links_in_the_folders_are_neither_followed_nor_deleted(
    tmp_path: Path, folder: Path
) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    file = make_old(theirs / "a.pdf")
    names = (upload_key(new_id()), "scratch/job-abcdefgh", result_key(new_id()))
    links = [folder / name for name in names]
    for link, target in zip(links, (file, theirs, theirs), strict=True):
        link.symlink_to(target)
        make_old(link)
    left = folder / "scratch" / "job-12345678"
    left.mkdir()
    (left / "link").symlink_to(theirs)
    make_old(left / "link")
    make_old(left)
    assert open_store(str(folder)).expire(DAY_S, none_is_open) == 1
    assert not left.exists()
    assert file.exists()
    assert all(link.is_symlink() for link in links)


def test_a_folder_with_the_name_of_a_file_is_not_deleted(folder: Path) -> None:
    theirs = folder / upload_key(new_id())
    theirs.mkdir()
    make_old(theirs)
    assert open_store(str(folder)).expire(DAY_S, none_is_open) == 0
    assert theirs.exists()


def test_what_a_killed_part_left_is_deleted_when_it_is_old(folder: Path) -> None:
    scratch, store = folder / "scratch", open_store(str(folder))
    left = scratch / "job-abcd1234"
    left.mkdir()
    (left / "records.jsonl").write_bytes(b"half")
    upload = scratch / f"{new_id()}.part"
    upload.write_bytes(b"half")
    make_old(left)
    assert store.expire(DAY_S, none_is_open) == 0, "the job is writing"
    assert left.exists()
    make_old(left / "records.jsonl")
    make_old(left)
    assert store.expire(DAY_S, none_is_open) == 1
    make_old(upload)
    assert store.expire(DAY_S, none_is_open) == 1
    assert list(scratch.iterdir()) == []


def test_an_upload_that_is_still_coming_is_kept_however_long_it_takes(folder: Path) -> None:
    store = open_store(str(folder))
    path = folder / "scratch" / f"{new_id()}.part"
    with open(path, "wb", buffering=0) as file:
        file.write(b"first")
        make_old(path)
        file.write(b"more")
        assert store.expire(DAY_S, none_is_open) == 0
        file.write(b"last")
    key = upload_key(new_id())
    store.put(key, str(path))
    assert store.expire(DAY_S, none_is_open) == 0
    assert b"".join(store.read(key)) == b"firstmorelast"


@pytest.mark.parametrize("years", [-30, 30])
def test_a_machine_with_a_wrong_clock_deletes_nothing_that_is_new_and_all_that_is_old(
    place: Place, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    store, key = place.open(), upload_key(new_id())
    put(store, key)
    wrong_s = time.time() + years * 365 * DAY_S
    with monkeypatch.context() as machine:
        machine.setattr(time, "time", lambda: wrong_s)
        assert store.expire(60, none_is_open) == 0
        assert store.expire(-60, none_is_open) == 1


def test_more_objects_than_a_request_takes_are_all_deleted(buckets: Buckets) -> None:
    place = prefix(buckets, "many")
    store = place.open()
    for number in range(1100):
        place.put(upload_key(f"{number:032x}"), b"")
    place.put("uploads/theirs.pdf", b"")
    assert store.expire(-60, none_is_open) == 1100
    assert set(place.names()) == {MARK, "scratch/clock", "uploads/theirs.pdf"}


def test_keys_beside_the_folders_are_not_even_listed(buckets: Buckets) -> None:
    place = prefix(buckets, "in")
    store = place.open()
    put(store, upload_key(new_id()))
    place.put("a//b", b"a listing ends here")
    assert store.expire(-60, none_is_open) == 1


def test_several_workers_may_delete_at_the_same_time(place: Place) -> None:
    store = place.open()
    for _ in range(40):
        put(store, upload_key(new_id()))
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda _: place.open().expire(-60, none_is_open), range(4)))
    assert not [key for key in place.names() if key.startswith("uploads/")]


@pytest.mark.parametrize(
    "address",
    [
        "S3://bucket/store",
        "s3://bucket/a//b",
        "s3://bucket/%2e%2e",
        "https://host/a",
        "file:///tmp/store",
    ],
)
def test_an_address_that_cannot_be_read_is_a_usage_error(address: str) -> None:
    with pytest.raises(UsageError, match="PDFINGEST_STORE"):
        open_store(address)


@pytest.mark.usefixtures("buckets")
def test_a_bucket_that_is_not_there_is_an_output_error() -> None:
    with pytest.raises(OutputError, match=r"look into the store s3://none/a: .*bucket") as told:
        open_store("s3://none/a")
    assert "\n" not in str(told.value)


def test_a_place_that_is_a_file_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot make the store"):
        open_store(str(tmp_path / "file"))


def test_a_file_in_the_place_of_a_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_bytes(b"theirs")
    with pytest.raises(OutputError, match=r"uploads is a link, or not a directory"):
        open_store(str(tmp_path))
    assert os.listdir(tmp_path) == ["uploads"]


@pytest.mark.parametrize("part", ["serve", "worker"])
def test_a_part_of_the_service_ends_with_a_usage_error_before_it_touches_anything(
    tmp_path: Path, part: str
) -> None:
    (tmp_path / "thesis.pdf").write_bytes(b"theirs")
    done = subprocess.run(
        [*PROGRAM, part],
        env=environment(PDFINGEST_STORE=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "it holds 'thesis.pdf'. Set PDFINGEST_STORE to an empty or a new place" in done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == ["thesis.pdf"]
