"""The paths that every child of a run may read beside the file of its job. Runs in the parent."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from importlib.util import find_spec

_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/nix/store",
    "/gnu/store",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/dev/urandom",
)
"""Shared libraries, and what the C library and Python look up by themselves, but no settings."""
_OWN_PACKAGE = "pdfingest"


def readable_paths(modules: Sequence[str], data: Sequence[str] = ()) -> tuple[str, ...]:
    """Return what Python, its libraries, and engines in these modules are read from.

    Args:
        modules: names of the modules.
        data: more paths that the engines need.

    Returns:
        Directories and files, none of them beneath another.
    """
    private = _private_folders()
    own = [path for path in map(os.path.realpath, sys.path) if path not in private]
    paths = {
        os.path.realpath(path)
        for path in (*_system_paths(), *_engine_folders(modules), *data)
        if path
    }
    found = sorted(path for path in (*paths, *own) if os.path.exists(path))
    trees: list[str] = []
    for path in found:
        if not any(path == tree or path.startswith(f"{tree}/") for tree in trees):
            trees.append(path)
    return tuple(trees)


def _private_folders() -> set[str]:
    """Return entries of `sys.path` that Python adds by itself, and that may be the user's home."""
    folders = {os.path.realpath(os.curdir)}
    if main := getattr(sys.modules.get("__main__"), "__file__", None):
        folders.add(os.path.dirname(os.path.realpath(main)))
    return folders


def _system_paths() -> Iterator[str]:
    """Yield what an import may need beside `sys.path`: libraries, and pdfingest itself."""
    yield from _SYSTEM
    for prefix in dict.fromkeys((sys.prefix, sys.base_prefix, sys.exec_prefix)):
        yield f"{prefix}/lib"
        yield f"{prefix}/lib64"
    yield from os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    yield os.path.dirname(os.path.dirname(__file__))


def _engine_folders(modules: Sequence[str]) -> Iterator[str]:
    """Yield the folders of engines of other packages, even if that is the current directory."""
    for module in modules:
        package = module.partition(".")[0]
        if package != _OWN_PACKAGE:
            with suppress(ImportError, ValueError):  # reported when it is imported
                if spec := find_spec(package):
                    for path in spec.submodule_search_locations or [spec.origin or ""]:
                        yield os.path.dirname(path)
