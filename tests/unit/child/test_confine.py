"""What is said where nobody can enter the sandbox."""

import sys

import pytest

from pdfingest.child.sandbox import confine
from pdfingest.errors import SandboxError


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxError, match=r"this is darwin.*--sandbox auto"):
        confine.check()
    confine.prepare()


@pytest.mark.skipif(sys.platform != "linux", reason="it is made of parts of Linux")
def test_a_missing_library_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdfingest.child.sandbox import seccomp  # noqa: PLC0415 - needs Linux

    monkeypatch.setattr(seccomp, "_LIBRARY", "libabsent.so.2")
    seccomp.program.cache_clear()  # what fails is not kept
    with pytest.raises(SandboxError, match=r"no seccomp \(libabsent.so.2"):
        confine.check()


@pytest.mark.skipif(sys.platform != "linux", reason="it is made of parts of Linux")
def test_a_landlock_that_cannot_keep_files_from_being_emptied_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pdfingest.child.sandbox import landlock  # noqa: PLC0415 - needs Linux

    monkeypatch.setattr(landlock, "version", lambda: 2)
    with pytest.raises(SandboxError, match=r"no Landlock .*its version is 2"):
        confine.check()
