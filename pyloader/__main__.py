"""`python -m pyloader` is the command `pyloader`."""

import sys

from pyloader.cli import main

sys.exit(main())
