"""One invocation of `pdfingest mcp`: what it serves, its log, and how a signal ends it."""

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from pdfingest.cli.log import LogView, log_service
from pdfingest.cli.signals import end_at_once, stop_on_signals
from pdfingest.cli.wanted import Wanted
from pdfingest.errors import EngineUnavailableError, ExitCode, NoInputError, OptionError
from pdfingest.output.states import States, folders_of
from pdfingest.text import printable


def serve(wanted: Wanted, output: str, allow: Sequence[str], most_chars: int) -> None:
    """Serve until stdin ends, or until a signal, which ends the program here.

    Args:
        wanted: options of the runs that agents ask for.
        output: their output directory, and that of earlier runs.
        allow: folders that agents may have ingested.
        most_chars: most characters of text in one answer.

    Raises:
        EngineUnavailableError: the extra `mcp` is not installed.
        UsageError: a folder does not exist.
        NoInputError: no run wrote into the output directory, and none may be started.
    """
    try:
        from pdfingest.agents.server import make_server
    except ModuleNotFoundError as error:
        raise EngineUnavailableError(
            f"the server for agents needs {error.name}. Run: pip install 'pdfingest[mcp]'"
        ) from error
    from pdfingest.agents.allowed import Allowed
    from pdfingest.agents.index import Index
    from pdfingest.agents.ingestion import Ingestion
    from pdfingest.agents.reader import Reader
    from pdfingest.agents.search import Search

    options = replace(wanted.options, output=output)
    if options.to_stdout:
        raise OptionError(["DIR"], "must be a directory: stdout is for the protocol.")
    if not allow and not folders_of(output):
        raise NoInputError(
            f"{printable(output)} holds no output of a run. Name what --output named, or let "
            "agents ingest PDFs with --allow FOLDER."
        )
    log_service()
    listeners = [] if wanted.view.quiet else [LogView(verbose=wanted.view.verbose)]
    ingestion = Ingestion(Allowed(allow), options, listeners)
    with ExitStack() as stack:
        stop = stack.enter_context(stop_on_signals())
        opened = stack.enter_context(ExitStack())
        reader = Reader(opened.enter_context(States(output)), most_chars)
        states, index = opened.enter_context(States(output)), opened.enter_context(Index(output))

        def end() -> None:
            code = stop.exit_code or ExitCode.TERMINATED
            ingestion.stop(code)
            with suppress(Exception):  # a tool may be at work with what is closed here
                opened.close()  # removes temporary files
            end_at_once(code)  # the thread that reads stdin would be waited for

        stop.wake = end
        make_server(reader, Search(states, index), ingestion).run("stdio")
