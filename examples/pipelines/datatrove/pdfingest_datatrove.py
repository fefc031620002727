"""pdfingest as the reader of a datatrove pipeline: from PDFs to Documents.

python examples/pipelines/datatrove/pdfingest_datatrove.py examples/pdfs out
"""

import json
import sys
from pathlib import Path
from typing import Any

from datatrove.data import Document, DocumentsPipeline
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.base import PipelineStep
from datatrove.pipeline.writers import JsonlWriter

from pdfingest import IngestOptions, ingest

_COUNTS = ("ok", "partial", "failed", "unchanged")


class PdfReader(PipelineStep):
    """Reads PDFs, each in a fresh process; a task takes the shard of its rank.

    Args:
        inputs: files, directories or globs.
        output: output directory of pdfingest, the same for all tasks. It has the report, and what
            a task that is run again need not read again.
        options: further fields of `pdfingest.IngestOptions`.
    """

    name = "PDFs by pdfingest"
    type = "📖 - READER"

    def __init__(self, inputs: list[str], output: str, **options: Any) -> None:
        super().__init__()
        self.inputs, self.options = inputs, {"workers": 1, **options, "output": output}

    def run(
        self, data: DocumentsPipeline = None, rank: int = 0, world_size: int = 1
    ) -> DocumentsPipeline:
        """Read this rank's PDFs, count how they ended, and yield their pages."""
        yield from data or ()
        options = IngestOptions(shard=f"{rank}/{world_size}", compact=True, **self.options)
        summary = ingest(self.inputs, options)
        for count in _COUNTS:
            self.stat_update(count, value=getattr(summary, count), unit="task")
        pages = Path(options.folder, "pages.jsonl")
        if not pages.exists():  # a shard may have no file, or none that can be read
            return
        with pages.open(encoding="utf-8") as lines:
            for record in map(json.loads, lines):
                document = Document(record["text"], record["id"], metadata=record["metadata"])
                self.update_doc_stats(document)
                yield document


def ingest_to_documents(inputs: list[str], output: str, **options: Any) -> None:
    """Write the pages of PDFs as Documents in JSON lines, and say what failed."""
    reader = PdfReader(inputs, f"{output}/pdfingest", **options)
    writer = JsonlWriter(f"{output}/documents", compression=None)
    LocalPipelineExecutor([reader, writer], tasks=4, workers=2, logging_dir=f"{output}/logs").run()
    accounted = 0
    for report in Path(output).glob("pdfingest/part-*/report.jsonl"):
        with report.open(encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                accounted += 1
                if line["failure"]:
                    print(f"{line['failure']}  {line['source']}: {line['message']}")
    print(f"{accounted} files are accounted for")


if __name__ == "__main__":
    ingest_to_documents([sys.argv[1]], sys.argv[2], memory_budget_bytes="1G")
