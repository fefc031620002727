"""The last module that the forkserver imports; importing it makes the image ready to fork.

Never imported by the parent or by a child that is spawned.
"""

import gc
import signal

# Children inherit it: a Ctrl-C while one boots must not print a traceback.
signal.signal(signal.SIGINT, signal.SIG_IGN)
# What is loaded now is never garbage; scanning it would copy every page that the children share
# (gc.freeze in the library reference).
gc.collect()
gc.freeze()
