"""RapidOCR as an OCR engine of pdfingest: PaddleOCR's models, run by ONNX Runtime.

Its models take a second to load. They are loaded once, in the image that children are forked from.
Install it beside pdfingest, then: pdfingest run scans/ --ocr rapidocr
"""

import os
from collections.abc import Sequence
from functools import cache
from typing import Any

from pdfingest import Needs, Picture
from pdfingest.ocr.engine import Line, Sight, Word

NEEDS = Needs(warm="pdfingest_rapidocr:load", fork_safe=True)
ONE_THREAD = {f"EngineConfig.onnxruntime.{each}_op_num_threads": 1 for each in ("intra", "inter")}


@cache
def load() -> Any:
    """Load the models, and read a first page, which fits the runtime to pictures of that size."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # else it leaves a thread, which a fork does not have
    import cv2
    import numpy as np
    from rapidocr import RapidOCR

    cv2.setNumThreads(1)
    reader = RapidOCR(params={"Global.log_level": "critical", **ONE_THREAD})
    line = np.full((117, 1654, 3), 255, np.uint8)
    cv2.putText(line, "The first page of many", (200, 80), 0, 1.5, (0, 0, 0), 2)
    reader(np.tile(line, (20, 1, 1)))
    return reader


def languages() -> Sequence[str]:
    """Chinese, and with it English; the models of other languages are not in the wheel."""
    return ["eng", "chi_sim", "chi_tra"]


def missing(language: str) -> str:
    """Say what to do for a language that is not there."""
    return f"RapidOCR's wheel has no model for {language!r}. Use --ocr tesseract."


def folders() -> Sequence[str]:
    """Nothing: the models are in the package."""
    return ()


class RapidReader:
    """Reads pictures, by the protocol `pdfingest.ocr.engine.Reader`."""

    def read(self, picture: Picture) -> Sight:
        """Read one picture; a line that it finds is a box of four corners."""
        import numpy as np

        gray = np.frombuffer(picture.data, np.uint8).reshape(picture.height, picture.width)
        found = load()(np.dstack([gray] * 3), return_word_box=True)
        if found.txts is None:
            return Sight(())
        lines = zip(found.txts, found.scores, found.boxes, found.word_results, strict=True)
        return Sight(tuple(_line([*filter(None, words)] or [line]) for *line, words in lines))

    def close(self) -> None:
        """Nothing: the process ends."""


def _line(words: Sequence[Any]) -> Line:
    read = []
    for text, confidence, corners in words:
        xs, ys = zip(*corners, strict=True)
        read.append(Word(text, min(xs), min(ys), max(xs), max(ys), float(confidence)))
    top, bottom = min(word.top for word in read), max(word.bottom for word in read)
    return Line(tuple(read), baseline=bottom - 0.25 * (bottom - top), size=0.8 * (bottom - top))


def open_reader(languages: Sequence[str]) -> RapidReader:
    """Make a reader: one model reads all languages that there are."""
    load()
    return RapidReader()
