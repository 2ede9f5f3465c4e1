"""`python -m pyloader.workers DESCRIPTOR`: what a sensor starts as one of its workers."""

import sys

from pyloader.sources.lane import LaneDescription, LaneSource
from pyloader.workers.child import main

if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), lambda described: LaneSource(LaneDescription.decode(described))))
