"""What an answer is about: the file, or the machine, which stops the run."""

from typing import assert_never

from pdfingest.child import Answer
from pdfingest.errors import EngineUnavailableError, OutputError, SandboxError
from pdfingest.model import EnvironmentFailure, Extracted, Failed, Halted, Outcome, Unchanged


def file_outcome(answer: Answer) -> Outcome:
    """An answer that is about the file.

    Raises:
        PdfingestError: it is about the machine.
    """
    match answer:
        case Extracted() | Failed() | Unchanged():
            return answer
        case EnvironmentFailure(what="engine"):
            raise EngineUnavailableError(answer.message)
        case EnvironmentFailure(what="sandbox"):
            raise SandboxError(answer.message)
        case EnvironmentFailure():
            raise cannot_spool(answer.message)
        case Halted():
            raise AssertionError("a lane makes a death of it")
        case _:
            assert_never(answer)


def cannot_spool(what: str) -> OutputError:
    """The machine cannot hold what the children write."""
    cure = "Free some space or name another --output."
    return OutputError(f"cannot write the spool {what}. {cure}")
