"""What an export may be told; apart from what it does, as every command imports this."""

from enum import StrEnum

SHARD_BYTES = 256 << 20
"""What readers that share files out among processes take well."""


class Target(StrEnum):
    """Tools in whose shapes records are written."""

    PARQUET = "parquet"
    LANGCHAIN = "langchain"
    LLAMAINDEX = "llamaindex"
    HAYSTACK = "haystack"
    DATATROVE = "datatrove"
    DOLMA = "dolma"
