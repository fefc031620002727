"""Folders that an agent may have ingested, and the PDFs below them.

Owns that no path outside of them is read, not by `..` and not by a symbolic link. A file is checked
where discovery finds it, and is then opened by its real path, so that a link that is changed later
leads nowhere else. Whoever can replace folders below an allowed one while a run reads it can still
lead it out.
"""

import os
from collections.abc import Iterator, Sequence

from pdfingest.errors import UsageError
from pdfingest.run.discover import discover, is_below
from pdfingest.run.found import Found
from pdfingest.text import printable, source_name


class Allowed:
    """Folders that PDFs may be read from.

    Args:
        folders: paths of directories.

    Raises:
        UsageError: one of them is not a directory.
    """

    def __init__(self, folders: Sequence[str]) -> None:
        for each in folders:
            if not os.path.isdir(each):
                raise UsageError(f"--allow {printable(each)}: it is not a directory.")
        self.folders = tuple(os.path.realpath(each) for each in folders)
        try:
            self.base = os.path.commonpath(self.folders) if self.folders else ""
        except ValueError:  # different drives on Windows
            self.base = ""

    def find(self, inputs: Sequence[str]) -> Iterator[Found]:
        """Find the PDFs of inputs, each named relative to `base`, whatever the inputs are.

        Args:
            inputs: files and directories, absolute or relative to `base`.

        Raises:
            UsageError: an input does not exist, or is outside of the folders.
        """
        # All are checked before the first is searched.
        for path in [self._checked(each) for each in inputs]:
            for found in discover((), [path]):
                real = os.path.realpath(found.path)
                name = source_name(os.path.relpath(found.path, self.base or os.sep))
                if self._has(real):
                    yield found._replace(name=name, path=real)
                else:
                    yield Found(name, found.path, found.size_bytes, _LEADS_OUT)

    def _checked(self, given: str) -> str:
        """Return the real path of an input."""
        shown = printable(given, 200)
        where = ", ".join(map(printable, self.folders))
        try:
            path = os.path.realpath(os.path.join(self.base, given))
        except ValueError:  # no system call accepts it, as it has a NUL or is not Unicode
            raise UsageError(f"{shown} is not a path. Name files or folders in {where}.") from None
        if not self._has(path):
            raise UsageError(
                f"{shown} is outside of the folders that may be ingested: {where}. Name files or "
                f"folders in them. The operator of this server may allow more with --allow."
            )
        if not os.path.exists(path):
            raise UsageError(f"{shown} does not exist. Name files or folders in {where}.")
        return path

    def _has(self, real: str) -> bool:
        """Whether a real path is below a folder, or is one."""
        return any(real == each or is_below(real, each) for each in self.folders)


_LEADS_OUT = "it is a link that leads outside of the folders that may be ingested"
