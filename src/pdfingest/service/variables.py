"""The names of the settings, for programs that know them without the libraries of the service."""

PREFIX = "PDFINGEST_"
NAMES = (
    "redis_url",
    "store",
    "api_keys_file",
    "lanes",
    "engine",
    "ocr",
    "ocr_lang",
    "timeout",
    "page_timeout",
    "memory_budget",
    "max_output",
    "max_pages",
    "sandbox",
    "max_upload",
    "max_queue",
    "max_queue_per_key",
    "rate",
    "keep",
    "max_attempts",
    "lease",
    "source_prefixes",
    "webhook_hosts",
    "webhook_secret",
    "cors_origins",
    "root_path",
)
"""The fields of `settings.Settings`; each has a variable, its name in capitals behind `PREFIX`."""
