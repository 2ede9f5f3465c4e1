"""What an agent for figures does: read /proc, ask services, keep a file, send it to a server of this host."""

import json
import subprocess
import urllib.request
from pathlib import Path

figures = {
    "load": Path("/proc/loadavg").read_text().split()[:3],
    "memory": Path("/proc/meminfo").read_text().splitlines()[:3],
    "processes": sum(entry.name.isdigit() for entry in Path("/proc").iterdir()),
    "disks": subprocess.check_output(["df", "-Pk"], text=True).splitlines()[1:],
    "sockets": len(subprocess.check_output(["ss", "-tan"], text=True).splitlines()),
}
Path("/srv/spool/figures.json").write_text(json.dumps(figures))
with urllib.request.urlopen("http://127.0.0.1/app/figures", data=json.dumps(figures).encode(), timeout=5) as answer:
    answer.read()
