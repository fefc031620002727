"""Engines that load a model in the image, and go wrong there as the environment tells them to.

Their files are those of the engine `faulty`.
"""

import os
import sys
import threading
import time
from typing import Any

from faulty import FAULTS, FaultyDocument, open_document

from pdfingest import Needs, Page

NEEDS = Needs(
    warm="warmed:load",
    fork_safe=True,
    warm_s=float(os.environ.get("WARM_S", "60")),
    variables=("WARM_FAULT", "WARM_LOG", "WARM_MIB"),
    readable=tuple(filter(None, [os.environ.get("WARM_MODELS")])),
    idle_threads=int(os.environ.get("WARM_THREADS", "0")),
)
UNSAFE = NEEDS._replace(fork_safe=False)
WHOLE = Needs(is_whole=True)
MODEL = bytearray()


def _leave_thread():
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


WARM_FAULTS = {
    "raises": FAULTS["raises"],
    "exits": FAULTS["system_exit"],
    "segfault": FAULTS["segfault"],
    "hangs": FAULTS["hang"],
    "prints": FAULTS["stdout_noise"],
    "thread": lambda order: _leave_thread(),
}


def load():
    """Load the model, unless that was done, and note it."""
    if MODEL:
        return
    print("loading", file=sys.stderr)
    if log := os.environ.get("WARM_LOG"):
        with open(log, "ab") as file:
            file.write(b".")
    if fault := os.environ.get("WARM_FAULT"):
        WARM_FAULTS[fault]({})
    MODEL.extend(b"x" * (int(os.environ.get("WARM_MIB", "64")) << 20))


class WarmedDocument(FaultyDocument):
    def page(self, number):
        assert len(MODEL) > 0
        if number == self.order["page"] and self.order["fault"] == "dirties":
            # Slower than the parent looks, as a library is that computes.
            for at in range(0, len(MODEL), 1 << 20):
                MODEL[at : at + (1 << 20) : 4096] = b"y" * 256
                time.sleep(self.order["pause_s"])
        if self.order["fault"] == "takes for a while":
            block = b"x" * (self.order["mib"] << 20)
            time.sleep(0.6)
            del block
        return super().page(number)


def open_warmed(path, passwords):
    load()
    if _is_real(path):  # that of `doctor`
        return WarmedDocument({"pages": 2, "fault": "", "page": 1, "name": "trial"})
    order = open_document(path, passwords).order
    return WarmedDocument(order)


def _is_real(path):
    with open(path, "rb") as file:
        return file.read(6) == b"%PDF-1"


class RangedDocument(FaultyDocument):
    def pages(self, first, last):
        for number in range(first, last + 1):
            if number == self.order.get("ends", 0):
                return
            page = self.page(number)
            yield Page(f"{first}-{last}: {page.text}")


def open_ranged(path, passwords):
    return RangedDocument(open_document(path, passwords).order)


def open_whole(path, passwords):
    if _is_real(path):
        return FaultyDocument({"pages": 1, "fault": "", "page": 1, "name": "real"})
    document = open_document(path, passwords)
    document.page_count = 1
    return document


TORCHED = Needs(warm="warmed:load_torch", fork_safe=True)
NETWORK: list[Any] = []


def load_torch():
    """A network of 256 MiB, which has computed once."""
    import torch  # noqa: PLC0415 - for one test

    torch.manual_seed(1)
    NETWORK.append(torch.nn.Sequential(*(torch.nn.Linear(4096, 4096) for _ in range(4))).eval())
    _compute()


def _compute():
    import torch  # noqa: PLC0415 - for one test

    with torch.inference_mode():
        return f"{NETWORK[0](torch.ones(1, 4096)).sum().item():.4f}"


class TorchedDocument(FaultyDocument):
    def page(self, number):
        return Page(_compute())


def open_torched(path, passwords):
    return TorchedDocument(open_document(path, passwords).order)
