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


class ConfigError(UsageError):
    """A setting makes no sense; the text names the file, variable or flag, the key, and what was expected."""


class NotPermittedError(PyloaderError):
    """The user or the kernel's policy does not allow it; the text names the missing right."""


class NotRootError(NotPermittedError):
    """An ordinary user asks for what takes root or capabilities."""


class MissingCapabilityError(NotPermittedError):
    """Some of the capabilities are there, or root is, and still one is missing, as in a container."""


class LockdownError(NotPermittedError):
    """The kernel is locked down so far that no program may read its memory."""


class UnsupportedError(PyloaderError):
    """This host cannot do it: its kernel, architecture or configuration lacks something that the text names."""


class ArchitectureError(UnsupportedError):
    """No build of pyloader is for this kind of machine."""


class KernelTypesError(UnsupportedError):
    """The kernel's types (BTF) are missing, or the file that shall describe them does not."""


class OldKernelError(UnsupportedError):
    """The kernel lacks a kind of program that no other can stand in for."""


class InstallationError(UnsupportedError):
    """A file that belongs to the package is missing, damaged, or made for another machine."""


class LibraryError(InstallationError):
    """It is the bundled libbpf."""


class ObjectError(InstallationError):
    """It is a BPF object, or the manifest of the objects."""


class BusyError(PyloaderError):
    """Another process does this already; the text names it."""


class LoadError(PyloaderError):
    """The kernel or libbpf refused an object, a program or an attachment.

    `program` names the program if it is one, and `errno` is the kernel's or libbpf's error number, or 0.
    """

    def __init__(self, message: str, *, log: str = "", program: str = "", errno: int = 0) -> None:
        super().__init__(message, log=log)
        self.program = program
        self.errno = errno


class VerifierError(LoadError):
    """The kernel's verifier refused a program; the text holds its reason, `log` the way there."""


class AttachError(LoadError):
    """The kernel loaded a program and refused to attach it."""


class RecordingError(PyloaderError):
    """A recording cannot be read; `offset` is the position in bytes of the damage."""

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class StateError(PyloaderError):
    """What the sensor knows cannot be kept or brought back; the text says where, and what to do."""


class NewerStateError(StateError):
    """A later version of pyloader wrote it."""


class WorkerError(PyloaderError):
    """A process that is to score cannot begin; the text says which, and why as far as it is known."""


class ClosedError(PyloaderError):
    """A resource was used after it had been closed."""


class ForkedError(PyloaderError):
    """What one process made was used in another, to which a fork has given a copy."""


class NatsError(PyloaderError):
    """NATS cannot be used as it was asked for; the text says with which server, and what to do."""


class NatsUnreachableError(NatsError):
    """No server answers; one may do so later."""


class NatsRefusedError(NatsError):
    """A server answers, and one side does not trust the other: the credentials or the certificates are wrong."""
