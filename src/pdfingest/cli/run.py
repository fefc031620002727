"""`pdfingest run`: its options. What they do is in `session`, which `--help` does not import."""

import gc
from typing import Annotated

import typer

from pdfingest.cli.kinds import parse_kinds
from pdfingest.cli.log_format import LogFormat
from pdfingest.cli.messages import say, use
from pdfingest.cli.params import On, size
from pdfingest.errors import UsageError
from pdfingest.machine import available_cpus
from pdfingest.model import Sandbox, Unit
from pdfingest.options import FailOn, IngestOptions, Order
from pdfingest.shard import Shard, is_array_task


def run(  # noqa: PLR0913 - one parameter an option, as typer has it
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="INPUT...", help="Files, directories, quoted globs."),
    ] = None,
    *,
    files_from: Annotated[
        str | None,
        typer.Option(metavar="FILE|-", help="More inputs, one a line."),
    ] = None,
    null: Annotated[
        bool,
        typer.Option("--null", help="The list is separated by NUL."),
    ] = False,
    password: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT",
            envvar="PDFINGEST_PASSWORD",
            show_envvar=False,
            help="Tried on encrypted files; repeatable.",
        ),
    ] = None,
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            envvar="PDFINGEST_PASSWORD_FILE",
            show_envvar=False,
            help="Passwords, one a line; keeps them out of the process list.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR|-",
            envvar="PDFINGEST_OUTPUT",
            show_envvar=False,
            help="Output directory; - streams the records to stdout.",
        ),
    ] = "pdfingest-out",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            metavar="N",
            envvar="PDFINGEST_WORKERS",
            show_envvar=False,
            help="Files at a time. [default: the CPUs that this process may use]",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            envvar="PDFINGEST_ENGINE",
            show_envvar=False,
            help="auto (pdfium,pypdf), pdfplumber, one that a package adds, or several.",
        ),
    ] = "auto",
    unit: Annotated[
        Unit,
        typer.Option(envvar="PDFINGEST_UNIT", show_envvar=False, help="What one record holds."),
    ] = Unit.PAGE,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="S",
            envvar="PDFINGEST_TIMEOUT",
            show_envvar=False,
            help="Seconds that a file may take.",
        ),
    ] = 300.0,
    page_timeout: Annotated[
        float,
        typer.Option(
            metavar="S",
            envvar="PDFINGEST_PAGE_TIMEOUT",
            show_envvar=False,
            help="Seconds that a page may take.",
        ),
    ] = 60.0,
    memory_limit: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            envvar="PDFINGEST_MEMORY_LIMIT",
            show_envvar=False,
            help="Memory of a child.",
            show_default="its share of the budget",
        ),
    ] = "0",
    memory_budget: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            envvar="PDFINGEST_MEMORY_BUDGET",
            show_envvar=False,
            help="Memory of all children.",
            show_default="3/4 of what there is",
        ),
    ] = "0",
    max_output: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            envvar="PDFINGEST_MAX_OUTPUT",
            show_envvar=False,
            help="JSON that one file may yield.",
        ),
    ] = "1G",
    max_pages: Annotated[
        int,
        typer.Option(
            metavar="N",
            envvar="PDFINGEST_MAX_PAGES",
            show_envvar=False,
            help="Pages that a file may have.",
        ),
    ] = 1_000_000,
    sandbox: Annotated[
        Sandbox,
        typer.Option(
            envvar="PDFINGEST_SANDBOX",
            show_envvar=False,
            help="Keep children from the network and from other files, if possible, or else stop.",
        ),
    ] = Sandbox.AUTO,
    order: Annotated[
        Order,
        typer.Option(
            envvar="PDFINGEST_ORDER",
            show_envvar=False,
            help="What comes first: the largest, by name, or the newest.",
        ),
    ] = Order.SIZE,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N|auto",
            envvar="PDFINGEST_SHARD",
            show_envvar=False,
            help="A share of the files, into a part of the output; auto asks the scheduler.",
        ),
    ] = None,
    retry_failed: Annotated[
        str | None,
        typer.Option(
            metavar="[KIND,...]",
            help="Only files that an earlier run lost pages of, for any reason or for these.",
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Also files that are unchanged since an earlier run."),
    ] = False,
    checksum: Annotated[
        bool,
        typer.Option(
            "--checksum",
            envvar="PDFINGEST_CHECKSUM",
            show_envvar=False,
            help="Tell by hash what is unchanged, not by size and time.",
        ),
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            metavar="S",
            envvar="PDFINGEST_WAIT",
            show_envvar=False,
            help="Seconds to wait for another run on the same output.",
        ),
    ] = 0.0,
    max_peak: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            envvar="PDFINGEST_MAX_PEAK",
            show_envvar=False,
            help="A gate: exit code 5 if the peak of a file exceeds this.",
        ),
    ] = None,
    require_flat: Annotated[
        bool,
        typer.Option(
            "--require-flat",
            envvar="PDFINGEST_REQUIRE_FLAT",
            show_envvar=False,
            help="A gate: exit code 5 unless memory is seen to stay flat over the files.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="List what would be ingested, and stop."),
    ] = False,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            envvar="PDFINGEST_FAIL_ON",
            show_envvar=False,
            help="Exit with 1 on any lost page, on a failed file, or never.",
        ),
    ] = FailOn.ANY,
    on: Annotated[
        On,
        typer.Option(
            envvar="PDFINGEST_ON",
            show_envvar=False,
            help="Where the files are read: by children here, or by the workers of the service.",
        ),
    ] = On.HERE,
    progress: Annotated[
        bool | None,
        typer.Option(
            envvar="PDFINGEST_PROGRESS",
            show_envvar=False,
            help="Progress bar. [default: where stderr is a terminal]",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            envvar="PDFINGEST_LOG_FORMAT",
            show_envvar=False,
            help="Log lines, where there is no progress bar.",
        ),
    ] = LogFormat.TEXT,
    html: Annotated[
        bool,
        typer.Option(
            "--html",
            envvar="PDFINGEST_HTML",
            show_envvar=False,
            help="Also pictures, as report.html in the output directory.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="A log line a file."),
    ] = False,
) -> None:
    """Ingest PDFs: one fresh process a file, records to JSONL, a report line for every file."""
    if not inputs and files_from is None:
        raise UsageError("no INPUT. Name files, directories or quoted globs, or give --files-from.")
    from pdfingest.cli import session  # noqa: PLC0415 - 100 ms of CPU that --help does not need

    use(log_format)
    gc.freeze()  # what is loaded now stays: it need not be looked through for garbage
    gc.enable()
    passwords = (*(password or ()), *session.read_passwords(password_file))
    options = IngestOptions(
        output=output,
        workers=available_cpus() if workers is None else workers,
        engine=engine,
        unit=unit,
        timeout_s=timeout,
        page_timeout_s=page_timeout,
        memory_limit_bytes=size("--memory-limit", memory_limit),
        memory_budget_bytes=size("--memory-budget", memory_budget),
        max_output_bytes=size("--max-output", max_output),
        max_pages=max_pages,
        passwords=passwords,
        sandbox=sandbox,
        order=order,
        shard=None if shard is None else Shard.parse(shard),
        retry_failed=parse_kinds(retry_failed),
        force=force,
        checksum=checksum,
        wait_s=wait,
        fail_on=fail_on,
        max_peak_bytes=0 if max_peak is None else size("--max-peak", max_peak),
        require_flat=require_flat,
    )
    if shard is None and is_array_task():
        say(
            "warning",
            "this is one of several tasks, but takes all files. --shard auto takes its share.",
        )
    view = session.View(
        progress=progress, log_format=log_format, html=html, quiet=quiet, verbose=verbose
    )
    listed = session.Listed(files_from, null=null) if files_from else None
    if dry_run:
        code = session.list_plan(inputs or [], listed, options)
    else:
        code = session.ingest_in_view(inputs or [], listed, options, view, on)
    raise typer.Exit(code)
