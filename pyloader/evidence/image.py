"""What an image says by where it lies and what it is called."""

from typing import Final

from pyloader.evidence.catalogue import (
    DELETED_DROP,
    DELETED_IMAGE,
    FAKE_DAEMON,
    FAKE_KERNEL_THREAD,
    HIDDEN_IMAGE,
    HIDDEN_SYSTEM_IMAGE,
    MEMORY_FILE,
    PROGRAM_ON_SOCKET,
    SHARED_MEMORY_IMAGE,
    TEMPORARY_IMAGE,
)
from pyloader.evidence.files import is_temporary
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, Role, names
from pyloader.evidence.shell import Argv, operands
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import ExecFlag, Stdio

SPECIAL: Final = int(ExecFlag.MEMFD | ExecFlag.DELETED | ExecFlag.WORLD_WRITABLE)
_MEMFD: Final = int(ExecFlag.MEMFD)
_DELETED: Final = int(ExecFlag.DELETED)
_WORLD_WRITABLE: Final = int(ExecFlag.WORLD_WRITABLE)

_ON_SOCKET: Final = Stdio.INET_SOCKET | Stdio.INET_SOCKET << 4

SYSTEM: Final = ("/usr/", "/bin/", "/sbin/", "/lib", "/opt/", "/snap/", "/nix/store/")
"""Where programs are installed."""

_RUNTIME_CLONE = pattern(r"memfd:(?:runc_cloned|runc|crun|lxc|lxd|incus)")
"""Container runtimes run themselves from a sealed copy, so that a container cannot overwrite them (CVE-2019-5736)."""

_HIDDEN = pattern(r"/(\.[^/]+)")
_HOMES: Final = (
    "/home/",
    "/root/",
    "/Users/",
    "/var/lib/",
    "/workspace",
    "/srv/",
    "/github/",
    "/builds/",
    "/opt/",
    "/usr/",
    "/nix/",
    "/mnt/",
    "/data/",
)
_ORDINARY_HIDDEN: Final = names(
    ".local .cargo .nvm .venv .pyenv .npm .rustup .vscode-server .vscode .git .config .cache .rbenv .rvm .sdkman"
    " .asdf .gradle .m2 .dotnet .nodenv .goenv .go .bun .deno .yarn .pnpm-store .poetry .conda .mamba .tox .nox"
    " .virtualenvs .env .build .linuxbrew .nix-profile .krew .kube .docker .terraform.d .tfenv .jenv .volta .fzf"
    " .oh-my-zsh .vim .emacs.d .opam .ghcup .cabal .stack .elan .julia .juliaup .steam .wine .mozilla .var"
    " .cursor-server .cursor .windsurf-server .jetbrains .pulumi .fly .foundry .modular .mix .hex .arduino15"
    " .platformio .android .pixi .uv .hatch .eggs .bundle .gem .composer .julia .mise .proto .phpenv .plenv"
    " .pub-cache .swiftpm .swiftly .dapr .wasmtime .wasmer .rye .aws-sam .helix .vscode-remote .husky .yalc .turbo"
    " .next .nuget .fvm .zig .crystal .ansible .vagrant.d .minikube .lima .colima .rd .orbstack"
)
_MOUNTED_APPLICATION = pattern(
    r"^\.(?:mount_|org\.chromium|com\.google|snap|X11|ICE|font|wine|pyenv|venv|tox|build|cache|git|local|npm|cargo)"
)
_KERNEL_THREAD = pattern(r"^\[.+\]$")


