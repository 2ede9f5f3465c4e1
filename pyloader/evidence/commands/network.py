"""Commands that connect, listen and scan: relays, scanners, miners and the names of attack tools."""

import re
from typing import Final

from pyloader.evidence.catalogue import (
    MINER,
    NETWORK_SCAN,
    OFFENSIVE_TOOL,
    PORT_PROBE,
    RELAY_LISTENS,
    RELAY_RUNS_PROGRAM,
    SOCKET_ONE_LINER,
    Finding,
)
from pyloader.evidence.commands.rule import Rule, line
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import base_name, names, plain_name
from pyloader.evidence.shell import SHELLS, Argv


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


_SOCAT_RUNS = pattern(r"(?:^|!!)(?:exec|system|shell):", re.IGNORECASE)
_SOCAT_NETWORK = pattern(r"^(?:tcp|udp|ssl|openssl|sctp|socks|proxy|ip\d?[-:]|vsock|dtls|quic)", re.IGNORECASE)


def _socat(argv: Argv) -> Finding | None:
    addresses = argv[1:]
    network = any(_SOCAT_NETWORK.match(word) for word in addresses)
    if network and any(_SOCAT_RUNS.search(word) for word in addresses):
        return Finding(RELAY_RUNS_PROGRAM, line(argv))
    if network and any("listen" in word.lower() for word in addresses):
        return Finding(RELAY_LISTENS, line(argv))
    return None


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


def runs_program(argv: Argv) -> bool:
    """Whether a relay was told to run a program for its connection."""
    if not argv:
        return False
    finding = (_socat if base_name(argv[0]) == "socat" else _relay)(argv)
    return finding is not None and finding.kind is RELAY_RUNS_PROGRAM


def _talks(argv: Argv) -> Finding | None:
    """A program for gawk, which opens `/inet/tcp/…` as a file."""
    program = next((word for word in argv[1:] if "/inet/" in word), "")
    if not program:
        return None
    serves = "|&" in program and ("getline" in program or "system" in program)
    return Finding(SOCKET_ONE_LINER if serves else PORT_PROBE, program)


_SCANNERS: Final = names("nmap masscan zmap rustscan unicornscan hping3 nikto arp-scan netdiscover fping")
_MINERS: Final = names("xmrig minerd cpuminer t-rex xmr-stak ethminer nbminer kdevtmpfsi kinsing")
_ATTACK_TOOLS: Final = names(
    "linpeas linpeas.sh linpeas_linux_amd64 pspy pspy32 pspy64 chisel ligolo ligolo-agent mimipenguin"
    " lazagne thc-hydra john"
    " hashcat msfvenom msfconsole meterpreter weevely crackmapexec nxc netexec sqlmap gobuster ffuf dirbuster wfuzz"
    " LinEnum.sh linenum.sh les.sh linux-exploit-suggester.sh lse.sh evil-winrm bloodhound-python secretsdump.py"
    " impacket-secretsdump ettercap bettercap dnscat dnscat2 reptile diamorphine deepce.sh amicontained"
    " traitor unshadow"
    " gs-netcat suid3num.py unix-privesc-check"
)

RULES: Final[dict[str, tuple[Rule, ...]]] = {
    **dict.fromkeys(("nc", "netcat", "ncat", "cryptcat", "pwncat", "sbd"), (_relay,)),
    "socat": (_socat,),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), (_talks,)),
    **dict.fromkeys(_SCANNERS, (_scan,)),
    **dict.fromkeys(_MINERS, (_miner,)),
    **dict.fromkeys(_ATTACK_TOOLS, (_offensive,)),
}
