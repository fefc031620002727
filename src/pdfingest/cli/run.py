"""`pdfingest run`: its options. What they do is in `session`, which `--help` does not import."""

import gc
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdfingest.cli.declared import taking
from pdfingest.cli.log_format import LogFormat
from pdfingest.cli.messages import say, use
from pdfingest.cli.params import On
from pdfingest.errors import UsageError
from pdfingest.model import Duplicates, Sandbox, Unit
from pdfingest.options import FailOn, IngestOptions, Order, as_kinds, as_shard
from pdfingest.shard import Shard, is_array_task
from pdfingest.share import HALF, NONE, as_share
from pdfingest.values import size

if TYPE_CHECKING:
    from pdfingest.cli.session import Wanted


def read_options(  # noqa: PLR0913 - one parameter an option, as typer has it
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT", help="Files, directories, quoted globs; - for one PDF on stdin."
        ),
    ] = None,
    *,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Options by name. [default: the nearest pdfingest.toml, or pyproject.toml with "
            "[tool.pdfingest], from here upwards]",
        ),
    ] = None,
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
            help="Tried on encrypted files; repeatable. In PDFINGEST_PASSWORD, one a line.",
        ),
    ] = None,
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Passwords, one a line; keeps them out of the process list.",
        ),
    ] = None,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR|-",
            help="Output directory; - streams the records to stdout.",
        ),
    ] = "pdfingest-out",
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            "-w",
            metavar="N",
            help="Files at a time. [default: the CPUs; fewer if memory or descriptors are short]",
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="auto (pdfium,pypdf), pdfplumber, one that a package adds, or several.",
        ),
    ] = "auto",
    unit: Annotated[
        Unit,
        typer.Option(help="What one record holds."),
    ] = Unit.PAGE,
    timeout: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Seconds that a file may take.",
        ),
    ] = 300.0,
    page_timeout: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Seconds that a page may take.",
        ),
    ] = 60.0,
    memory_limit: Annotated[
        int,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="Memory of a child.",
            show_default="its share of the budget",
        ),
    ] = 0,
    memory_budget: Annotated[
        int,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="Memory of all children.",
            show_default="3/4 of what there is",
        ),
    ] = 0,
    max_output: Annotated[
        int,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="JSON that one file may yield.",
            show_default="1G",
        ),
    ] = 1 << 30,
    max_pages: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Pages that a file may have.",
        ),
    ] = 1_000_000,
    sandbox: Annotated[
        Sandbox,
        typer.Option(
            help="Keep children from the network and from other files, if possible, or else stop.",
        ),
    ] = Sandbox.AUTO,
    order: Annotated[
        Order,
        typer.Option(
            help="What comes first: the largest, by name, or the newest.",
        ),
    ] = Order.SIZE,
    shard: Annotated[
        Shard | None,
        typer.Option(
            parser=as_shard,
            metavar="I/N|auto",
            help="A share of the files, into a part of the output; auto asks the scheduler.",
        ),
    ] = None,
    retry_failed: Annotated[
        Any,
        typer.Option(
            parser=as_kinds,
            metavar="[KIND,...]",
            help="Only files that an earlier run lost pages of, for any reason or for these.",
            show_default=False,
        ),
    ] = (),
    force: Annotated[
        bool,
        typer.Option("--force", help="Also files that are unchanged since an earlier run."),
    ] = False,
    checksum: Annotated[
        bool,
        typer.Option(
            "--checksum",
            help="Tell by hash what is unchanged, not by size and time.",
        ),
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            metavar="S",
            help="Seconds to wait for another run on the same output.",
        ),
    ] = 0.0,
    report_unchanged: Annotated[
        bool,
        typer.Option("--report-unchanged", help="A report line for unchanged files, too."),
    ] = False,
    duplicates: Annotated[
        Duplicates,
        typer.Option(help="Write the records of a file whose content another one has, or not."),
    ] = Duplicates.KEEP,
    compact: Annotated[
        bool,
        typer.Option("--compact", help="Then rewrite the outputs, as compact does."),
    ] = False,
    max_gone: Annotated[
        Any,
        typer.Option(
            parser=as_share,
            metavar="N|P%",
            help="Stop if more files of earlier runs are not there any more: a disk may be away.",
            show_default="50%",
        ),
    ] = HALF,
    max_failures: Annotated[
        Any,
        typer.Option(
            parser=as_share,
            metavar="N|P%",
            help="So many may be lost, as --fail-on counts, without exit code 1.",
            show_default="0",
        ),
    ] = NONE,
    max_peak: Annotated[
        int,
        typer.Option(
            parser=size,
            metavar="SIZE",
            help="A gate: exit code 5 if the peak of a file exceeds this.",
            show_default=False,
        ),
    ] = 0,
    require_flat: Annotated[
        bool,
        typer.Option(
            "--require-flat",
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
            help="Exit with 1 on any lost page, on a failed file, or never.",
        ),
    ] = FailOn.ANY,
    on: Annotated[
        On,
        typer.Option(
            help="Where the files are read: by children here, or by the workers of the service.",
        ),
    ] = On.HERE,
    progress: Annotated[
        bool | None,
        typer.Option(
            help="Progress bar. [default: where stderr is a terminal]",
        ),
    ] = None,
    log_format: Annotated[
        LogFormat,
        typer.Option(
            help="Log lines, where there is no progress bar.",
        ),
    ] = LogFormat.TEXT,
    html: Annotated[
        bool,
        typer.Option(
            "--html",
            help="Also pictures, as report.html in the output directory.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Errors only.")] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="A log line a file."),
    ] = False,
) -> "Wanted":
    """Make one value of all that the user wants of a run."""
    from pdfingest.cli import session  # noqa: PLC0415 - 100 ms of CPU that --help does not need
    from pdfingest.cli.listed import Listed  # noqa: PLC0415 - as above

    options = IngestOptions(
        output=output,
        workers=workers,
        engine=engine,
        unit=unit,
        timeout_s=timeout,
        page_timeout_s=page_timeout,
        memory_limit_bytes=memory_limit,
        memory_budget_bytes=memory_budget,
        max_output_bytes=max_output,
        max_pages=max_pages,
        passwords=(*(password or ()), *session.read_passwords(password_file)),
        sandbox=sandbox,
        order=order,
        shard=shard,
        retry_failed=retry_failed,
        force=force,
        checksum=checksum,
        wait_s=wait,
        report_unchanged=report_unchanged,
        duplicates=duplicates,
        max_gone=max_gone,
        compact=compact,
        fail_on=fail_on,
        max_failures=max_failures,
        max_peak_bytes=max_peak,
        require_flat=require_flat,
    )
    return session.Wanted(
        inputs=inputs or (),
        listed=Listed(files_from, null=null) if files_from else None,
        options=options,
        on=on,
        view=session.View(
            progress=progress, log_format=log_format, html=html, quiet=quiet, verbose=verbose
        ),
        dry_run=dry_run,
        config=config or "",
    )


@taking(read_options)
def run(wanted: "Wanted") -> None:
    """Ingest PDFs: one fresh process a file, records to JSONL, a report line for every file."""
    if not wanted.inputs and wanted.listed is None:
        raise UsageError(
            "INPUT is missing: name files, directories or quoted globs. See: pdfingest run --help"
        )
    from pdfingest.cli import session  # noqa: PLC0415 - as above

    use(wanted.view.log_format)
    gc.freeze()  # what is loaded now stays: it need not be looked through for garbage
    gc.enable()
    if wanted.options.shard is None and is_array_task():
        say(
            "warning",
            "this is one of several tasks, but takes all files. --shard auto takes its share.",
        )
    raise typer.Exit(
        session.list_plan(wanted) if wanted.dry_run else session.ingest_in_view(wanted)
    )
