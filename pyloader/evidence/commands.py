"""What a single command does, judged by its program's name and its arguments.

`RULES` maps a program's plain name to the rules that read its arguments; most programs have none. A rule takes the
argument vector and returns what it found, or nothing.
"""

import re
from collections.abc import Callable
from typing import Final

from pyloader.evidence.catalogue import (
    ACCOUNT_CREATED,
    ATTRIBUTE_LOCKED,
    DEFENCE_STOPPED,
    ESCAPE_FILE_WRITTEN,
    FILE_CAPABILITY,
    FILE_CAPABILITY_ROOT,
    FIREWALL_OPENED,
    HARDENING_LOWERED,
    HISTORY_CLEARED,
    HISTORY_FILE_CLEARED,
    HOST_MOUNTED,
    HOST_MOUNTED_SHELL,
    KEY_HUNT,
    LIBRARY_PRELOADED,
    LIBRARY_PRELOADED_TEMPORARY,
    MEMORY_DUMP,
    MINER,
    MODULE_LOADED,
    MODULE_LOADED_TEMPORARY,
    NAMESPACE_ENTERED,
    NETWORK_SCAN,
    OFFENSIVE_TOOL,
    RELAY_LISTENS,
    RELAY_RUNS_PROGRAM,
    ROOT_ACCOUNT,
    SCHEDULED,
    SETUID_BIT,
    SETUID_BIT_TEMPORARY,
    SETUID_HUNT,
    TIMESTAMP_SET,
    TRANSIENT_UNIT,
    UNIT_ENABLED,
    Finding,
    Kind,
)
from pyloader.evidence.code import talks
from pyloader.evidence.files import destinations, destroyed, is_temporary, mentioned, written
from pyloader.evidence.programs import base_name, plain_name
from pyloader.evidence.shell import Argv, SHELLS, operands

Rule = Callable[[Argv], Finding | None]

_SECURITY_SERVICES = re.compile(
    r"\b(?:auditd|rsyslogd?|syslog(?:-ng|d)?|systemd-journald|apparmor|selinux|falco|tetragon|wazuh(?:-agent)?|ossec\S*|crowdsec"
    r"|falcon-sensor|fail2ban|clamav\S*|clamd|sysmon|osqueryd?|samhain|aide|mdatp|cbagentd|ds_agent|sophos\S*|sentinelone|sentinelctl"
    r"|elastic-agent|auditbeat|filebeat|esets|carbonblack|tripwire|snort|suricata|zeek|pyloader|cylancesvc|xagt|nessusagent)\b"
)
_FIREWALLS = re.compile(r"\b(?:firewalld|ufw|nftables|iptables|netfilter-persistent|ip6tables)\b")


def line(argv: Argv) -> str:
    """Return a command as its reader would type it."""
    return " ".join(argv)


def _relay(argv: Argv) -> Finding | None:
    for position, word in enumerate(argv[1:], start=1):
        if word.startswith("--"):
            if word.startswith(("--exec", "--sh-exec", "--lua-exec")):
                return Finding(RELAY_RUNS_PROGRAM, line(argv))
        elif word.startswith("-") and word[-1:] in ("e", "c"):
            following = argv[position + 1] if position + 1 < len(argv) else ""
            if "/" in following or plain_name(following.split(" ")[0]) in SHELLS or following.startswith("cmd"):
                return Finding(RELAY_RUNS_PROGRAM, line(argv))
        elif word.startswith("-") and re.match(r"-[a-z]*e/", word):
            return Finding(RELAY_RUNS_PROGRAM, line(argv))
    if any(word == "--listen" or re.match(r"-[a-zA-Z]*l", word) for word in argv[1:]):
        return Finding(RELAY_LISTENS, line(argv))
    return None


_SOCAT_RUNS = re.compile(r"(?:^|!!)(?:exec|system|shell):", re.IGNORECASE)
_SOCAT_NETWORK = re.compile(r"^(?:tcp|udp|ssl|openssl|sctp|socks|proxy|ip\d?[-:]|vsock|dtls|quic)", re.IGNORECASE)


