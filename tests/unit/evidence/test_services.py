"""Shells and tools that services start."""

# ruff: noqa: S108 - temporary paths are judged, not used

import pytest

from tests.unit.evidence.stage import Stage

HIGH = 62


@pytest.mark.parametrize("server", ["nginx", "apache2", "httpd", "mysqld", "redis-server", "postgres", "named"])
@pytest.mark.parametrize("argv", [["sh", "-c", "id"], ["whoami"], ["curl", "http://x/y"], ["nc", "h", "1"], ["bash"]])
def test_server_starts_a_tool(stage: Stage, server: str, argv: list[str]) -> None:
    """A server that runs a shell or a tool of discovery is exploited, and both processes are named."""
    service = stage.run([server])
    child = stage.run(argv, service)
    assert stage.score(child) >= HIGH
    assert stage.score(service) >= HIGH


@pytest.mark.parametrize("argv", [["id"], ["whoami"], ["uname", "-a"], ["cat", "/etc/passwd"]])
def test_shell_under_the_name_of_a_server(stage: Stage, argv: list[str]) -> None:
    """A copy of a shell that is called like a server is judged as the server that it pretends to be."""
    disguised = stage.run(["/tmp/x/nginx", "-c", "id; whoami"], exe="/tmp/x/nginx")
    child = stage.run(argv, disguised)
    assert stage.score(child) >= HIGH
    assert stage.score(disguised) >= HIGH


def test_server_that_ran_before_the_sensor(stage: Stage) -> None:
    """A server is known from /proc as well as from its execution."""
    service = stage.seen(77, "/usr/sbin/nginx", ["nginx: worker process"])
    assert stage.score(stage.run(["sh", "-c", "id"], service)) >= HIGH


def test_server_that_becomes_the_shell(stage: Stage) -> None:
    """An exploited server may execute a shell in its own process."""
    assert stage.score(stage.execute(stage.run(["nginx"]), ["sh"])) >= HIGH


@pytest.mark.parametrize("parent", ["sshd", "cron", "systemd", "login", "agetty", "bash", "make", "tmux"])
def test_others_start_shells(stage: Stage, parent: str) -> None:
    """Logins, schedulers, terminals and tools start shells all day."""
    shell = stage.run(["sh", "-c", "run-parts /etc/cron.daily"], stage.run([parent]))
    assert not stage.codes(shell)


@pytest.mark.parametrize("server", ["java", "node", "gunicorn", "php-fpm", "uwsgi", "puma"])
def test_application_servers_run_shells(stage: Stage, server: str) -> None:
    """An application server may run a shell, which alone is no alarm."""
    shell = stage.run(["sh", "-c", "uname -a"], stage.run([server, "app"]))
    assert 0 < stage.score(shell) < 50


@pytest.mark.parametrize(
    ("server", "argv"),
    [
        ("postgres", ["sh", "-c", "test ! -f /backup/1 && cp pg_wal/1 /backup/1"]),
        ("apache2", ["sh", "-c", "exec rotatelogs /var/log/x 86400"]),
        ("exim4", ["sh", "-c", "/usr/local/bin/deliver"]),
        ("apache2", ["sh", "-c", "convert a.png b.jpg"]),
        ("cupsd", ["sh", "-e", "/usr/lib/cups/filter/x"]),
    ],
)
def test_helpers_of_servers(stage: Stage, server: str, argv: list[str]) -> None:
    """Settings of servers name programs that they run: archives, logs, mail, images."""
    assert stage.score(stage.run(argv, stage.run([server]))) < 50


def test_worker_of_a_server(stage: Stage) -> None:
    """A server that starts a copy of itself or an ordinary program is at work."""
    service = stage.run(["nginx"])
    assert not stage.codes(stage.run(["nginx"], service))
    assert not stage.codes(stage.run(["gzip", "x.log"], service))
