"""Command line of the build chain: `python -m bpf.build objects lib --arch aarch64`."""

import argparse
import sys
from pathlib import Path

from bpf.build import library, objects
from bpf.build.failure import BuildError
from bpf.build.layout import ROOT
from bpf.build.target import Target

STEPS = {"objects": objects.build, "lib": library.build}


def main() -> int:
    """Build what the arguments name and print where it is; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bpf.build", description=__doc__)
    parser.add_argument("steps", nargs="+", choices=sorted(STEPS), help="what to build")
    parser.add_argument(
        "--arch", default=None, help="x86_64 or aarch64 (default: PYLOADER_TARGET_ARCH or this machine)"
    )
    parser.add_argument("--output", type=Path, default=None, help="folder for the outputs of all steps")
    arguments = parser.parse_args()
    try:
        target = Target.named(arguments.arch) if arguments.arch else Target.wanted()
        for step in arguments.steps:
            made = STEPS[step](target, arguments.output)
            print(f"{step:8} {made.relative_to(ROOT) if made.is_relative_to(ROOT) else made}")
    except BuildError as error:
        print(f"bpf.build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
