"""Files whose mention in a command matters, and what reading or writing them means."""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    ACCOUNT_FILE_WRITTEN,
    ESCAPE_FILE_WRITTEN,
    HARDENING_LOWERED,
    HISTORY_FILE_CLEARED,
    KEYS_WRITTEN,
    LOADER_HOOKED,
    LOGIN_RECORDS_CLEARED,
    LOGS_CLEARED,
    MEMORY_READ,
    POLICY_WRITTEN,
    SCHEDULED,
    SECRET_COPIED,
    SECRET_READ,
    START_FILE_WRITTEN,
    Finding,
    Kind,
)
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import base_name, names, plain_name
from pyloader.evidence.shell import Argv, operands

TEMPORARY: Final = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/")  # noqa: S108 - these are judged, not used
"""Where everyone may write."""

_HISTORY = r"(?:bash|zsh|sh|ash|ksh|mysql|python|psql|node_repl|lesshst|viminfo|rediscli)_?hist(?:ory)?"
_LOGIN_FILES = r"bashrc|bash_profile|bash_login|bash_logout|profile|zshrc|zprofile|zshenv|shrc|kshrc|cshrc|tcshrc"

_WRITTEN: Final[dict[Kind, re.Pattern[str]]] = {
    LOADER_HOOKED: pattern(r"/etc/ld\.so\.preload$"),
    ESCAPE_FILE_WRITTEN: pattern(
        r"/release_agent$|/notify_on_release$|/proc/sys/kernel/core_pattern$|/sys/kernel/uevent_helper$"
    ),
    KEYS_WRITTEN: pattern(
        r"(?:^|/)\.ssh/authorized_keys2?$|/etc/ssh/sshd_config|/\.rhosts$|/\.shosts$|/etc/hosts\.equiv$"
    ),
    ACCOUNT_FILE_WRITTEN: pattern(r"/etc/(?:passwd|shadow|gshadow)-?$"),
    POLICY_WRITTEN: pattern(
        r"/etc/sudoers(?:$|\.d/)|/etc/pam\.d/|/etc/pam\.conf$|/etc/polkit-1/|/etc/security/|/lib/.*/pam_\w+\.so$"
    ),
    SCHEDULED: pattern(r"/etc/(?:cron|anacrontab|at\.)|/var/spool/cron|/var/spool/at/"),
    START_FILE_WRITTEN: pattern(
        r"/etc/(?:systemd|init\.d|rc\.|rc\d|rc$|profile|bash\.bashrc|bashrc|zsh|environment$|xdg/autostart|udev/rules"
        r"|modules|ld\.so\.conf|update-motd|NetworkManager/dispatcher|apt/apt\.conf\.d|inittab|X11/Xsession)"
        r"|(?:/usr)?/lib/(?:systemd/system|udev/rules)|\.config/(?:systemd|autostart)|(?:user|site)customize\.py$"
        rf"|\.pth$|/\.git/hooks/|(?:^|/|~)\.(?:{_LOGIN_FILES}|xinitrc|xprofile|vimrc|inputrc)$"
    ),
    HARDENING_LOWERED: pattern(
        r"/proc/sys/kernel/(?:randomize_va_space|yama|kptr|dmesg_r|perf_event)|/sys/fs/selinux/enforce$"
    ),
}
"""What it means to write to a path."""

_DESTROYED: Final[dict[Kind, re.Pattern[str]]] = {
    HISTORY_FILE_CLEARED: pattern(rf"(?:^|/)\.{_HISTORY}$|(?:^|/)\.z?history$|fish_history$"),
    LOGIN_RECORDS_CLEARED: pattern(
        r"/(?:wtmp|btmp|utmp|lastlog|faillog|tallylog)$|/var/log/(?:auth\.log|secure|audit(?:/|$))"
    ),
    LOGS_CLEARED: pattern(
        r"/var/log(?:/(?:syslog|messages|kern\.log|daemon\.log|journal|cron|maillog|mail\.log|\*)|/?$)"
        r"|/var/spool/mail/"
    ),
}
"""What it means to remove, empty or overwrite a path."""

_SECRET = pattern(
    r"/etc/(?:g?shadow|master\.passwd|security/opasswd)-?(?=$|[\s'\":;,)])|/\.ssh/id_(?:rsa|dsa|ecdsa|ed25519)(?=$|[\s'\";)])"
    r"|/etc/ssh/ssh_host_\w+_key(?=$|[\s'\";)])|/\.aws/credentials|/\.kube/config|/\.docker/config\.json|/\.git-credentials"
    r"|/\.netrc(?=$|\s)|/etc/krb5\.keytab|/\.gnupg/(?:secring|private)|/var/run/secrets/kubernetes|/run/secrets/kubernetes"
    r"|/proc/(?:\d+|self|\*)/environ|logins\.json|key[34]\.db|/\.config/gcloud/\w*credentials"
)
_MEMORY = pattern(r"/proc/(?:\d+|self|\$\S*|\*|\"?\$\{?\w+\}?\"?)/mem\b|/proc/kcore|/dev/k?mem\b")
_HINTS: Final = ("/.", "/etc/", "/proc/", "/dev/", "secret", "key")
"""Without one of these there is nothing to find, and looking for them is fast."""

_NO_READERS: Final = names(
    "ls chmod chown chgrp stat test [ echo printf find rm touch ssh scp sftp rsync ssh-add ssh-keygen ssh-copy-id"
    " git sshd kubectl mkdir man file which locate passwd pwck grpck getfacl getent systemctl mount install"
    " restorecon autossh kubelet docker helm aws dpkg apt apt-get ansible sshfs mosh git-lfs ln useradd usermod"
)
_TAKERS: Final = names(
    "cp tar zip base64 base32 xxd nc ncat socat curl wget unshadow john hashcat openssl gzip 7z mv dd od hexdump"
    " ftp tftp uuencode gpg"
)


def written(path: str) -> Kind | None:
    """Return what it means to write to this path, if it means anything."""
    if "/" not in path and not path.startswith("."):
        return None
    for kind, place in _WRITTEN.items():
        if place.search(path):
            return kind
    return None


def destroyed(path: str) -> Kind | None:
    """Return what it means to remove, empty or overwrite this path."""
    for kind, place in _DESTROYED.items():
        if place.search(path):
            return kind
    return None


def is_temporary(path: str) -> bool:
    """Whether a path lies where everyone may write."""
    return path.startswith(TEMPORARY)


def mentioned(line: str, name: str) -> Finding | None:
    """Judge the secrets and the memory that a command names among its arguments, which are one line."""
    for hint in _HINTS:
        if hint in line:
            return _read(name, line)
    return None


def _read(name: str, line: str) -> Finding | None:
    if name in _NO_READERS:
        return None
    if _MEMORY.search(line):
        return Finding(MEMORY_READ, f"{name} {line}")
    if _SECRET.search(line):
        return Finding(SECRET_COPIED if name in _TAKERS else SECRET_READ, f"{name} {line}")
    return None


def destinations(argv: Argv) -> Argv:
    """Return the paths that a command writes to, as far as its arguments tell."""
    name = plain_name(base_name(argv[0]))
    words = operands(argv)
    if name == "tee":
        return words
    if name in ("cp", "mv", "install", "ln", "rsync", "scp"):
        return words[-1:] if len(words) > 1 else ()
    if name == "dd":
        return tuple(word[3:] for word in argv[1:] if word.startswith("of="))
    if name in ("sed", "perl") and any(word.startswith("-") and "i" in word for word in argv[1:3]):
        return words[1:]
    return ()