def judge_image(process: Process, program: Program, before: int) -> list[Evidence]:
    """Judge an image that is special by its flags or does not lie where programs are installed."""
    exe, flags = process.exe, process.flags
    path = process.filename if flags & int(ExecFlag.SCRIPT) and process.filename.startswith("/") else exe
    found: list[Evidence] = []
    if flags & _MEMFD or exe.startswith("/memfd:"):
        if not (_RUNTIME_CLONE.search(exe) and before & (Trait.TERMINAL | Trait.DAEMON)):
            found.append(MEMORY_FILE.about(process, f"{process.filename} is {exe}"))
        return found
    if flags & _DELETED:
        dropped = is_temporary(path) or process.filename.startswith(("/proc/", "/dev/fd/"))
        updated = process.filename == "/proc/self/exe" and not is_temporary(path)
        found.append((DELETED_DROP if dropped and not updated else DELETED_IMAGE).about(process, path))
    if path.startswith(("/dev/", "/run/shm/")) and not path.startswith("/dev/fd/"):
        found.append(SHARED_MEMORY_IMAGE.about(process, path))
    elif flags & _WORLD_WRITABLE or is_temporary(path):
        found.append(TEMPORARY_IMAGE.about(process, path))
    hidden = next((part for part in _HIDDEN.findall(path) if part not in _ORDINARY_HIDDEN), None)
    if hidden is not None:
        outside = not path.startswith(_HOMES) and not _MOUNTED_APPLICATION.match(hidden)
        odd = not hidden.strip(". ")
        found.append((HIDDEN_SYSTEM_IMAGE if outside or odd else HIDDEN_IMAGE).about(process, path))
    if process.stdio & 0xFF == _ON_SOCKET and not before & (Trait.INETD | Trait.SERVICE) and is_out_of_place(path):
        found.append(PROGRAM_ON_SOCKET.about(process, path))
    if program.roles & Role.DAEMON and _is_no_place_for(program, exe):
        found.append(FAKE_DAEMON.about(process, exe))
    return found


def came_from_nowhere(process: Process, program: Program, argv: Argv) -> bool:
    """Whether a process runs what nobody installed.

    That is a file out of a place for temporary files or a hidden one, one without a name, or code that was typed.
    """
    if process.flags & SPECIAL:
        return True
    places = [process.exe]
    if process.flags & int(ExecFlag.SCRIPT):
        places.append(process.filename)
    elif program.roles & _RUNS_CODE:
        if _TYPED.fullmatch(argv[1] if len(argv) > 1 else ""):
            return True
        places += operands(argv)[:1]
    return any(is_out_of_place(path) for path in places)


def is_out_of_place(path: str) -> bool:
    """Whether no program is installed here: in a place for temporary files, a device, or a hidden place.

    The hidden places that are usual are usual in homes only.
    """
    if is_temporary(path) or path.startswith("/dev/"):
        return True
    if "/." not in path:
        return False
    return not path.startswith(("/home/", "/root/")) or any(
        part not in _ORDINARY_HIDDEN for part in _HIDDEN.findall(path)
    )


_RUNS_CODE: Final = Role.SHELL | Role.INTERPRETER
_TYPED = pattern(r"-\w*[ceE]|--eval|-r")


def judge_name(process: Process, program: Program, claimed: Program) -> list[Evidence]:
    """Judge the name that the caller gave (`exec -a`), which differs from that of the image."""
    name, comm = process.args[0], process.comm
    bracketed = name[:1] == "[" or comm[:1] == "["
    if bracketed and process.exe and (_KERNEL_THREAD.match(name) or _KERNEL_THREAD.match(comm)):
        return [FAKE_KERNEL_THREAD.about(process, process.exe)]
    if claimed.roles & Role.DAEMON and program.roles & _DISGUISED and not program.roles & Role.DAEMON:
        return [FAKE_DAEMON.about(process, process.exe)]
    return []


_DISGUISED: Final = Role.SHELL | Role.INTERPRETER | Role.RELAY | Role.DOWNLOADER
"""Programs that hide under the names of daemons."""


def _is_no_place_for(program: Program, exe: str) -> bool:
    """Whether a daemon would not lie here: nobody's lies where everyone may write, the system's in no home."""
    if is_temporary(exe) or exe.startswith("/dev/"):
        return True
    return not program.roles & (Role.SERVER | Role.MAILER) and exe.startswith(("/home/", "/root/"))
