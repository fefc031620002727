"""What the API answers with where records are asked for, of one job or of several.

Owns the answers, and what is answered where there are no records. Does not own their forms:
`renditions` does.
"""

import json
from collections.abc import Iterator, Sequence

from fastapi.responses import Response, StreamingResponse

from pdfingest.service.contents import result_key
from pdfingest.service.documents import ticket_document
from pdfingest.service.problems import Problem
from pdfingest.service.renditions import Collection, Rendition, rendered, zipped
from pdfingest.service.store import Store
from pdfingest.service.ticket import State, Ticket


class Results:
    """Answers with records. Its methods wait for the store, so they are called in threads.

    Args:
        store: where the records are.
        root: path in front of all links.
    """

    def __init__(self, store: Store, root: str) -> None:
        self._store, self._root = store, root

    def one(self, ticket: Ticket, rendition: Rendition, failed: int = 409) -> Response:
        """Stream the records of a ticket.

        Args:
            ticket: the ticket.
            rendition: the form.
            failed: status of the answer where the file could not be read.

        Raises:
            Problem: 409, it has not ended; `failed`; 410, it was cancelled, or they are deleted.
        """
        pieces = self._open(ticket, failed)
        document = ticket_document(ticket, self._root).model_dump(mode="json")
        report = ticket.report or {}
        headers = {
            "Content-Disposition": f'attachment; filename="{ticket.id}{rendition.suffix}"',
            "Location": document["links"]["self"],
            # Text has no place to say that pages are missing, or that they are pictures.
            "Pdfingest-Status": str(report.get("status", "")),
            "Pdfingest-Pages-Failed": str(report.get("pages_failed", 0)),
            "Pdfingest-Pages-Needing-OCR": str(report.get("needs_ocr_pages", 0)),
            "Vary": "Accept",
        }
        content = rendered(rendition, pieces, document)
        return StreamingResponse(content, headers=headers, media_type=rendition.value)

    def several(self, tickets: Sequence[Ticket], form: Collection) -> Response:
        """Stream the records of several tickets.

        Raises:
            Problem: 409, some have not ended; `errors` names them.
        """
        if not_ended := [each.id for each in tickets if not each.state.ended]:
            what = [{"where": each, "what": "not done"} for each in not_ended]
            raise Problem(409, "not done", "Some have not ended. Ask later.", errors=what)
        done = [each for each in tickets if each.state is State.DONE]
        without = [each.id for each in tickets if each.state is not State.DONE]
        headers = {"Pdfingest-Without-Records": ",".join(without), "Vary": "Accept"}
        content: Iterator[bytes]
        if form is Collection.JSONL:
            content = (piece for each in done for piece in self._open(each))
        else:
            headers["Content-Disposition"] = 'attachment; filename="results.zip"'
            content = zipped(self._files(tickets, done))
        return StreamingResponse(content, headers=headers, media_type=form.value)

    def _open(self, ticket: Ticket, failed: int = 409) -> Iterator[bytes]:
        """Open the records of a ticket; raises as `one`."""
        if not ticket.state.ended:
            raise Problem(409, "not done", "It has not ended. Ask later.", {"Retry-After": "1"})
        if ticket.state is State.CANCELLED:
            raise Problem(410, "cancelled", "It was cancelled, so there are no records.")
        if ticket.state is State.FAILED:
            detail = "There are no records; `report` says why."
            raise Problem(failed, "failed", detail, report=ticket.report or {})
        try:
            return self._store.read(result_key(ticket.id))
        except FileNotFoundError:
            raise Problem(410, "Gone", "The records were deleted, as they were too old.") from None

    def _files(
        self, tickets: Sequence[Ticket], done: Sequence[Ticket]
    ) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Yield the files of a zip: the report lines of all, and the records that there are."""
        lines = [each.report or {"source": each.name, "status": each.state} for each in tickets]
        yield "report.jsonl", (json.dumps(dict(line)).encode() + b"\n" for line in lines)
        for each in done:
            yield f"{each.id}-{each.name}.jsonl", self._open(each)
