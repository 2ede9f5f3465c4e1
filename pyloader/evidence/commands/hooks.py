"""Options that make a tool run a program of the caller's choice, or load a library."""

from typing import Final

from pyloader.evidence.command_kinds import LIBRARY_NAMED, PROGRAM_HOOKED
from pyloader.evidence.commands.shapes import rules

_PACKERS = r"(?:/usr)?(?:/bin/)?(?:pigz|pbzip2|lbzip2|pixz|zstdmt|lzip|plzip|gzip|bzip2|xz|zstd|lz4|lzop|lzma|brotli)\b"

_PROGRAMS: Final = {
    "vi vim view ex rvim rview vimdiff nvim gvim": (
        r"\s(?:-c|--cmd|\+)\s*:?(?:silent\W*)?(?:r?!|r\s+!|py3?(?:thon)?x?\b|lua\b|ruby\b|perl\b|tcl\b"
        r"|shell\b|ter(?:minal)?\b"
        r"|call\s+system|so(?:urce)?\b)"
    ),
    "emacs emacsclient xemacs": r"\s-?-(?:eval|e)[= ].{0,200}(?:shell|\(term|call-process|start-process|process-lines)",
    "nano pico": r"\s(?:-s\s*|--speller[= ])\S",
    "man": r"\s(?:-P\s*|--pager[= ]|-H\s*\S|--html=)(?!['\"]?(?:less|more|most|cat)\b)\S",
    "less more most": r"\s\+?!\S",
    "gdb gdb-multiarch lldb": (
        r"\s-{1,2}(?:i?ex|eval-command|o|one-line)[= ](?:!|shell\b|pi\b|py(?:thon)?\b|platform shell"
        r"|script\b)"
    ),
    "mysql mariadb": r"\s(?:-e\s*|--execute=).{0,4}(?:\\!|system\s)|\s--pager=",
    "psql": r"\s-c\s*.{0,2}\\!|to\s+program\s|from\s+program\s",
    "sqlite3 sqlite": r"\.(?:sh|shell|system)\s",
    "ftp lftp sftp psftp": r"\s(?:-c|-e)\s*['\"]?!|\s-S\s*\S",
    "fzf": r"--bind[= ].{0,200}(?:execute|become|reload)[\[(:]|--listen",
    "irssi": r"-c.{0,200}exec|/exec",
    "expect": r"\s-c\s.{0,200}(?:spawn|exec|system)\b",
    "tar bsdtar gtar": (
        r"\s--checkpoint-action[= ]\S*exec|\s--to-command|\s--rsh-command|\s--(?:new-volume|info)-script"
        r"|\s-F\s*\S*/"
        rf"|\s(?:-I\s*|--use-compress-program[= ])(?!['\"]?{_PACKERS})\S"
    ),
    "zip": r"\s(?:-TT|--unzip-command)",
    "split": rf"\s--filter[= ](?!['\"]?{_PACKERS})\S",
    "sort": rf"\s--compress-program[= ](?!['\"]?{_PACKERS})\S",
    "rsync": r"\s(?:-\w*e\s*|--rsh[= ])['\"]?(?!\s*(?:/usr/bin/)?(?:ssh|rsh)\b)[^\s-]*sh\s+-?\S",
    "ssh scp sftp autossh sshfs mosh check_by_ssh ssh-copy-id": (
        r"ssh_command=|(?i:LocalCommand|KnownHostsCommand|ProxyCommand)[= ]['\"]?\s*(?:[;|&]|\S*\bsh\b)"
    ),
    "scp": r"\s-S\s*\S",
    "borg restic rclone duplicity": r"\s--(?:rsh|password-command|remote-command)[= ]",
    "wget": r"\s--use-askpass[= ]\S",
    "aria2c": r"\s--on-(?:bt-)?download-\w+[= ]",
    "yt-dlp youtube-dl": r"\s--exec\b",
    "ssh": r"\s-o\s*(?i:PermitLocalCommand)[= ]?yes",
    "tcpdump": r"\s-\w*z\s*(?!(?:/usr/bin/|/bin/)?(?:gzip|bzip2|xz|zstd)\b)\S",
    "nmap": r"\s--script[= ]\S*/|\s--interactive",
    "openvpn": r"\s--(?:up|down|route-up|ipchange|tls-verify|auth-user-pass-verify)\s",
    "dhclient": r"\s-sf\s+(?!/usr/|/sbin/|/etc/|/lib/)\S|\s-sf\s+\S*bin/\w*sh\s",
    "check_ssl_cert": r"\s--\w+-bin[= ]",
    "git": (
        r"(?i)\score\.(?:pager|sshcommand|fsmonitor|editor|hookspath|askpass)=(?!true|false|cat|less|:"
        r"|ssh\b|/dev/null|vi|nano|\s)\S|\s-c\s+alias\.\w+=\W?!|\s--exec-path=(?!/usr/)\S"
        r"|ext::\S*sh\b|\s--(?:upload|receive)-pack[= ](?!git)\S*(?:[;|&]|\bsh\b)"
    ),
    "gcc g++ cc c++ clang": r"\s-wrapper\s",
    "gem": r"\sopen\s.{0,200}-e\s|\s--file\s",
    "knife bee rake puppet": r"\s(?:exec\s+-E|eval|-p|-e|apply\s.{0,200}-e)\s",
    "ansible": r"localhost.{0,200}\s-m\s+(?:shell|command|raw)\b",
    "rpm rpmquery rpmverify rpmbuild rpmspec rpmdb": r"%\{lua:|%\((?!\s*(?:rpm|uname|date|getconf)\b)|\s--pipe[= ]",
    "apt apt-get aptitude": r"::(?:Pre|Post)-Invoke|\s-c\s*/(?!etc/)\S",
    "cowsay cowthink": r"\s-f\s*\S*/(?!usr/)\S*",
    "facter": r"\s--(?:custom|external)-dir",
    "bpftrace": r"\s--unsafe\b|\s-c\s",
    "needrestart procmail": r"\s-(?:c|m)\s*\S*/(?!etc/)",
    "rsyslogd syslog-ng": r"\s-f\s*/(?!etc/)\S",
    "logrotate": r"\s(?:-m\s*|--mail[= ])\S*/(?!mail\b)",
    "tex pdftex pdflatex xelatex lualatex luatex latex xetex": r"-shell-escape\s|write18|\\directlua",
    "latexmk": r"\s-e\s",
    "gimp": r"python-fu-eval|\s-b\s.{0,200}(?:shell|system|exec)",
    "run-parts": r"\s--regex\b.{0,200}sh\b|\s/(?!(?:etc|usr|lib|opt|var|home)/)\S+/ $",
    "systemctl": r"\slink\s+/(?!usr/|etc/|lib/|opt/)",
    "make gmake": r"\s(?:-E\s|--eval[= ])",
    "busctl systemctl loginctl hostnamectl": r"unixexec:",
    "cpio": r"\s--rsh-command",
    "csvtool task xdotool": r"\s(?:call|execute|exec)\s",
    "dmsetup": r"\s--exec\s",
    "dvips": r"\s-R0\b",
    "ghc slsh perlbug": r"\s-e\s",
    "gnuplot": r"\s-e\s.{0,200}(?:system|shell|!)",
    "mail mailx": r"\s--exec[= ]",
    "pic": r"^ -U\s",
    "pip pip3 pipx": r"\s--editor\s",
    "sed": r"\s\d+e\s+\S|^ (?:-\w+ )*e\s+\w",
    "snap": r"\sinstall\s.{0,200}--(?:dangerous|devmode)",
    "yum dnf": r"\s-c\s*/(?!etc/)",
}
"""Commands of editors and clients, helpers of archivers and copiers, code given to package managers."""

_LIBRARIES: Final = {
    "sqlite3 sqlite": r"\.load\s|load_extension",
    "curl wget": r"\s--engine[= ]\S*/|\s--dynamic-module",
    "openssl": r"\s-(?:engine|provider|provider-path)\s+\S*/",
    "tshark wireshark dumpcap": r"\s-X\s*lua_script:",
    "openvpn": r"\s--(?:plugin|engine)\s",
    "mysql mariadb": r"\s--(?:default-auth|plugin-dir)[= ]\S*/",
    "ldconfig": r"\s-f\s+(?!/etc/)\S",
    "ssh-keygen ssh-add": r"\s-[Ds]\s*\S*/\S*\.so",
    "enable": r"\s-f\s+\S*/",
    "ffmpeg ffplay ladspa": r"ladspa=\S*/",
    "load": r"\s\S*/\S+\.so\b",
    "nginx": r"\s-g\s.{0,200}load_module",
    "redis-server": r"--loadmodule\s+/(?:tmp|dev|var/tmp)/",
}
"""Engines, plugins and modules that are named by their path."""

RULES: Final = rules({PROGRAM_HOOKED: _PROGRAMS, LIBRARY_NAMED: _LIBRARIES})
