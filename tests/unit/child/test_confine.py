"""What needs no run: who may enter, and what is said where nobody can."""

import os
import subprocess
import sys
import tempfile

import pytest

from pdfingest.child.sandbox import confine
from pdfingest.errors import SandboxError

ENTER = """
import os, sys
from pdfingest.model import Job, Limits, Sandbox, Source, Unit
from pdfingest.child.sandbox import confine
confine.prepare()
if os.geteuid() == 0:
    os.setuid(65534)
spool = sys.argv[1]
confine.enter(Job(Source("a", "/a"), (), (), Unit.PAGE, Limits(0, 0, 0), spool, Sandbox.REQUIRE))
try:
    os.rename(spool, spool + ".new")
except PermissionError:
    os._exit(7)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is made of parts of Linux")
def test_it_takes_no_privilege_to_enter() -> None:
    try:
        confine.check()
    except SandboxError as error:
        pytest.skip(str(error))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        command = [sys.executable, "-c", ENTER, f"{folder}/spool"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr


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
