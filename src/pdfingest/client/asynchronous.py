"""The client for asyncio. What it does, and when, is in `flows`.

Owns the public methods, and how many files are sent at a time.
"""

import asyncio
import math
import os
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from itertools import islice
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

import httpx

from pdfingest.client import calls, flows
from pdfingest.client.async_connection import AsyncConnection
from pdfingest.client.errors import ClientError
from pdfingest.client.files import whole_file
from pdfingest.client.jobs import Converted, Job, Options, refused_job
from pdfingest.client.lines import Records
from pdfingest.client.upload import Pdf

Path = TypeVar("Path", bound=str | os.PathLike[str])


class AsyncClient:
    """A client of the service for asyncio, with the methods of `Client`. Tasks may share one.

    A request that the service cannot take at the moment (429, 503), or that gets no answer, is sent
    again for `patience_s` seconds. Jobs are added with an `Idempotency-Key`, so that none is added
    twice. All methods raise `ClientError`.

    Args:
        url: where the service is; default: PDFINGEST_URL, or port 8000 of this machine.
        api_key: the key to send; default: PDFINGEST_API_KEY, or none.
        timeout_s: seconds without a sign of the service after which one try is given up.
        transport: how requests are sent, such as `httpx.AsyncHTTPTransport(proxy=...)`.
        patience_s: seconds after which no other try of a request is begun.

    Raises:
        ValueError: `url` is not an HTTP URL.
    """

    def __init__(
        self,
        url: str = "",
        api_key: str = "",
        timeout_s: float = 60,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        patience_s: float = 120,
    ) -> None:
        self._connection = AsyncConnection(url, api_key, timeout_s, transport)
        self._patience_s = patience_s

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._connection.close()

    async def submit(self, pdf: Pdf, *, name: str = "", **options: Unpack[Options]) -> Job:
        """Upload a file, which is read while it is sent; returns its job without waiting for it.

        Args:
            pdf: a path, the content, or a file open for bytes, which is read from where it stands.
            name: what the service calls it; by default, its name without the directory.
            **options: see `Options`.

        Raises:
            OSError: the file cannot be read.
        """
        return await self._connection.run(
            flows.asked(calls.add_file(pdf, name, options), self._patience_s)
        )

    async def submit_source(self, source: str, **options: Unpack[Options]) -> Job:
        """Have a file read that the workers can reach: an absolute path, `s3://`, `gs://`, ..."""
        return await self._connection.run(
            flows.asked(calls.add_source(source, options), self._patience_s)
        )

    async def job(self, job: Job | str) -> Job:
        """Return a job as it is now, by its id or an earlier state of it."""
        return await self._connection.run(flows.asked(calls.show(job), self._patience_s))

    async def jobs(self, limit: int | None = None) -> AsyncGenerator[Job, None]:
        """Yield the jobs of this key, the newest first, each once, up to `limit` of them.

        Jobs may be added or deleted meanwhile.
        """
        listing, left = flows.Listing(limit), math.inf if limit is None else limit
        while left > 0 and not listing.at_end:
            for job in await self._connection.run(listing.page(self._patience_s)):
                if left > 0:
                    yield job
                left -= 1

    async def wait(self, job: Job | str, timeout_s: float | None = None) -> Job:
        """Wait until a job has ended; returns it, whether it is done, failed or cancelled.

        Raises:
            StillRunning: it has not ended within `timeout_s` seconds. It goes on.
        """
        return await self._connection.run(flows.waited(job, timeout_s, self._patience_s))

    async def cancel(self, job: Job | str) -> Job:
        """Cancel a job, and return it; one that has ended stays as it is."""
        return await self._connection.run(flows.cancelled(job, self._patience_s))

    async def delete(self, job: Job | str) -> None:
        """Delete a job and its records; one that has not ended is cancelled first."""
        await self._connection.run(flows.deleted(job, self._patience_s))

    async def records(self, job: Job | str) -> AsyncGenerator[dict[str, Any], None]:
        """Yield the records of a job that is done, while they come.

        Raises:
            JobFailed: the file could not be read.
            NotReachable: the connection broke; not all records have come.
        """
        records = Records()
        async with aclosing(self._records(job)) as pieces:
            async for piece in pieces:
                for record in records.read(piece):
                    yield record
        for record in records.rest():
            yield record

    async def text(self, job: Job | str, *, markdown: bool = False) -> str:
        """Return the text of a job that is done: plain with a form feed between pages, or Markdown.

        Raises:
            JobFailed: the file could not be read.
        """
        media = calls.MARKDOWN if markdown else calls.PLAIN
        answer = await self._connection.run(
            flows.answered(calls.result(job, media), self._patience_s)
        )
        return calls.text_of(answer, media)

    async def save(self, job: Job | str, path: str | os.PathLike[str]) -> None:
        """Write the records of a job that is done to a file, as JSONL; whole or not at all."""
        with whole_file(path) as file:
            async with aclosing(self._records(job)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(file.write, piece)

    async def convert(
        self,
        pdf: Pdf,
        *,
        name: str = "",
        wait_s: float = 30,
        markdown: bool = True,
        **options: Unpack[Options],
    ) -> Converted:
        """Upload a file and return its text, as Markdown or plain, however long that takes.

        Args:
            pdf: as for `submit`.
            name: as for `submit`.
            wait_s: seconds, up to 300, for which the service may keep the request waiting; after
                that, its job is waited for.
            markdown: whether the text is Markdown.
            **options: see `Options`.

        Raises:
            JobFailed: the file could not be read.
        """
        media = calls.MARKDOWN if markdown else calls.PLAIN
        call = calls.convert(calls.add_file(pdf, name, options), wait_s, media)
        return await self._connection.run(flows.converted(call, media, self._patience_s))

    async def ingest_all(
        self, paths: Iterable[Path], in_flight: int = 16, **options: Unpack[Options]
    ) -> AsyncGenerator[tuple[Path, Job], None]:
        """Upload many files, and yield each with its job when that has ended, in any order.

        Each path comes exactly once. A file that cannot be read or was refused comes with a job in
        state `refused`; one whose job could not be followed, with its last state. Both have
        `Job.error`. Where the caller stops early, jobs that are open go on. Close the generator
        then (`contextlib.aclosing`), or files are uploaded until asyncio does it.

        Args:
            paths: taken one by one, as there is room.
            in_flight: files that are uploaded or waited for at the same time.
            **options: see `Options`.
        """
        calls.check_many(options, in_flight)
        rest = iter(paths)
        open_: set[asyncio.Task[tuple[Path, Job]]] = set()
        try:
            while True:
                for path in islice(rest, in_flight - len(open_)):
                    open_.add(asyncio.create_task(self._ingest(path, options)))
                if not open_:
                    return
                ended, open_ = await asyncio.wait(open_, return_when=asyncio.FIRST_COMPLETED)
                for each in ended:
                    yield each.result()
        finally:
            for each in open_:
                each.cancel()
            await asyncio.gather(*open_, return_exceptions=True)

    async def _ingest(self, path: Path, options: Options) -> tuple[Path, Job]:
        """Upload a file and wait for its job; a file that fails is a value."""
        try:
            call = calls.add_file(path, "", options)
            return path, await self._connection.run(flows.ingested(call, self._patience_s))
        except (ClientError, OSError) as error:
            return path, refused_job(path, error)

    def _records(self, job: Job | str) -> AsyncGenerator[bytes, None]:
        call = calls.result(job, calls.JSONL, streamed=True)
        return self._connection.pieces(call, self._patience_s)
