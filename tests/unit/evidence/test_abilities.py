"""Programs that ordinary tools are made to run besides their job, and the neighbours of it that are their job."""

import shlex

import pytest

from pyloader.evidence import Group
from pyloader.evidence.commands import detours, handouts, hooks, transfers
from tests.unit.evidence.stage import Stage


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
    process = stage.typed(line)
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
    assert "shell_as_operand" not in stage.codes(stage.typed(line))
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
    process = stage.typed(line)
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
    assert not stage.codes(stage.typed(line))


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
    assert "library_named" in stage.codes(stage.typed(line))


@pytest.mark.parametrize(
    "line", ["ssh-keygen -t ed25519", "openssl req -new -key k", "gcc -o x x.c ./libx.so", "ldd /lib/libc.so.6"]
)
def test_libraries_of_the_job(stage: Stage, line: str) -> None:
    """Libraries that are linked or looked at are not loaded."""
    assert "library_named" not in stage.codes(stage.typed(line))


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
    own = stage.typed(line)
    elevated = stage.sudo(shlex.split(line))
    assert stage.score(elevated) > stage.score(own)


def test_evidence_of_abilities_is_of_one_group(stage: Stage) -> None:
    """What the words of one command say in several ways is not added up."""
    stage.typed("tar cf /dev/null x --checkpoint-action=exec=/bin/sh -I /bin/sh")
    assert {item.group for item in stage.last} == {Group.PROCESS}


def test_patterns_have_bounded_repetitions() -> None:
    """No shape has a repetition of anything without a bound, which crafted arguments could make slow."""
    for tables in (detours, handouts, hooks, transfers):
        shapes = [shape for table in vars(tables).values() if isinstance(table, dict) for shape in table.values()]
        assert not [shape for shape in shapes if isinstance(shape, str) and (".*" in shape or ".+" in shape)]
