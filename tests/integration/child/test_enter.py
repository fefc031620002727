"""Who may enter the sandbox, in a process that can be spared."""

import os
import subprocess
import sys
import tempfile

import pytest

from pdfingest.child.sandbox import confine
from pdfingest.errors import SandboxError

ENTER = """
import os, sys
from pdfingest.job import Job, Limits, Sandbox
from pdfingest.model import Source, Unit
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
        pytest.skip(f"{error}")  # it names the part that this kernel lacks, so nothing can enter
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        command = [sys.executable, "-c", ENTER, f"{folder}/spool"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
