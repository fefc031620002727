import mmap
import subprocess
import sys
import time

import psutil
import pytest

from pdfingest.measure.memory import PeakMeter, look

MIB = 1 << 20
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
MEASURE = """
from pdfingest.measure.memory import PeakMeter
meter = PeakMeter()
meter.start()
block = bytearray({mib} << 20)
block[::4096] = bytes([1]) * len(block[::4096])
del block
peak = meter.read()
print(peak.peak_bytes - peak.baseline_bytes, peak.method)
"""


@pytest.mark.parametrize("mib", [10, 100])
def test_a_peak_is_seen_after_the_memory_was_given_back(mib: int) -> None:
    code = MEASURE.format(mib=mib)
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    grown, method = done.stdout.split()
    assert abs(int(grown) - mib * MIB) < 2 * MIB
    assert method


def test_the_peak_is_never_below_the_baseline() -> None:
    meter = PeakMeter()
    meter.start()
    peak = meter.read()
    assert 0 < peak.baseline_bytes <= peak.peak_bytes


@linux_only
def test_a_look_tells_the_parent_from_its_helpers_and_their_children() -> None:
    code = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    before = look()
    with subprocess.Popen([sys.executable, "-c", code]) as helper:
        while look().children == before.children:
            time.sleep(0.01)
        seen = look()
        for process in psutil.Process(helper.pid).children():
            process.kill()
    assert seen.children == before.children + 1
    assert seen.helpers_rss_bytes > before.helpers_rss_bytes + 5 * MIB
    assert seen.parent_rss_bytes > 10 * MIB
    assert seen.tree_pss_bytes > before.tree_pss_bytes + 2 * MIB
    assert seen.descriptors > 3
    assert seen.threads >= 1


@linux_only
def test_a_look_sees_what_the_parent_takes() -> None:
    before = look().parent_rss_bytes
    with mmap.mmap(-1, 20 * MIB) as block:  # what malloc gives may have been resident already
        for at in range(0, len(block), mmap.PAGESIZE):
            block[at] = 1
        assert abs(look().parent_rss_bytes - before - len(block)) < MIB
