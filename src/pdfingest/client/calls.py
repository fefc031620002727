"""Requests of the client as values, and what their answers mean.

Owns the paths, parameters and media types of the service, for both clients. Sends nothing.
"""

import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, cast
from urllib.parse import quote

import httpx

from pdfingest.client.errors import ClientError, JobFailed, NotReachable, Refused
from pdfingest.client.jobs import Converted, Job, Options, mapping, not_ours
from pdfingest.client.upload import Form, Pdf
from pdfingest.client.variables import API_KEY, URL

_USUAL_URL = "http://127.0.0.1:8000"
PAGE_JOBS = 200
"""Jobs that one answer lists, the most that the service allows."""
JSONL, PLAIN, MARKDOWN = "application/jsonl", "text/plain", "text/markdown"


@dataclass(frozen=True, slots=True)
class Call:
    """A request."""

    method: str
    path: str
    params: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: Mapping[str, Any] | None = None
    form: Form | None = None
    streamed: bool = False
    """Whether the body of a good answer is left to be read piece by piece."""
    wait_s: float = 0.0
    """Seconds that the service may take for its answer on purpose."""

    @property
    def safe(self) -> bool:
        """Whether it does no harm to send this twice."""
        return self.method == "GET" or "Idempotency-Key" in self.headers

    @property
    def repeatable(self) -> bool:
        """Whether the body, if there is one, can be sent again."""
        return self.form is None or self.form.repeatable


def service_url(url: str) -> str:
    """Return the base URL, from the environment or the usual one if `url` is empty.

    Raises:
        ValueError: it is not an HTTP URL.
    """
    chosen = url or os.environ.get(URL, "") or _USUAL_URL
    try:
        parsed = httpx.URL(chosen)
    except httpx.InvalidURL as error:
        raise ValueError(f"{chosen!r} is not a URL: {error}") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ValueError(f"{chosen!r} must begin with http:// or https:// and name a host")
    return chosen


def service_headers(api_key: str) -> dict[str, str]:
    """Return what all requests say, with the key from the environment if `api_key` is empty."""
    key = (api_key or os.environ.get(API_KEY, "")).strip()  # a file with a key ends with a newline
    return {"User-Agent": "pdfingest-client", **({"X-API-Key": key} if key else {})}


def add_file(pdf: Pdf, name: str, options: Options) -> Call:
    """Upload a file."""
    form = Form(pdf, name, _fields(options))
    return Call("POST", "/v1/jobs", headers={**_named(options), **form.headers}, form=form)


def add_source(source: str, options: Options) -> Call:
    """Name a file that the workers can reach."""
    document = {"source": source, **_chosen(options)}
    return Call("POST", "/v1/jobs", headers=_named(options), json=document)


def convert(upload: Call, wait_s: float, media: str) -> Call:
    """Upload a file and have its text as the answer if that takes no longer than `wait_s`."""
    return Call(
        "POST",
        "/v1/convert",
        params={"wait": f"{wait_s:g}"},
        headers={**upload.headers, "Accept": media},
        form=upload.form,
        wait_s=wait_s,
    )


def show(job: Job | str) -> Call:
    """Ask for one job."""
    return Call("GET", _path(job))


def list_jobs(offset: int, limit: int) -> Call:
    """Ask for a page of the list of jobs."""
    return Call("GET", "/v1/jobs", params={"limit": limit, "offset": offset})


def remove(job: Job | str) -> Call:
    """Cancel a job that is open, or delete one that has ended."""
    return Call("DELETE", _path(job))


def follow(job: Job | str) -> Call:
    """Ask for the events of a job."""
    headers = {"Accept": "text/event-stream"}
    return Call("GET", f"{_path(job)}/events", headers=headers, streamed=True)


def result(job: Job | str, media: str, *, streamed: bool = False) -> Call:
    """Ask for what was read from a file."""
    return Call("GET", f"{_path(job)}/result", headers={"Accept": media}, streamed=streamed)


