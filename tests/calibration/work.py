"""The kinds of ordinary work, each as the shell text of one variant.

Everything is real: the programs run, connect, allocate and fail as they do everywhere. Every kind draws its variant
from the random numbers it is given: how many files, which query, which options, which order.
"""

from pathlib import Path
from random import Random

HOME = "/home/dev"
SITE = "10.77.0.2"
"""The address of the watched host on the cable."""


def health(random: Random, number: int) -> str:
    """Look after the host as a monitoring check does: ports, disks, load, and a report by mail file."""
    page = random.choice(["", "index.html", "status", "app/ping"])
    checks = [
        f"curl -fsS -o /dev/null http://127.0.0.1/{page} || logger web",
        "df -P | awk 'NR>1 && int($5)>90 {print $6}'",
        "ps -eo pid,ppid,rss,comm --sort=-rss | head -5",
        "ss -ltn | awk 'NR>1 {print $4}' | sort -u | wc -l",
        "uptime | sed 's/.*average: //'",
        "redis-cli -h 127.0.0.1 ping | grep -q PONG",
        "pg_isready -q -h 127.0.0.1",
        "free -m | awk '/Mem/ {print $3}'",
        "find /var/log -maxdepth 1 -name '*.log' -size +10M",
        "cat /proc/loadavg | cut -d' ' -f1",
        "pgrep -c nginx",
        "test -e /run/nginx.pid && kill -0 $(cat /run/nginx.pid)",
    ]
    chosen = checks if number % 6 == 0 else random.sample(checks, 7)
    return "cd /srv/site; (" + "; ".join(chosen) + ") >> /var/log/health.log 2>&1"


def metrics(random: Random) -> str:
    """Collect figures and send them to a server on this host."""
    if random.random() < 0.5:
        return "python3 /srv/tools/collect.py"
    return "sh /srv/tools/collect.sh"


def hourly(random: Random, hour: int) -> str:
    """Do the hourly chores."""
    chores = [
        "run-parts /etc/cron.hourly",
        "find /srv/spool -type f -mmin +30 -delete",
        "/usr/lib/sysstat/sa1 1 1",
        "psql -qAt -h 127.0.0.1 -U app app -c 'delete from visits where id % 97 = 0'",
        "tail -n 200 /var/log/nginx/access.log | awk '{print $1}' | sort | uniq -c | sort -rn | head -5",
        "logrotate -s /var/lib/logrotate/site.status /etc/logrotate-site.conf",
        "cd /srv/site && git -c safe.directory=/srv/site fetch -q /home/dev/site.git main",
        "gzip -c /var/log/health.log > /srv/spool/health.gz",
    ]
    return "; ".join([chores[0], *random.sample(chores[1:], 4)]) + f"; echo hour {hour} done"


def daily(random: Random) -> str:
    """Run Debian's own daily scripts."""
    extra = random.choice(["apt-get update -qq", "dpkg --audit", "journalctl --version >/dev/null", "true"])
    return f"cd / && run-parts --report /etc/cron.daily; {extra}; find /usr/share/doc -name 'changelog*' | wc -l"


def weekly() -> str:
    """Run Debian's own weekly scripts, and check the packages' files."""
    return "run-parts --report /etc/cron.weekly; dpkg -V bash coreutils grep | head; du -sh /var/log /srv /home"


def backup(random: Random, day: int) -> str:
    """Save databases and folders."""
    kinds = [
        "tar -C / -czf /srv/backup/etc-$(date +%F).tar.gz etc 2>/dev/null",
        "rsync -a --delete /srv/site/ /srv/backup/site/",
        "tar -C /home -cf - dev --exclude=target 2>/dev/null | gzip -1 > /srv/backup/home.tgz",
        "find /srv/site -type f -print0 | xargs -0 -n 20 sha256sum > /srv/backup/sums",
    ]
    head = "set -e; pg_dump -h 127.0.0.1 -U app app | gzip > /srv/backup/app.sql.gz; redis-cli -h 127.0.0.1 bgsave"
    random.shuffle(kinds)
    full = kinds if day % 7 == 0 else kinds[:3]
    return "; ".join([head, *full, "ls -la /srv/backup | tail -3", "find /srv/backup -mtime +30 -delete"])


