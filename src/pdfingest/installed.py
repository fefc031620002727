"""Versions of installed packages, whose distributions are the place to ask."""

from importlib import metadata


def version_of(distribution: str) -> str:
    """Return the version of an installed distribution.

    `metadata.version` reads the same line of the same file, with the parser of e-mails, whose
    import takes 7 ms of a start.

    Raises:
        PackageNotFoundError: it is not installed.
    """
    found = metadata.distribution(distribution)
    head, _, _ = (found.read_text("METADATA") or "").partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    return fields.get("Version") or found.version
