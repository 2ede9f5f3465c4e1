"""`python tests/bench`: see README.md beside this file."""

import sys
from pathlib import Path

# The benches' own modules; appended, so that `pyloader` is still the installed one.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from tests.bench.run import main

if __name__ == "__main__":
    sys.exit(main())
