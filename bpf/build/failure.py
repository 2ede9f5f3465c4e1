"""The one exception of the build chain."""


class BuildError(Exception):
    """A step of the build failed; the message says which one, on what, and what to do."""