def database_care(random: Random) -> str:
    """Vacuum, and run the questions of the night."""
    return (
        "vacuumdb -q -h 127.0.0.1 -U app app; "
        "psql -q -h 127.0.0.1 -U app app -c 'table pgbench_branches' > /srv/spool/report; "
        f"pgbench -n -h 127.0.0.1 -U app -c 2 -t {random.randint(10, 40)} app > /dev/null 2>&1"
    )


def visit(random: Random) -> tuple[str, str]:
    """Come to the web site, as people, as crawlers or all at once: the kind and the script."""
    roll = random.random()
    if roll < 0.45:
        count, together = random.choice([(200, 4), (400, 8), (300, 16)])
        return "web-browse", _bench(count, together, f"page{random.randint(1, 40)}.html")
    if roll < 0.65:
        return "web-keepalive", _bench(random.randint(300, 900), 8, f"page{random.randint(1, 40)}.html", "-k")
    if roll < 0.8:
        return "web-app", _bench(random.randint(60, 200), 4, f"app/{random.choice(['ping', 'count', 'hello'])}")
    if roll < 0.9:
        return "web-node", _bench(random.randint(80, 250), 6, f"api/{random.choice(['sum', 'list'])}")
    if roll < 0.96:
        pages = [*(f"page{random.randint(1, 60)}.html" for _ in range(12)), "app/report", "robots.txt"]
        return "web-crawler", f"for page in {' '.join(pages)}; do curl -s -o /dev/null http://{SITE}/$page; done"
    return "web-peak", _bench(random.randint(1500, 3500), random.choice([20, 40, 60]), "index.html")


def _bench(count: int, together: int, page: str, *options: str) -> str:
    return " ".join(["ab", "-q", *options, f"-n {count} -c {together} http://{SITE}/{page}"])


_TYPED = {
    file.stem: tuple(file.read_text().splitlines()) for file in sorted(Path(__file__).with_name("typed").glob("*.txt"))
}
"""Lines that people type, by theme."""


def session(random: Random) -> tuple[str, str, str]:
    """Log in and type: what people look at, edit, ask and try, ten to forty lines of it: user, kind and lines."""
    look, logs, git = _TYPED["look"], _TYPED["logs"], _TYPED["git"]
    if random.random() < 0.25:
        user, kind = "root", "login-root"
        pools = [look, _TYPED["root"], _TYPED["root"], logs]
    else:
        user, kind = "dev", "login"
        theme = _TYPED[random.choice(["git", "data", "find", "find", "debug", "admin"])]
        pools = [look, logs, theme, theme, theme]
    lines = []
    for _ in range(random.randint(10, 35)):
        pool = random.choice(pools)
        if pool is git:
            at = random.randrange(1, len(git) - 4)
            lines += ["cd ~/site", *git[at : at + random.randint(1, 4)], "cd ~"]
        else:
            lines.append(random.choice(pool))
    if random.random() < 0.3:
        lines.insert(0, f"bash /srv/tools/oneliners.sh {random.randrange(10_000)}")
    return user, kind, "\n".join([*lines, "exit"])


def build(random: Random, day: int) -> tuple[str, str]:  # noqa: PLR0911 -- one for each kind of project
    """Build or test a new project, as a build server does: the kind and the script."""
    number = random.randrange(10**6)
    roll = random.random()
    if roll < 0.35:
        files, jobs = random.randint(15, 45), random.choice([1, 2, 2, 3])
        level = random.choice(["-O0", "-O1", "-O2"])
        make = f"make -s -j{jobs} CFLAGS='{level}' all; ./program; make -s check; make -s clean"
        return "c-build", _in_project("c", files, day, number, f"sh ./configure > config.log; {make}")
    if roll < 0.45:
        files = random.randint(6, 16)
        generator = random.choice(["Ninja", "'Unix Makefiles'"])
        steps = f"cmake -G {generator} -S . -B out > /dev/null; cmake --build out > /dev/null; ./out/program"
        return "cmake-build", _in_project("cmake", files, day, number, steps)
    if roll < 0.6:
        return "pytest", _in_project("python", random.randint(4, 12), day, number, _PYTHON)
    if roll < 0.68:
        package = random.choice(["attrs", "click", "idna", "six", "packaging", "certifi", "toml", "wheel"])
        return "pip", _in_project("", 0, day, number, _PIP.format(package))
    if roll < 0.8:
        return "node", _in_project("node", random.randint(3, 9), day, number, _NODE)
    if roll < 0.9:
        return "java", _in_project("java", random.randint(3, 9), day, number, _JAVA)
    return "cargo", _in_project("cargo", random.randint(2, 5), day, number, _CARGO)


