"""What people do all day does not cry wolf: at most one alert of 62 or more in all of it together."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.kernel.command import running
from tests.kernel.observing import run

ROOT = Path(__file__).parents[2]
HIGH = 62


def corpus() -> Path:
    """Return the folder of command lines that this project did not write."""
    folder = Path(os.environ.get("PYLOADER_CORPUS", ROOT.parent / "shared" / "corpus"))
    assert folder.is_dir(), f"{folder} is missing: set PYLOADER_CORPUS to the folder with benign_commands.txt"
    return folder


def packages(folder: Path) -> None:
    """Refresh Debian's lists and install a Python package."""
    subprocess.run(["apt-get", "update", "-qq"], check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "site"), "msgspec"]
    subprocess.run(command, check=True)


def build(folder: Path) -> None:
    """Build a C project of forty files with make -j2, from a local clone."""
    source, clone = folder / "source", folder / "clone"
    source.mkdir()
    rule = "all: $(patsubst %.c,%.o,$(wildcard *.c))\n\tcc -o program $^\n"
    (source / "Makefile").write_text(rule)
    (source / "main.c").write_text("int main(void) { return 0; }\n")
    for number in range(40):
        (source / f"part{number}.c").write_text(f"int part{number}(void) {{ return {number}; }}\n")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(source)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        subprocess.run([*git, *words], check=True)
    subprocess.run(["git", "clone", "-q", str(source), str(clone)], check=True)
    subprocess.run(["make", "-s", "-j2", "-C", str(clone)], check=True)


def cron(folder: Path) -> None:
    """Run what cron runs: a daemon's child, a shell, and the periodic scripts of this machine."""
    proof = folder / "cron-ran"
    table = Path("/etc/cron.d/pyloader-test")
    table.write_text(f"* * * * * root id > {proof} && run-parts --test /etc/cron.daily >> {proof}\n")
    try:
        with subprocess.Popen(["cron", "-f"]) as daemon:
            for _ in range(70):
                if proof.exists() and proof.stat().st_size:
                    break
                time.sleep(1)
            daemon.terminate()
        assert proof.exists()
    finally:
        table.unlink()


def command_lines() -> Iterator[list[str]]:
    """Yield the argument vector of every command of the corpus, whole and each part of its pipeline."""
    for line in (corpus() / "benign_commands.txt").read_text().splitlines():
        for part in {line, *line.split("|")}:
            try:
                words = shlex.split(part)
            except ValueError:
                words = part.split()
            if words and words[0].strip("./"):
                yield words


def commands(nothing: Path, folder: Path) -> int:
    """Run every command line of the corpus with a program of that name that does nothing; return how many."""
    count = 0
    for count, words in enumerate(command_lines(), 1):  # noqa: B007 -- the count is the result.
        image = folder / Path(words[0]).name
        if not image.exists():
            os.link(nothing, image)
        run(words, executable=str(image))
    return count


def test_ordinary_work_raises_at_most_one_alert(programs: Path, tmp_path: Path) -> None:
    """Package installs, builds, git, cron and 5,000 command lines raise one alert of 62 or more at most."""
    bin_folder = programs / "bin"
    bin_folder.mkdir()

    with running(tmp_path) as sensor:
        packages(tmp_path)
        build(tmp_path)
        cron(tmp_path)
        assert commands(programs / "nothing", bin_folder) > 5000

    assert len(sensor.alerts(HIGH)) <= 1, [alert["summary"] for alert in sensor.alerts(HIGH)]
    shutil.rmtree(bin_folder)
