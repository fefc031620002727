"""Tells the children of a run, by their environment, which process is the run's."""

import os
import sys

if "-c" in sys.orig_argv:  # as the zygote is started
    os.environ["FAULTY_RUN"] = str(os.getppid())
