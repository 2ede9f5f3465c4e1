"""What the simulations expect to find: the prerequisites that their descriptions name, laid out in a folder."""

import base64
import os
import subprocess
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
_OWNER: Final = 4242


def lay_out(root: Path) -> None:
    """Write everything below a folder that is copied over the root of each container. Needs gcc."""
    temporary = root / "tmp"
    for folder in ("tmp/T1030", "tmp/victim-files", "tmp/victim-folder", "var/log", "var/mail", "var/spool/cron"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (temporary / "AtomicRedTeam/atomics/T1222.002").mkdir(parents=True, exist_ok=True)
    files = {
        "tmp/T1003.007.sh": "#!/bin/sh\nsh -c 'PASSWORD=T1003.007; sleep 3; :' &\n",
        "tmp/evil-binary": "binary",
        "tmp/encoded.dat": base64.b64encode(b"#!/bin/sh\necho Hello\nid\n").decode(),
        "tmp/T1030/T1030_urandom": "x" * 1_000_000,
        "tmp/victim-files/T1070.004-test.txt": "",
        "tmp/victim-shred.txt": "text",
        "tmp/T1070.006-access.txt": "",
        "tmp/T1070.006-modification.txt": "",
        "tmp/T1222002.txt": "",
        "tmp/AtomicRedTeam/atomics/T1222.002/T1222.002.yaml": "",
        "tmp/evil.sh": "#!/bin/sh\nid\n",
        "var/log/syslog": "a line\n" * 100,
        "var/spool/cron/root": "",
        "root/rootCA.crt": "",
        "root/.keep": "",
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (temporary / "T1003.007.sh").chmod(0o755)
    for name, source, flags in (
        ("t1040_linux_pcapdemo", "capture.c", ()),
        ("T1222002", "chmod.c", ()),
        ("T1574006.so", "library.c", ("-shared", "-fPIC")),
        ("pam_evil.so", "library.c", ("-shared", "-fPIC")),
    ):
        command = [
            "gcc",
            "-O1",
            "-Wall",
            "-Werror",
            *flags,
            str(HERE / "programs" / source),
            "-o",
            str(temporary / name),
        ]
        subprocess.run(command, check=True)
    for path in (temporary, *temporary.rglob("*")):
        os.chown(path, _OWNER, _OWNER)
    os.chown(temporary, 0, 0)
    temporary.chmod(0o1777)
