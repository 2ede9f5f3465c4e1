"""Everything that pyloader raises on purpose.

The text of an exception says what failed, on what, and what to do, in one or two sentences. What only an expert wants
to read (the verifier's log, libbpf's log) is in `log`.
"""


class PyloaderError(Exception):
    """The base of all of pyloader's exceptions. `log` holds the long story, or is empty."""

    def __init__(self, message: str, *, log: str = "") -> None:
        super().__init__(message)
        self.log = log


class UsageError(PyloaderError):
    """What was asked for does not exist or makes no sense; the text says what does."""


class NotPermittedError(PyloaderError):
    """The user or the kernel's policy does not allow it; the text names the missing right."""


class UnsupportedError(PyloaderError):
    """This host cannot do it: its kernel, architecture or configuration lacks something that the text names."""


class LoadError(PyloaderError):
    """The kernel or libbpf refused an object, a program or an attachment; `program` names it if it is one."""

    def __init__(self, message: str, *, log: str = "", program: str = "") -> None:
        super().__init__(message, log=log)
        self.program = program


class RecordingError(PyloaderError):
    """A recording cannot be read; `offset` is the position in bytes of the damage."""

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class ClosedError(PyloaderError):
    """A resource was used after it had been closed."""
