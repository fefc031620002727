import subprocess
import sys

import pytest

from pdfingest.measure.memory import PeakMeter

MIB = 1 << 20
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
