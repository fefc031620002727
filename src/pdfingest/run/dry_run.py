"""A run that only plans: what `--dry-run` shows."""

from collections.abc import Generator, Iterable
from contextlib import ExitStack, contextmanager
from itertools import takewhile

from pdfingest.options import IngestOptions
from pdfingest.output.ledger import Ledger
from pdfingest.output.snapshot import snapshot
from pdfingest.run.discover import AnyPath, discover
from pdfingest.run.plan import Plan
from pdfingest.run.safeguards import require_some
from pdfingest.run.tools import find_tools
from pdfingest.stop import Stop


@contextmanager
def planned(
    inputs: AnyPath | Iterable[AnyPath],
    listed: Iterable[AnyPath] | None,
    options: IngestOptions,
    stop: Stop,
) -> Generator[Plan, None, None]:
    """Plan a run without changing anything; another run may hold the output directory.

    Raises:
        NoInputError: nothing matched.
        LedgerError: the ledger cannot be read.
    """
    found = require_some(discover(inputs, listed, stop=stop), options)
    digest = find_tools(options).digest(options)
    with ExitStack() as stack:
        ledger = Ledger("") if options.to_stdout else snapshot(options.folder)
        plan = stack.enter_context(Plan(stack.enter_context(ledger)))
        plan.fill(takewhile(lambda _: not stop.requested, found))
        plan.settle(options, digest)
        yield plan