def _socat(argv: Argv) -> Finding | None:
    addresses = argv[1:]
    network = any(_SOCAT_NETWORK.match(word) for word in addresses)
    if network and any(_SOCAT_RUNS.search(word) for word in addresses):
        return Finding(RELAY_RUNS_PROGRAM, line(argv))
    if network and any("listen" in word.lower() for word in addresses):
        return Finding(RELAY_LISTENS, line(argv))
    return None


def _crontab(argv: Argv) -> Finding | None:
    words = argv[1:]
    if any(word.startswith("-") and len(word) > 1 and word[-1] in "leri" for word in words):
        return None
    return Finding(SCHEDULED, line(argv))


def _at(argv: Argv) -> Finding | None:
    return Finding(SCHEDULED, line(argv)) if len(argv) > 1 and argv[1] not in ("-l", "-V", "-c", "-d", "-r") else None


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
    if verb in ("enable", "link", "reenable"):
        return Finding(UNIT_ENABLED, line(argv))
    return None


def _service(argv: Argv) -> Finding | None:
    if len(argv) > 2 and argv[2] in ("stop", "off"):
        if _SECURITY_SERVICES.search(argv[1]):
            return Finding(DEFENCE_STOPPED, line(argv))
        if _FIREWALLS.search(argv[1]):
            return Finding(FIREWALL_OPENED, line(argv))
    return None


def _systemd_run(argv: Argv) -> Finding | None:
    timed = any(word.startswith(("--on-", "--timer")) for word in argv)
    return Finding(TRANSIENT_UNIT, line(argv)) if timed else None


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
    lowers = r"(?:randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict|perf_event_paranoid|unprivileged_bpf_disabled|nmi_watchdog)\s*=\s*(?:0|-1)\b"
    return Finding(HARDENING_LOWERED, line(argv)) if re.search(lowers, text) else None


