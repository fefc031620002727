"""What a fork cannot share with its image is told."""

import os
import sys
import threading

import pytest

from pdfingest.isolation import loading

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc, as Linux has it")
MANY = 1000


def test_a_device_that_is_open_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_DEVICES", ("/dev/zero",))
    assert loading._unshared(MANY) == ""
    device = os.open("/dev/zero", os.O_RDONLY)
    try:
        assert loading._unshared(MANY) == "has taken /dev/zero, which a fork cannot use"
    finally:
        os.close(device)


def test_threads_beyond_those_that_are_allowed_are_told() -> None:
    count, end = threading.active_count(), threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        assert "threads, which a fork does not have" in loading._unshared(count)
    finally:
        end.set()
        thread.join()
