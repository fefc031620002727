"""`pdfingest mcp`; what it does is in `mcp_session`."""

from typing import Annotated

import typer

from pdfingest.cli.declared import default_of, taking
from pdfingest.cli.messages import use
from pdfingest.cli.wanted import Wanted, read_options

_OF_INGEST = (
    *("config", "engine", "format", "unit", "chunk_tokens", "chunk_overlap", "tokenizer"),
    *("ocr", "ocr_lang", "attachments", "tables"),
    *("password", "password_file", "timeout", "page_timeout", "workers", "memory_limit"),
    *("memory_budget", "max_output", "max_pages", "sandbox", "duplicates", "max_gone", "wait"),
    *("log_format", "quiet", "verbose"),
)
"""Options of a run that those have which agents ask for."""


@taking(read_options, _OF_INGEST)
def mcp(
    wanted: Wanted,
    output: Annotated[
        str, typer.Argument(metavar="DIR", help="Output directory of runs.")
    ] = default_of("output"),
    *,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FOLDER",
            help="Let agents ingest PDFs below this folder into DIR; repeatable. Without it they "
            "can only read.",
        ),
    ] = None,
    max_chars: Annotated[
        int, typer.Option(min=1000, metavar="N", help="Most characters of text in one answer.")
    ] = 40_000,
) -> None:
    """Serve an output directory to AI agents, by the Model Context Protocol on stdin and stdout.

    Agents can search the text of the PDFs, read pages and see what failed. The other options are
    those of run, for what agents ingest.
    """
    use(wanted.view.log_format)
    from pdfingest.cli import mcp_session

    mcp_session.serve(wanted, output, allow or [], max_chars)
