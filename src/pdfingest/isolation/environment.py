"""The environment variables that a child has, in one list, and no others.

An engine that a file has taken over can read its own environment, and there the parent may have
passwords and keys. Imports next to nothing, as it is needed before all else.
"""

import os
from collections.abc import Collection

VARIABLES = (
    *("LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "TZ"),  # how names and times are read
    *("TMPDIR", "TEMP", "TMP"),  # for engines that write where there is no sandbox
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH"),  # where libraries are found
    *("SYSTEMROOT", "WINDIR"),  # without which Windows starts nothing
    *("PYTHONHOME", "PYTHONPATH", "PYTHONPLATLIBDIR", "PYTHONUSERBASE", "PYTHONNOUSERSITE"),
    *("PYTHONSAFEPATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE", "PYTHONUTF8"),
    *("PYTHONHASHSEED", "PYTHONMALLOC", "PYTHONGIL"),
    *("GLIBC_TUNABLES", "MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"),  # of engines that compute
    "TESSDATA_PREFIX",  # where the languages of OCR are
    *("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"),
)
"""All of them, if the parent has them."""


def child_environment() -> dict[str, str]:
    """Give the environment of a child, made of that of this process. Runs in the parent."""
    return {name: os.environ[name] for name in VARIABLES if name in os.environ}


def forget_variables(more: Collection[str] = ()) -> None:
    """Leave this process the variables of a child, where it was started with those of its parent.

    Args:
        more: names of those that it has beside the usual ones.

    Runs in a spawned child. What the system shows of its first environment stays
    (/proc/pid/environ); a zygote is started with no others.
    """
    for name in os.environ.keys() - {*VARIABLES, *more}:
        del os.environ[name]
