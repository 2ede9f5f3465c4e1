"""Shells and tools that a network service started.

A web or database server that runs `sh`, `id` or `curl` is what remote code execution looks like. Some services run
helpers by their settings (log pipes, archive commands, CGI programs, mail delivery), and application servers run
shells in their daily work: those weigh little by themselves.
"""

from pyloader.evidence.catalogue import (
    SERVICE_STARTS_HELPER,
    SERVICE_STARTS_TOOL,
    SHELL_FROM_SERVICE,
    TOOL_FROM_APPLICATION,
    TOOL_FROM_SERVICE,
    named,
)
from pyloader.evidence.item import Evidence
from pyloader.evidence.pattern import pattern
from pyloader.evidence.programs import Program, Role
from pyloader.evidence.shell import Argv, shell_code
from pyloader.evidence.traits import Trait
from pyloader.host import Process
from pyloader.records import ExecFlag

TOOLS = Role.SHELL | Role.INTERPRETER | Role.DISCOVERY | Role.DOWNLOADER | Role.RELAY | Role.ELEVATOR
"""Roles that no server needs in its children."""

_HELPER = pattern(
    r"rotatelogs|cronolog|logger\b|pg_wal|pg_xlog|archive|wal-g|wal-e|pgbackrest|barman|test !? ?-f"
    r"|sendmail|htcacheclean"
    r"|certbot|logrotate|pkill -(?:HUP|USR1)|systemctl reload|mysqld_safe|pg_ctl|initdb|locale -a"
    r"|^(?:exec )?(?:/usr/(?:local/)?bin/)?(?:convert|identify|mogrify|magick|composite|ffmpeg|ffprobe|gs"
    r"|pdf\w+|wkhtmlto\w+"
    r"|exiftool|git|svn|hg|clamd?scan|soffice|libreoffice|tesseract|jpegoptim|optipng|pngquant|cwebp|mysqldump|pg_dump|dot"
    r"|gifsicle|unzip|zip|catdoc|antiword|php\S* \S+\.php)\b[^;|&`$]*$"
)
_FILE_TOOLS = frozenset({"cat", "ls", "chmod", "crontab", "find", "rm", "touch", "base64", "mkfifo"})


def judge_child(process: Process, program: Program, argv: Argv, before: int) -> list[Evidence]:
    """Judge a program that a service, the image of this process before or of its parent, has started."""
    tool = program.roles & TOOLS or program.name in _FILE_TOOLS
    if not tool:
        return []
    service = process.parent
    origin = named(service) if service is not None else "a network service"
    command = " ".join(argv)
    code = shell_code(argv) or command
    if before & Trait.APPLICATION:
        return [TOOL_FROM_APPLICATION.about(process, origin)] if program.roles & ~Role.INTERPRETER & TOOLS else []
    if _is_helper(process, program, before, code):
        return [SERVICE_STARTS_HELPER.about(process, origin)]
    kind = SHELL_FROM_SERVICE if program.roles & Role.SHELL else TOOL_FROM_SERVICE
    found = [kind.about(process, f"{origin}: {command}")]
    if service is not None and service.traits & Trait.SERVER:
        found.append(SERVICE_STARTS_TOOL.about(service, f"{named(process)}: {command}"))
    return found


def _is_helper(process: Process, program: Program, before: int, code: str) -> bool:
    if before & Trait.MAILER or process.flags & int(ExecFlag.SCRIPT) or "/cgi-bin/" in process.filename:
        return True
    return bool(program.roles & (Role.SHELL | Role.INTERPRETER)) and _HELPER.search(code) is not None
