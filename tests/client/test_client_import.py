"""What an import of the client needs."""

import subprocess
import sys

from pdfingest import client


def run(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_without_httpx_the_error_says_what_to_install() -> None:
    for name in ("Client", "AsyncClient"):
        done = run(f"import sys; sys.modules['httpx'] = None\nfrom pdfingest.client import {name}")
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.endswith("the client needs httpx. Run: pip install 'pdfingest[client]'")


def test_a_receiver_of_webhooks_needs_no_httpx() -> None:
    names = "verify_webhook, WebhookError, Job"
    code = f"import sys; sys.modules['httpx'] = None\nfrom pdfingest.client import {names}"
    assert run(code).stderr == ""


def test_the_client_imports_no_other_part_of_the_package() -> None:
    code = (
        "import sys\n"
        "from pdfingest.client import AsyncClient, Client, verify_webhook\n"
        "ours = [name for name in sys.modules if name.startswith('pdfingest.')]\n"
        "assert 'pdfingest.client.flows' in ours\n"
        "assert all(name.startswith('pdfingest.client') for name in ours), ours\n"
    )
    assert run(code).stderr == ""


def test_dir_shows_every_public_name() -> None:
    assert set(client.__all__) <= set(dir(client))
    assert all(getattr(client, name) for name in client.__all__)


def test_both_clients_have_the_same_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in vars(kind) if not name.startswith("_")}

    assert public(client.Client) == public(client.AsyncClient)
