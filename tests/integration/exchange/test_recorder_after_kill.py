"""The flight recorder outlives the child that wrote it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from pdfingest.exchange.recorder import Playback, Recorder


def test_notes_and_stack_outlive_a_kill(tmp_path: Path) -> None:
    playback = Playback(str(tmp_path / "recorder"))
    code = (
        "import os, signal, sys, faulthandler\n"
        "from pdfingest.exchange.recorder import Recorder\n"
        "recorder = Recorder(sys.argv[1], 3)\n"
        "recorder.note(0, 5, 6, 7)\n"
        "faulthandler.dump_traceback(recorder.fileno())\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, playback.path], check=False, timeout=30)
    assert done.returncode == -signal.SIGKILL
    note = playback.read(3)
    assert note is not None
    assert note.page == 5
    assert 'File "<string>", line 5' in playback.stack()
    recorder = Recorder(playback.path, 4)
    assert playback.stack() == ""
    os.close(recorder.fileno())
    playback.close()
