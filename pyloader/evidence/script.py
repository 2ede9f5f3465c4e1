"""What shell code that is given with `-c` does: its pipelines, its commands and its redirections.

The commands of the code that are programs are executed and judged again on their own. The code shows what they do
not: builtins such as `history -c`, redirections into files, and what is piped where before any of it has started.
"""

import re

from pyloader.evidence.catalogue import Finding
from pyloader.evidence.code import judge_pipeline, network_device, scrambled
from pyloader.evidence.commands import assignment, judge, written_by
from pyloader.evidence.programs import base_name, plain_name
from pyloader.evidence.shell import NESTING, SHELLS, pipelines, shell_code, unwrapped

_WORD = re.compile(r"[\w-]+")
_INTERESTING = frozenset(
    "tcp udp shm mem kmem curl wget wget2 fetch aria2c lynx lwp-request lwp-download base64 base32 basenc xxd openssl gpg"
    " uudecode nc ncat netcat socat telnet cryptcat history HISTFILE HISTSIZE HISTFILESIZE LD_PRELOAD LD_AUDIT crontab"
    " systemctl service chmod setcap useradd adduser usermod insmod modprobe chattr setenforce iptables ip6tables ufw nft"
    " auditctl sysctl nsenter docker podman nerdctl ctr shadow shred truncate touch wtmp btmp lastlog release_agent"
    " core_pattern sudoers authorized_keys rev pkill killall ztcp gcore gdb inet xmrig id_rsa id_ed25519 PAGER".split()
)
"""Words without which code is not read: a path counts by its parts."""
_REDIRECTED = re.compile(r">\s*(?!/dev/null)['\"~/$.]")


def judge_script(code: str, depth: int = 0) -> tuple[Finding, ...]:
    """Return what shell code does that matters."""
    found: list[Finding] = []
    if not _INTERESTING.isdisjoint(_WORD.findall(code)) or (">" in code and _REDIRECTED.search(code)):
        found += _judge_commands(code, depth)
    if hidden := scrambled(code):
        found.append(hidden)
    return tuple(found)


def _judge_commands(code: str, depth: int) -> list[Finding]:
    found: list[Finding] = []
    if device := network_device(code):
        found.append(device)
    for pipeline in pipelines(code):
        found += judge_pipeline(pipeline)
        for command in pipeline:
            argv = unwrapped(command.argv)
            name = plain_name(base_name(argv[0])) if argv else ""
            if argv:
                found += judge(argv, name)
            if preset := assignment(command.assignments):
                found.append(preset)
            for path in command.writes:
                if redirected := written_by(path, " ".join(argv), name in _EMPTYING):
                    found.append(redirected)
            if name in SHELLS and depth < NESTING and (inner := shell_code(argv)):
                found += judge_script(inner, depth + 1)
    return found


_EMPTYING = frozenset({"", ":", "true", "echo", "printf", "cat", "dd", "truncate"})
"""Commands whose output into a log replaces what the log said."""
