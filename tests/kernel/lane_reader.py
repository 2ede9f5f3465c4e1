"""The reader of one lane, in a process of its own: `lane_reader.py BYTES FILE`.

Standard input brings a description of so many bytes, and its end is the end. Everything that is handed out is recorded
in the file. `ready` on standard output says that reading has begun.
"""

import os
import sys
import threading
from pathlib import Path

from pyloader.sources.lane import LaneDescription, LaneSource


def main() -> None:
    """Read the lane to its end."""
    description = LaneDescription.decode(os.read(0, int(sys.argv[1])))
    source = LaneSource(description, record_to=Path(sys.argv[2]))
    source.start()

    def wait() -> None:
        os.read(0, 1)
        source.stop()

    threading.Thread(target=wait, daemon=True).start()
    os.write(1, b"ready\n")
    try:
        while True:
            source.read(None)
    except EOFError:
        source.close()


if __name__ == "__main__":
    main()
