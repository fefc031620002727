"""A program that imports an engine and ends, for an import may hang or kill its process."""

import sys

from pdfingest.engines.engine import load_engine
from pdfingest.errors import PdfingestError
from pdfingest.job import EngineSpec

if __name__ == "__main__":
    try:
        name, target, version = sys.argv[1:]
        load_engine(EngineSpec(name, target, version))
    except PdfingestError as error:
        sys.exit(str(error))
