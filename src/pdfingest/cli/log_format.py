"""How log lines look; apart from `log`, so that `--help` needs no more than this."""

from enum import StrEnum


class LogFormat(StrEnum):
    """How log lines look."""

    TEXT = "text"
    JSON = "json"