def text_of(answer: httpx.Response, media: str) -> str:
    """Return the text of an answer.

    Raises:
        ClientError: it is of another type, so that this is another service, or an old one.
    """
    given = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    if given != media:
        raise ClientError(
            "unexpected answer",
            f"the answer is {given or 'of no type'} instead of {media}. Does the service do that?",
            status=answer.status_code,
        )
    return answer.content.decode()


def converted_of(answer: httpx.Response, media: str, job: Job | None = None) -> Converted:
    """Return the text of an answer with what it, or the report of its job, says of the text."""
    report: Mapping[str, Any] = (job and job.report) or {}

    def told(header: str, key: str) -> str:
        return answer.headers.get(header) or str(report.get(key) or "")

    return Converted(
        text_of(answer, media),
        job.id if job else answer.headers.get("Location", "").rpartition("/")[2],
        told("Pdfingest-Status", "status") or "ok",
        int(told("Pdfingest-Pages-Failed", "pages_failed") or 0),
        int(told("Pdfingest-Pages-Needing-OCR", "needs_ocr_pages") or 0),
    )


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        ClientError: it is something else, as of a proxy.
    """
    try:
        return mapping(answer.json())
    except ValueError as error:
        raise not_ours("JSON") from error


def refusal(answer: httpx.Response) -> ClientError:
    """Make the error of an answer that is not a good one."""
    try:
        problem = mapping(answer.json())
    except (ValueError, ClientError):  # a proxy answers with HTML
        problem = {}
    title = str(problem.get("title") or answer.reason_phrase or "refused")
    wrong = [": ".join(map(str, mapping(each).values())) for each in problem.get("errors") or ()]
    detail = " ".join(filter(None, [str(problem.get("detail") or ""), "; ".join(wrong)]))
    report = None if problem.get("report") is None else mapping(problem["report"])
    if report and report.get("message"):  # why; the problem itself only says where to look
        detail = str(report["message"])
    kind = Refused if report is None else JobFailed
    return kind(title, detail, status=answer.status_code, report=report)


def not_reachable(error: httpx.RequestError, call: Call) -> NotReachable:
    """Make the error of a request that got no answer, or half of one."""
    what = f"{call.method} {call.path}: {str(error) or type(error).__name__}"
    told = "" if call.safe else " Whether the service did it is not known."
    return NotReachable("not reachable", f"{what}.{told} Check that the service runs at this URL.")


def retry_after(answer: httpx.Response) -> float:
    """Return the seconds that an answer asks to wait (RFC 9110, 10.2.3); 0 if it does not."""
    given = answer.headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time())
    except ValueError:
        return 0.0


def id_of(job: Job | str) -> str:
    """Return the id of a job.

    Raises:
        ValueError: it is empty, as that of a file which was refused.
    """
    found = job.id if isinstance(job, Job) else job
    if not found:
        raise ValueError("there is no job: the service did not take this file")
    return found


def check_many(options: Options, in_flight: int) -> None:
    """Check what holds for many files.

    Raises:
        ValueError: the options have a key, which names one file; or no file may be on its way.
    """
    if in_flight < 1:
        raise ValueError("`in_flight` must be 1 or more, or no file is ever sent.")
    if options.get("idempotency_key"):
        raise ValueError("`idempotency_key` names one file, not many. Leave it out.")


def _path(job: Job | str) -> str:
    return f"/v1/jobs/{quote(id_of(job), safe='')}"


def _named(options: Options) -> dict[str, str]:
    key = options.get("idempotency_key")
    key = str(uuid.uuid4()) if key is None else key
    return {"Idempotency-Key": key} if key else {}


def _chosen(options: Options) -> dict[str, Any]:
    """Return the options for the service, as it takes them in JSON."""
    given = cast("Mapping[str, Any]", options)
    kept = {k: v for k, v in given.items() if v is not None and k != "idempotency_key"}
    return {k: v if isinstance(v, str | bool) else list(v) for k, v in kept.items()}


def _fields(options: Options) -> dict[str, list[str]]:
    """Return the options for the service, as it takes them in a form."""
    return {name: _texts(value) for name, value in _chosen(options).items()}


def _texts(value: Any) -> list[str]:
    match value:
        case bool():
            return ["true" if value else "false"]
        case str():
            return [value]
        case _:
            return [str(each) for each in value]
