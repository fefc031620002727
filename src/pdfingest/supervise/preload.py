"""The last module that the forkserver imports; importing it makes the image ready to fork.

Never imported by the parent or by a child that is spawned.
"""

import gc

from pdfingest.child import ignore_stop_signals
from pdfingest.sandbox import confine

# Children inherit it: one that is only just booting must not die of a signal that means the run.
ignore_stop_signals()
confine.prepare()
# What is loaded now is never garbage; scanning it would copy every page that the children share
# (gc.freeze in the library reference).
gc.collect()
gc.freeze()
