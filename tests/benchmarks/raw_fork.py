"""Prints the seconds that so many forks and exits of the image of children take, one by one."""

import os
import sys
import time

from pdfingest.isolation.contents import Contents
from pdfingest.isolation.zygote import make_image, warm

if __name__ == "__main__":
    contents = Contents(("pdfingest.engines.pdfium",))
    make_image(contents)
    warm(contents.modules)
    began_s = time.perf_counter()
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
    print(time.perf_counter() - began_s)
