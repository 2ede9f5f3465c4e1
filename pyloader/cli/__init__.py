"""The command line: one small module per command."""

from pyloader.cli.main import main

__all__ = ["main"]
