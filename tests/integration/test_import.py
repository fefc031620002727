"""What an import of the package costs."""

import subprocess
import sys


def test_the_version_costs_nothing_before_it_is_asked_for() -> None:
    code = (
        "import sys, pdfingest\n"
        "assert 'importlib.metadata' not in sys.modules\n"
        "assert pdfingest.__version__\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_command_imports_what_an_export_needs_before_it_is_one() -> None:
    code = (
        "import sys, pdfingest.cli.main\n"
        "loaded = {'pyarrow', 'sqlite3', 'gzip', 'pdfingest.export.export'} & set(sys.modules)\n"
        "assert not loaded, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
