"""Tools that send, fetch or serve files and are seldom used for it."""

from typing import Final

from pyloader.evidence.command_kinds import FETCHED_BY_DETOUR, FILES_SERVED, SENT_BY_DETOUR, UPLOADED
from pyloader.evidence.commands.shapes import rules

_SENT: Final = {
    "socat": r"(?i)\s(?:open|file|gopen):\S+\s+(?:tcp|udp|ssl|openssl)\d?[:-]",
    "finger": r"\s[^\s@]+@[\w.-]+\.\w+\s",
    "whois": r"\s-h\s+\S+\s+-p\s|\s-p\s+\S+\s+-h\s",
    "rlogin rsh": r"\s-p\s|\s-l\s",
    "hping3 nping ping": r"\s--(?:file|sign)\s|\s-E\s+\S*/",
    "ab": r"\s-[pu]\s",
    "openssl": r"\ss_client\s.{0,200}-quiet",
    "lp cancel": r"\s-h\s",
    "restic": r"\s(?:-r|--repo)[= ]rest:http://",
}
"""Data as a name, a query or a payload."""

_UPLOADED: Final = {
    "curl": (
        r"\s(?:-d|--data(?:-binary|-raw|-ascii|-urlencode)?)[= ]?['\"]?@(?!-)[^\s'\"]*/"
        r"|\s(?:-F|--form)[= ]\S*=@/|gopher://|\stelnet://"
        r"|\s--data-binary\s(?!@)(?!.{0,200}[{}=])"
    ),
    "wget": r"\s--(?:post|body)-file[= ]",
    "smbclient": r"\s-\w*c\s.{0,200}\bput\b",
}
"""Files in requests, which scripts do send."""

_FETCHED: Final = {
    "socat": r"(?i)\s(?:tcp|udp|ssl|openssl)\d?[:-]\S+\s+(?:open|create|file|gopen):",
    "tftp": r"\s\S",
    "ftp": r"\s-a\s",
}
"""Files by protocols that nobody needs for it."""

_SERVED: Final = {
    "busybox toybox": r"\shttpd\s",
    "httpd": r"\s-h\s",
    "php": r"\s-S\s+(?:0\.0\.0\.0|\[?::\]?|[\w.]+):\d",
    "ruby": r"\s-run\s.{0,200}\bhttpd\b",
    "python": r"\s-m\s*(?:http\.server|SimpleHTTPServer|pyftpdlib|uploadserver|smbserver)\b",
    "kubectl": r"\sproxy\s.{0,200}--(?:www|address[= ]0\.0\.0\.0)",
    "tailscale ngrok cloudflared bore": r"\s(?:serve|funnel|http|tcp|tunnel|local)\s",
}
"""Servers that a one-liner starts."""

RULES: Final = rules({SENT_BY_DETOUR: _SENT, UPLOADED: _UPLOADED, FETCHED_BY_DETOUR: _FETCHED, FILES_SERVED: _SERVED})
