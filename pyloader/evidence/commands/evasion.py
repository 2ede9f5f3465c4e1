"""Commands that blind those who watch: history, logs, times, security services, firewalls, protections."""

import re
from itertools import pairwise
from typing import Final

from pyloader.evidence.catalogue import (
    ATTRIBUTE_LOCKED,
    DEFENCE_STOPPED,
    ESCAPE_FILE_WRITTEN,
    FIREWALL_OPENED,
    HARDENING_LOWERED,
    HISTORY_CLEARED,
    HISTORY_FILE_CLEARED,
    LOG_OVERWRITTEN,
    LOGS_CLEARED,
    TIMESTAMP_FORGED,
    TIMESTAMP_SET,
    Finding,
)
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.files import destinations, destroyed
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import base_name
from pyloader.evidence.shell import Argv, operands

_SECURITY_SERVICES = pattern(
    r"\b(?:auditd|rsyslogd?|syslog(?:-ng|d)?|systemd-journald|apparmor|selinux|falco|tetragon|wazuh(?:-agent)?|ossec\S*|crowdsec"
    r"|falcon-sensor|fail2ban|clamav\S*|clamd|sysmon|osqueryd?|samhain|aide|mdatp|cbagentd|ds_agent|sophos\S*|sentinelone|sentinelctl"
    r"|elastic-agent|auditbeat|filebeat|esets|carbonblack|tripwire|snort|suricata|zeek|pyloader|cylancesvc|xagt|nessusagent)\b"
)
_LOWERED = pattern(
    r"(?:randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict|perf_event_paranoid|unprivileged_bpf_disabled)"
    r"\s*=\s*(?:0|-1)\b"
)
_FIREWALLS = pattern(r"\b(?:firewalld|ufw|nftables|iptables|netfilter-persistent|ip6tables)\b")


def _systemctl(argv: Argv) -> Finding | None:
    words = [word for word in argv[1:] if not word.startswith("-")]
    if not words:
        return None
    verb, text = words[0], " ".join(words[1:])
    if verb in ("stop", "disable", "mask", "kill"):
        if _SECURITY_SERVICES.search(text):
            return Finding(DEFENCE_STOPPED, line(argv))
        if _FIREWALLS.search(text):
            return Finding(FIREWALL_OPENED, line(argv))
    return None


def _service(argv: Argv) -> Finding | None:
    if argv[2:3] in (("stop",), ("off",)):
        if _SECURITY_SERVICES.search(argv[1]):
            return Finding(DEFENCE_STOPPED, line(argv))
        if _FIREWALLS.search(argv[1]):
            return Finding(FIREWALL_OPENED, line(argv))
    return None


def _kill(argv: Argv) -> Finding | None:
    return Finding(DEFENCE_STOPPED, line(argv)) if _SECURITY_SERVICES.search(line(argv[1:])) else None


def _firewall(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    opens = re.search(
        r"(?:^|\s)(?:-F|--flush|-X|disable|flush ruleset|-P (?:INPUT|FORWARD|OUTPUT) ACCEPT|--panic-off)(?:\s|$)", text
    )
    return Finding(FIREWALL_OPENED, line(argv)) if opens else None


def _setenforce(argv: Argv) -> Finding | None:
    return Finding(HARDENING_LOWERED, line(argv)) if argv[1:2] in (("0",), ("Permissive",), ("permissive",)) else None


def _sysctl(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    if re.search(r"core_pattern\s*=\s*['\"]?\|", text):
        return Finding(ESCAPE_FILE_WRITTEN, line(argv))
    return Finding(HARDENING_LOWERED, line(argv)) if _LOWERED.search(text) else None


def _auditctl(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    return Finding(DEFENCE_STOPPED, line(argv)) if re.search(r"-e\s*0\b|(?:^|\s)-D\b", text) else None


def _chattr(argv: Argv) -> Finding | None:
    return Finding(ATTRIBUTE_LOCKED, line(argv)) if any(re.match(r"[-+=]\w*[ia]", word) for word in argv[1:]) else None


def _history(argv: Argv) -> Finding | None:
    clears = any(re.fullmatch(r"-\w*c\w*", word) for word in argv[1:2])
    return Finding(HISTORY_CLEARED, line(argv)) if clears else None


def _shell_option(argv: Argv) -> Finding | None:
    stops = argv[1:3] == ("+o", "history") or (argv[0] == "unset" and any(word.startswith("HIST") for word in argv[1:]))
    return Finding(HISTORY_CLEARED, line(argv)) if stops else None


def _removed(argv: Argv) -> Finding | None:
    for path in operands(argv):
        if kind := destroyed(path):
            wiped = kind is LOGS_CLEARED and base_name(argv[0]) in ("shred", "wipe", "srm")
            return Finding(LOG_OVERWRITTEN if wiped else kind, line(argv))
    return None


def _linked(argv: Argv) -> Finding | None:
    if "/dev/null" in argv and destroyed(argv[-1]) is HISTORY_FILE_CLEARED:
        return Finding(HISTORY_FILE_CLEARED, line(argv))
    return None


def _overwritten(argv: Argv) -> Finding | None:
    """`dd` or `cp /dev/null` onto a log, `sed -i` in a record of logins."""
    name = base_name(argv[0])
    if (
        name == "sed"
        or "/dev/null" in argv
        or any(word in ("if=/dev/zero", "if=/dev/null", "if=/dev/urandom") for word in argv)
    ):
        for path in destinations(argv):
            if kind := destroyed(path):
                wiped = kind is LOGS_CLEARED and name == "dd" and "if=/dev/null" not in argv
                return Finding(LOG_OVERWRITTEN if wiped else kind, line(argv))
    return None


_OF_THE_SYSTEM: Final = ("/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/lib", "/usr/lib")


def _touch(argv: Argv) -> Finding | None:
    for word, following in pairwise(argv):
        taken = re.fullmatch(r"-\w*r", word) and following.startswith(_OF_THE_SYSTEM)
        if taken and not all(path.startswith(_OF_THE_SYSTEM) for path in operands(argv)):
            return Finding(TIMESTAMP_FORGED, line(argv))
    sets = any(re.fullmatch(r"-\w*[tr]|--reference.*|--date.*|-d", word) for word in argv[1:])
    return Finding(TIMESTAMP_SET, line(argv)) if sets else None


RULES: Final[dict[str, tuple[Rule, ...]]] = {
    "systemctl": (_systemctl,),
    **dict.fromkeys(("service", "rc-service", "initctl"), (_service,)),
    **dict.fromkeys(("kill", "pkill", "killall", "skill"), (_kill,)),
    **dict.fromkeys(("iptables", "ip6tables", "nft", "ufw", "firewall-cmd"), (_firewall,)),
    "setenforce": (_setenforce,),
    "sysctl": (_sysctl,),
    "auditctl": (_auditctl,),
    "chattr": (_chattr,),
    **dict.fromkeys(("history", "fc"), (_history,)),
    **dict.fromkeys(("set", "unset"), (_shell_option,)),
    **dict.fromkeys(("rm", "unlink", "shred", "truncate", "wipe", "srm"), (_removed,)),
    "ln": (_linked,),
    **dict.fromkeys(("cp", "mv", "sed", "dd"), (_overwritten,)),
    "touch": (_touch,),
}