def _auditctl(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    return Finding(DEFENCE_STOPPED, line(argv)) if re.search(r"-e\s*0\b|(?:^|\s)-D\b", text) else None


def _chattr(argv: Argv) -> Finding | None:
    return Finding(ATTRIBUTE_LOCKED, line(argv)) if any(re.match(r"[-+=]\w*[ia]", word) for word in argv[1:]) else None


def _chmod(argv: Argv) -> Finding | None:
    mode = next((word for word in argv[1:] if not word.startswith("--") and not re.fullmatch(r"-[Rvcf]+", word)), "")
    if not re.fullmatch(r"0?[2467][0-7]{3}|.*[+=][rwxXt]*s[rwxXst]*.*", mode) or mode.startswith(("o", "/")):
        return None
    if re.fullmatch(r"0?2[0-7]{3}|g[+=]\w*", mode):
        return Finding(SETUID_BIT, line(argv)) if not mode.startswith(("2", "02")) else None
    files = operands(argv)[1:]
    if any(is_temporary(path) or base_name(path) in SHELLS for path in files):
        return Finding(SETUID_BIT_TEMPORARY, line(argv))
    return Finding(SETUID_BIT, line(argv))


def _setcap(argv: Argv) -> Finding | None:
    text = line(argv[1:]).lower()
    if re.search(
        r"cap_(?:setuid|setgid|sys_admin|sys_ptrace|dac_override|dac_read_search|sys_module|chown|fowner|setfcap)|\ball\b",
        text,
    ):
        return Finding(FILE_CAPABILITY_ROOT, line(argv))
    return Finding(FILE_CAPABILITY, line(argv)) if "cap_" in text else None


def _account(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    if re.search(r"(?:-u|--uid)[= ]?0\b", text) and re.search(r"(?:-o\b|--non-unique|-\w*o\w* )", text + " "):
        return Finding(ROOT_ACCOUNT, line(argv))
    return (
        Finding(ACCOUNT_CREATED, line(argv)) if len(argv) > 1 and base_name(argv[0]) in ("useradd", "adduser") else None
    )


def _module(argv: Argv) -> Finding | None:
    files = [word for word in argv[1:] if ".ko" in word]
    if not files:
        return None
    return Finding(MODULE_LOADED_TEMPORARY if any(is_temporary(path) for path in files) else MODULE_LOADED, line(argv))


def _history(argv: Argv) -> Finding | None:
    clears = any(re.fullmatch(r"-\w*c\w*", word) for word in argv[1:2])
    return Finding(HISTORY_CLEARED, line(argv)) if clears else None


def _shell_option(argv: Argv) -> Finding | None:
    stops = argv[1:3] == ("+o", "history") or (argv[0] == "unset" and any(word.startswith("HIST") for word in argv[1:]))
    return Finding(HISTORY_CLEARED, line(argv)) if stops else None


def _export(argv: Argv) -> Finding | None:
    return assignment(argv[1:])


def _removed(argv: Argv) -> Finding | None:
    for path in operands(argv):
        if kind := destroyed(path):
            return Finding(kind, line(argv))
    return None


def _linked(argv: Argv) -> Finding | None:
    if "/dev/null" in argv and destroyed(argv[-1]) is HISTORY_FILE_CLEARED:
        return Finding(HISTORY_FILE_CLEARED, line(argv))
    return None


def _writes(argv: Argv) -> Finding | None:
    for path in destinations(argv):
        if kind := written(path):
            return Finding(kind, line(argv))
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
                return Finding(kind, line(argv))
    return None


def _touch(argv: Argv) -> Finding | None:
    sets = any(re.fullmatch(r"-\w*[tr]|--reference.*|--date.*|-d", word) for word in argv[1:])
    return Finding(TIMESTAMP_SET, line(argv)) if sets else None


def _find(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    if re.search(r"-perm\s+[-/+]?(?:0?[246][0-7]{3}|[ug]*[+=]?s\b|u=s|g=s)", text) and "-exec" not in text:
        return Finding(SETUID_HUNT, line(argv))
    if re.search(r"id_rsa|id_dsa|id_ed25519|\.pem\b|\*\.key\b|\.kdbx|authorized_keys|password|\.git-credentials", text):
        return Finding(KEY_HUNT, line(argv))
    return None


def _getcap(argv: Argv) -> Finding | None:
    return Finding(SETUID_HUNT, line(argv)) if "-r" in argv[1:] else None


def _grep(argv: Argv) -> Finding | None:
    text = line(argv[1:])
    hunts = re.search(r"(?:^|\s)-\w*[rR]\w*\s", text) and re.search(
        r"passw|PRIVATE KEY|secret|AKIA|api_?key", text, re.IGNORECASE
    )
    return Finding(KEY_HUNT, line(argv)) if hunts else None


def _nsenter(argv: Argv) -> Finding | None:
    text = f"{line(argv[1:])} "
    return Finding(NAMESPACE_ENTERED, line(argv)) if re.search(r"(?:-t\s*|--target[= ])1\s|/proc/1/ns", text) else None


def _container(argv: Argv) -> Finding | None:
    text = f"{line(argv[1:])} "
    if not re.search(r"\b(?:run|create|exec)\b", text):
        return None
    mounted = re.search(r"(?:-v|--volume|src=|source=)[= ]?/:/\S*|(?:src|source)=/,", text)
    privileged = "--privileged" in text and re.search(r"--pid[= ]host", text)
    if mounted and ":ro" not in text:
        opens = re.search(r"\bchroot\b|\s(?:/\w+)*/?(?:ba|da|z|a)?sh\s", text)
        return Finding(HOST_MOUNTED_SHELL if opens else HOST_MOUNTED, line(argv))
    return Finding(HOST_MOUNTED, line(argv)) if privileged else None


def _debugger(argv: Argv) -> Finding | None:
    attaches = any(re.fullmatch(r"-p|--pid(?:=\S*)?|attach|-p\d+", word) for word in argv[1:])
    return Finding(MEMORY_DUMP, line(argv)) if attaches or base_name(argv[0]) == "gcore" else None


def _scan(argv: Argv) -> Finding | None:
    return Finding(NETWORK_SCAN, line(argv)) if len(argv) > 1 else None


def _offensive(argv: Argv) -> Finding | None:
    return Finding(OFFENSIVE_TOOL, line(argv))


def _miner(argv: Argv) -> Finding | None:
    return (
        Finding(MINER, line(argv))
        if re.search(r"stratum\+|--donate-level|--randomx|-o\s+\S*pool", line(argv))
        else Finding(OFFENSIVE_TOOL, line(argv))
    )


def _ldconfig(argv: Argv) -> Finding | None:
    return assignment(argv[1:])


def assignment(words: Argv) -> Finding | None:
    """Judge the environment that a command is given: preloaded libraries, history that goes nowhere."""
    for word in words:
        if word.startswith(("LD_PRELOAD=", "LD_AUDIT=")) and word[-1] != "=":
            temporary = is_temporary(word.partition("=")[2].strip("'\""))
            return Finding(LIBRARY_PRELOADED_TEMPORARY if temporary else LIBRARY_PRELOADED, line(words))
        if word.startswith(("HISTFILE=/dev/null", "HISTSIZE=0", "HISTFILESIZE=0", "HISTFILE=")) and word in (
            "HISTFILE=/dev/null",
            "HISTSIZE=0",
            "HISTFILESIZE=0",
            "HISTFILE=",
        ):
            return Finding(HISTORY_CLEARED, line(words))
    return None


_TABLE: Final[tuple[tuple[str, tuple[Rule, ...]], ...]] = (
    ("awk gawk mawk nawk", (talks,)),
    ("nc netcat ncat cryptcat pwncat sbd", (_relay,)),
    ("socat", (_socat,)),
    ("crontab", (_crontab,)),
    ("at batch", (_at,)),
    ("systemctl", (_systemctl,)),
    ("service rc-service initctl", (_service,)),
    ("systemd-run", (_systemd_run,)),
    ("kill pkill killall skill", (_kill,)),
    ("iptables ip6tables nft ufw firewall-cmd", (_firewall,)),
    ("setenforce", (_setenforce,)),
    ("sysctl", (_sysctl,)),
    ("auditctl", (_auditctl,)),
    ("chattr", (_chattr,)),
    ("chmod", (_chmod,)),
    ("setcap", (_setcap,)),
    ("useradd adduser usermod", (_account,)),
    ("insmod modprobe kmod", (_module,)),
    ("history fc", (_history,)),
    ("set unset", (_shell_option,)),
    ("export declare env", (_export,)),
    ("rm unlink shred truncate wipe srm", (_removed,)),
    ("ln", (_linked, _writes)),
    ("cp mv", (_overwritten, _writes)),
    ("tee install rsync scp perl", (_writes,)),
    ("sed dd", (_overwritten, _writes)),
    ("touch", (_touch,)),
    ("find", (_find,)),
    ("getcap", (_getcap,)),
    ("grep egrep fgrep rg ag", (_grep,)),
    ("nsenter", (_nsenter,)),
    ("docker podman nerdctl ctr crictl", (_container,)),
    ("gdb gcore lldb procdump pidstat", (_debugger,)),
    ("nmap masscan zmap rustscan unicornscan hping3 nikto arp-scan netdiscover fping", (_scan,)),
    (
        "linpeas linpeas.sh linpeas_linux_amd64 pspy pspy32 pspy64 chisel ligolo ligolo-agent mimipenguin lazagne thc-hydra"
        " john hashcat msfvenom msfconsole meterpreter weevely crackmapexec nxc netexec sqlmap gobuster ffuf dirbuster wfuzz"
        " LinEnum.sh linenum.sh les.sh linux-exploit-suggester.sh lse.sh evil-winrm bloodhound-python secretsdump.py"
        " impacket-secretsdump ettercap bettercap dnscat dnscat2 reptile diamorphine deepce.sh amicontained traitor unshadow"
        " gs-netcat suid3num.py unix-privesc-check",
        (_offensive,),
    ),
    ("xmrig minerd cpuminer t-rex xmr-stak ethminer nbminer kdevtmpfsi kinsing", (_miner,)),
)
RULES: Final[dict[str, tuple[Rule, ...]]] = {name: rules for names, rules in _TABLE for name in names.split()}

_SHELL_BUILTINS: Final = frozenset({"history", "fc", "set", "unset", "export", "declare"})


def judge(argv: Argv, name: str) -> list[Finding]:
    """Return what the rules of a program find in a command."""
    found = [finding for rule in RULES.get(name, ()) if (finding := rule(argv)) is not None]
    secret = mentioned(argv, name)
    if secret is not None:
        found.append(secret)
    return found


def written_by(path: str, command: str, empties: bool) -> Finding | None:
    """Judge a redirection of shell code into a file."""
    kind: Kind | None = written(path)
    if kind is None and empties:
        kind = destroyed(path)
    return Finding(kind, f"{command} > {path}") if kind is not None else None
