"""How the parent starts the process that talks to the network."""

import os
import subprocess
import sys
from importlib.util import find_spec

from pdfingest.errors import EngineUnavailableError

_MODULE = "pdfingest.remote.network"


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start the process, with pipes for its stdin and stdout.

    Raises:
        EngineUnavailableError: obstore is not installed.
        OSError: there is no process or descriptor to be had.
    """
    if not is_installed():
        raise EngineUnavailableError(
            "package obstore, which reads from stores and the web, is not installed. "
            "Run: pip install 'pdfingest[cloud]'"
        )
    # It finds modules where this process does, though an option or a program may have changed that.
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(  # noqa: S603 - this program
        [sys.executable, "-m", _MODULE, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path, "PYTHONSAFEPATH": "1"},
        start_new_session=os.name == "posix",  # a Ctrl-C is for this process alone
    )


def is_installed() -> bool:
    """Return whether obstore is installed; does not import it."""
    return find_spec("obstore") is not None
