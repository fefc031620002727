"""What the client raises: one base, and a class for each case that a caller treats differently.

Owns the exceptions. A file that cannot be read on this side is an `OSError`, as Python says it.
"""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Base of all errors of the client.

    Args:
        title: the kind of error, as the service names it.
        detail: what happened, and what to do next.
        status: status code of the answer; 0 where there was no answer.
        report: report line of a file that failed.
    """

    def __init__(
        self,
        title: str,
        detail: str = "",
        *,
        status: int = 0,
        report: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(title, detail)
        self.title, self.detail, self.status = title, detail, status
        self.report = report

    def __str__(self) -> str:
        number = f"{self.status} " if self.status else ""
        return f"{number}{self.title}: {self.detail}" if self.detail else f"{number}{self.title}"


class NotReachable(ClientError):  # noqa: N818 - named by what happened
    """The service gave no answer, or not a whole one, for as long as the client tried."""


class Refused(ClientError):  # noqa: N818 - named by what happened
    """The service refused a request; `status`, `title` and `detail` say why."""


class JobFailed(ClientError):  # noqa: N818 - named by what happened
    """The service could not read the file; `report` is its report line."""


class StillRunning(ClientError, TimeoutError):  # noqa: N818 - named by what happened
    """A job had not ended when the time to wait was over. It goes on, and can be waited for."""


class WebhookError(ClientError):
    """A webhook is not from the service, or is too old. Answer it with 400 and do nothing."""
