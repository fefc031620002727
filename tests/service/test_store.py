"""A store gives back what it was given, whole, by its own keys only, and forgets what is old."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pdfingest.errors import OutputError
from pdfingest.service.jobs import new_id
from pdfingest.service.store import DirectoryStore, ObjectStore, Store, result_key, upload_key

pytestmark = pytest.mark.service


@pytest.fixture(params=["directory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "directory":
        yield DirectoryStore(str(tmp_path / "store"))
        return
    pytest.importorskip("obstore")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    given = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
    }
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value)
        import httpx  # noqa: PLC0415 - an extra

        bucket = f"b{new_id()}"  # what other tests made lives as long as the process
        assert httpx.put(f"{url}/{bucket}").is_success
        store = ObjectStore(f"s3://{bucket}/prefix")
        yield store
        store.close()
    server.stop()


def put(store: Store, key: str, content: bytes) -> None:
    path = os.path.join(store.scratch, new_id())
    Path(path).write_bytes(content)
    store.put(key, path)
    assert not os.path.exists(path)


def test_what_was_put_is_read_and_fetched(store: Store, tmp_path: Path) -> None:
    key, content = result_key(new_id()), os.urandom(3 << 20)
    put(store, key, content)
    assert b"".join(store.read(key)) == content
    assert Path(store.fetch(key, str(tmp_path / "copy"))).read_bytes() == content
    put(store, key, b"newer")
    assert b"".join(store.read(key)) == b"newer"


def test_what_was_deleted_is_not_there(store: Store, tmp_path: Path) -> None:
    key = upload_key(new_id())
    put(store, key, b"content")
    store.delete(key)
    store.delete(key)
    with pytest.raises(FileNotFoundError):
        store.read(key)
    with pytest.raises(FileNotFoundError):
        store.fetch(key, str(tmp_path / "copy"))


def test_what_is_old_is_deleted_and_what_is_new_stays(store: Store) -> None:
    key = result_key(new_id())
    put(store, key, b"content")
    assert store.expire(60) == 0
    assert store.expire(-60) == 1
    with pytest.raises(FileNotFoundError):
        store.read(key)


def test_a_store_that_is_gone_is_told(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path / "store"))
    (tmp_path / "store" / "results").rmdir()
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(OutputError, match="cannot store results/"):
        store.put(result_key(new_id()), str(tmp_path / "a"))


@pytest.mark.parametrize("key", ["../secret", "/etc/passwd", "uploads/../../x.pdf", "results/a"])
def test_a_directory_opens_no_path_that_is_not_a_key(tmp_path: Path, key: str) -> None:
    store = DirectoryStore(str(tmp_path / "store"))
    with pytest.raises(FileNotFoundError):
        store.read(key)


def test_what_a_killed_worker_left_is_deleted_when_it_is_old(tmp_path: Path) -> None:
    store = DirectoryStore(str(tmp_path / "store"))
    left = Path(store.scratch) / "job-x"
    left.mkdir()
    (left / "records.jsonl").write_bytes(b"half")
    assert store.expire(60) == 0
    assert left.exists()
    assert store.expire(-60) == 1
    assert not left.exists()
    assert Path(store.scratch).exists()
