"""The last module that the forkserver imports; importing it makes the image ready to fork.

Never imported by the parent or by a child that is spawned.
"""

import gc
import signal

from pdfingest.child import STOP_SIGNALS
from pdfingest.sandbox import confine

# Children inherit it: one that is only just booting must not die of a signal that means the run.
for number in STOP_SIGNALS:
    signal.signal(number, signal.SIG_IGN)
confine.prepare()
# What is loaded now is never garbage; scanning it would copy every page that the children share
# (gc.freeze in the library reference).
gc.collect()
gc.freeze()