_PYTHON = (
    "python3 -m venv --without-pip venv; . venv/bin/activate; "
    "python -m compileall -q . ; python -m unittest discover -q 2>&1 | tail -1"
)
_PIP = (
    "python3 -m venv venv; ./venv/bin/pip install -q {} && ./venv/bin/pip list -q > list; "
    "./venv/bin/python -c 'import sys; print(sys.version)'"
)
_NODE = "npm test --silent > log 2>&1 || tail -3 log; npm run --silent build; node main.js"
_JAVA = "javac -d out *.java; java -cp out Main; jar cf program.jar -C out ."
_CARGO = "cargo build -q --offline; cargo test -q --offline > log 2>&1; ./target/debug/program"


def _in_project(kind: str, files: int, day: int, name: int | str, steps: str) -> str:
    """Return the script that makes a folder, with a project in it if one is wanted, and does the steps there."""
    folder = f"{HOME}/work/{day}-{name}"
    make = f"python3 /srv/tools/make_project.py {kind} {files} {name} . ; " if kind else ""
    return f"set -e; mkdir -p {folder}; cd {folder}; {make}{steps}"


_TOOLS = (
    *("tree", "jq", "bc", "figlet", "rev", "cowsay", "sl", "pv", "moreutils", "dos2unix"),
    *("ncdu", "unrar-free", "lzip", "zstd", "pigz", "htop", "dc", "rlwrap", "tig", "mc"),
)
_UPGRADES = ("zip openssl", "libpq5", "tzdata ca-certificates", "curl libcurl4", "sudo", "vim-common xxd")
_INSTALL = "apt-get install -y -qq --no-install-recommends"
_UPGRADE = "apt-get -y -qq -o Dpkg::Options::=--force-confold install --only-upgrade"


def rare(random: Random, day: int) -> list[tuple[str, str, str]]:
    """Return what does not come every day: kind, way and script of each."""
    tool, other = (_TOOLS[(day // 3 * 2 + after) % len(_TOOLS)] for after in (0, 1))
    found = []
    if day % 3 == 1:
        lines = ["apt-get update -qq", f"{_INSTALL} {tool} {other}", f"{tool} --version | head -1"]
        found.append(("apt-install", "login:root", [*lines, f"dpkg -l {tool} | tail -1"]))
    if day % 5 == 3:
        lines = [f"apt-get remove -y -qq {tool}", "apt-get autoremove -y -qq", "apt-get clean"]
        found.append(("apt-remove", "login:root", lines))
    if day % 4 == 2:
        upgrade = f"apt-get update -qq; {_UPGRADE} {random.choice(_UPGRADES)} 2>&1 | tail -2"
        found.append(("apt-upgrade", "cron", [upgrade]))
    if day % 6 == 4:
        steps = "mvn -o -q compile 2>&1 | tail -2 || true"
        found.append(("maven", "runner", [_in_project("maven", 3, day, day, steps)]))
    if day % 7 == 2:
        lines = ["nginx -s quit", "sleep 0.3", "nginx -c /etc/nginx/nginx.conf", "redis-cli -h 127.0.0.1 save"]
        found.append(("restart", "login:root", lines))
    if day % 9 == 5:
        lines = ["gdb -batch -nx -p $(pgrep -o redis-server) -ex bt -ex detach 2>&1 | tail -3"]
        found.append(("attach", "login:root", [*lines, "strace -c -p $(pgrep -o nginx) & sleep 0.4; kill %1"]))
    if day % 8 == 6:
        lines = ["stress-ng --vm 1 --vm-bytes 256M --timeout 1 -q"]
        lines += ["luajit -e 'local s=0 for i=1,1e7 do s=s+i end print(s)'", "pypy3 -c 'print(sum(range(10**7)))'"]
        found.append(("stress", "login:dev", lines))
    if day % 10 == 7:
        package = random.choice(["left-pad", "is-odd", "ms"])
        steps = f"npm init -y > /dev/null; npm install --silent {package}; node -e 'console.log(1)'"
        found.append(("npm-install", "runner", [_in_project("", 0, day, "npm", steps)]))
    return [
        (kind, way, "\n".join([*lines, "exit"] if way.startswith("login:") else lines)) for kind, way, lines in found
    ]
