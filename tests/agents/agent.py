"""A client of the Model Context Protocol, by the real SDK, to the real command, over stdio."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters, stdio_client

from conftest import environment


@dataclass
class Agent:
    """Calls tools, one after the other."""

    portal: BlockingPortal
    client: Client
    log: Path
    """What the server wrote to stderr."""

    def call(self, tool: str, **arguments: Any) -> Any:
        """The structured answer of a tool, which did not fail."""
        result = self.portal.call(self.client.call_tool, tool, arguments)
        assert not result.is_error, result.content
        return result.structured_content

    def refusal(self, tool: str, **arguments: Any) -> str:
        """What a tool said that failed."""
        result = self.portal.call(self.client.call_tool, tool, arguments)
        assert result.is_error
        return str(getattr(result.content[0], "text", ""))

    def tools(self) -> dict[str, Any]:
        """The tools by their names."""
        listed = self.portal.call(self.client.list_tools)
        return {each.name: each for each in listed.tools}


@contextmanager
def agent_of(folder: Path, *words: str | Path, **variables: str) -> Iterator[Agent]:
    """Start the command in a folder, with a client that the block has."""
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-m", "pdfingest", "mcp", *map(str, words)],
        env=environment(**variables),
        cwd=folder,
    )
    with ExitStack() as stack:
        log = stack.enter_context(open(folder / "stderr", "a", encoding="utf-8"))
        portal = stack.enter_context(start_blocking_portal())
        client = Client(stdio_client(parameters, errlog=log))
        stack.enter_context(portal.wrap_async_context_manager(client))
        yield Agent(portal, client, folder / "stderr")
