"""`pdfingest run`; what it does is in `run_session`."""

import gc

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.messages import say, use
from pdfingest.cli.wanted import Wanted, read_options
from pdfingest.errors import UsageError
from pdfingest.shard import is_array_task


@taking(read_options)
def run(wanted: Wanted) -> None:
    """Ingest PDFs: one fresh process a file, records to JSONL, a report line for every file."""
    if not wanted.inputs and not wanted.files_from:
        raise UsageError(
            "INPUT is missing: name files, directories or quoted globs. See: pdfingest run --help"
        )
    from pdfingest.cli import run_session

    use(wanted.view.log_format)
    gc.freeze()  # what is loaded by now stays, so collections need not look through it
    gc.enable()
    if wanted.options.shard is None and is_array_task():
        say(
            "warning",
            "this is one of several tasks, but takes all files. --shard auto takes its share.",
        )
    start = run_session.list_plan if wanted.dry_run else run_session.ingest_in_view
    raise typer.Exit(start(wanted))
