"""Use pdfingest from a program: the records as they come, and what failed.

python examples/use_as_library.py examples
"""

import sys

from pdfingest import Failed, Finished, IngestOptions, Listener, Summary, stream


class Failures(Listener):
    """Prints what failed."""

    def on_finished(self, finished: Finished, summary: Summary) -> None:
        """Called once for each source."""
        if isinstance(finished.outcome, Failed):
            print(f"{finished.source.name}: {finished.outcome.failure}", file=sys.stderr)


def main() -> None:
    """Print the length of each page."""
    for record in stream(sys.argv[1:], IngestOptions(), listeners=[Failures()]):
        metadata = record["metadata"]
        print(record["id"], metadata["file_name"], metadata["page"], metadata["char_count"])


if __name__ == "__main__":  # on Windows, children import this module too
    main()
