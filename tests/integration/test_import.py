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
