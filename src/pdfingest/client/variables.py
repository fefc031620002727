"""The variables of the environment that the client reads, where it is not told otherwise."""

URL, API_KEY = "PDFINGEST_URL", "PDFINGEST_API_KEY"
